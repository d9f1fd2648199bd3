package e2e

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uzram/test/harness"
)

// sourceTrees are what is copied: part of the Go installation, some 2000 files.
var sourceTrees = []string{"net", "crypto", "runtime", "cmd/compile"}

// TestExt4: a file system on the loop device. It is made, filled with a real tree, forgotten by the kernel's caches, read
// back, checked, and when its files go so does the memory.
func TestExt4(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "512M", Loop: true})
	harness.Run(t, "mkfs.ext4", "-q", dev.Loop)
	dir := harness.MountFS(t, dev.Loop)
	src := filepath.Join(strings.TrimSpace(harness.Run(t, "go", "env", "GOROOT")), "src")

	want := map[string]file{}
	for _, tree := range sourceTrees {
		to := filepath.Join(dir, filepath.Dir(tree))
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		harness.Run(t, "cp", "-a", filepath.Join(src, tree), to)
		readTree(t, want, src, tree)
	}
	dev.DropCaches()
	compareTrees(t, dir, want)
	full := dev.MM()
	if full.Used == 0 || full.Used >= full.Orig {
		t.Errorf("mm_stat with the tree on it: %+v: nothing saved", full)
	}

	harness.Run(t, "umount", dir)
	harness.Run(t, "fsck.ext4", "-fn", dev.Loop)
	harness.Run(t, "mount", dev.Loop, dir)
	compareTrees(t, dir, want)

	for _, tree := range sourceTrees {
		if err := os.RemoveAll(filepath.Join(dir, strings.Split(tree, "/")[0])); err != nil {
			t.Fatal(err)
		}
	}
	dev.DropCaches()
	harness.Run(t, "fstrim", dir)
	trimmed := dev.MM()
	t.Logf("%d files; with them %d KiB stored in %d KiB, after fstrim %d KiB in %d KiB", len(want),
		full.Orig/kib, full.Used/kib, trimmed.Orig/kib, trimmed.Used/kib)
	if trimmed.Orig > full.Orig/4 || trimmed.Used > full.Used/4 {
		t.Errorf("fstrim of the empty file system gave too little back: %+v, before %+v", trimmed, full)
	}
	harness.Run(t, "umount", dir)
	harness.Run(t, "fsck.ext4", "-fn", dev.Loop)
}

// file is what has to be equal in a copy.
type file struct {
	mode fs.FileMode
	sum  [sha256.Size]byte // of the contents, or of where a link leads
}

// readTree adds the files of base/tree to files, by their names below base.
func readTree(t *testing.T, files map[string]file, base, tree string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(base, tree), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(base, path)
		if err != nil {
			return err
		}
		f := file{mode: e.Type()}
		var text []byte
		if e.Type()&fs.ModeSymlink != 0 {
			var to string
			to, err = os.Readlink(path)
			text = []byte(to)
		} else {
			text, err = os.ReadFile(path)
		}
		f.sum = sha256.Sum256(text)
		files[name] = f
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func compareTrees(t *testing.T, dir string, want map[string]file) {
	t.Helper()
	got := map[string]file{}
	for _, tree := range sourceTrees {
		readTree(t, got, dir, tree)
	}
	if len(want) < 1000 || len(got) != len(want) {
		t.Fatalf("%d files in the copy, %d in the original", len(got), len(want))
	}
	for name, w := range want {
		if got[name] != w {
			t.Fatalf("%s is not as it was copied", name)
		}
	}
}
