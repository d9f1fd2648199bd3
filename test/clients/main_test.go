package clients

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"uzram/test/harness"
)

var rewrite = flag.Bool("rewrite", false, "write docs/clients.md instead of comparing it")

// programs are what the tests run beyond what the harness asks for.
var programs = []string{
	"blkid", "btrfs", "findmnt", "fsck.ext4", "htop", "lsblk", "mkfs.btrfs", "mkfs.ext4", "mkfs.xfs", "modprobe", "tmux", "xfs_repair", "zramctl",
}

func TestMain(m *testing.M) {
	if standing := os.Getenv(procfsEnv); standing != "" {
		os.Exit(readProcfs(standing))
	}
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin")
	missing := 0
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			fmt.Fprintf(os.Stderr, "the program %s is missing (make deps)\n", name)
			missing++
		}
	}
	if missing > 0 {
		os.Exit(1)
	}
	os.Exit(harness.Main(m))
}

// unpackedDir is where scripts/deps.sh unpacks packages.
func unpackedDir(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(cache, "uzram", "clients")
}

// unpacked finds a program of a package that is not installed.
func unpacked(t *testing.T, path string) string {
	t.Helper()
	full := filepath.Join(unpackedDir(t), path)
	if _, err := os.Stat(full); err != nil {
		t.Fatalf("%v (make deps)", err)
	}
	return full
}
