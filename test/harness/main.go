package harness

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Variables that the processes of one run share.
const (
	binEnv   = "UZRAM_BIN"
	tokenEnv = "UZRAM_E2E_RUN"  // in the environment of every process that a run starts
	roleEnv  = "UZRAM_E2E_ROLE" // what the re-executed test binary shall be
)

// run is the state of this test run; set once by Main, before any test.
var run struct {
	bin    string // absolute name of the binary under test
	repo   string // root of the repository
	root   string // directory of everything that the run creates
	ledger *ledger
}

// Bin returns the absolute name of the binary under test.
func Bin() string { return run.bin }

// Repo returns the root directory of the repository.
func Repo() string { return run.repo }

// tools are the programs that the tests call.
var tools = []string{
	"awk", "blkdiscard", "blockdev", "cat", "cmp", "cp", "dd", "fallocate", "fio", "fsck.ext4", "fstrim", "fusermount3", "head", "losetup",
	"mkfs.ext4", "mkswap", "mount", "nsenter", "setpriv", "sh", "swapoff", "swapon", "tee", "truncate", "umount", "unshare", "zramctl",
}

// MemoryCgroup is where the control groups of the memory controller (version 1) are.
const MemoryCgroup = "/sys/fs/cgroup/memory"

// Main is the whole of a TestMain: it sets the run up, runs the tests, looks for leftovers and returns the exit status.
func Main(m *testing.M) int {
	if role := os.Getenv(roleEnv); role != "" {
		return playRole(role)
	}
	flag.Parse()
	if err := setUp(); err != nil {
		fmt.Fprintln(os.Stderr, "end-to-end tests cannot run:", err)
		return 1
	}
	before := descriptors()
	code := m.Run()
	if err := tearDown(before); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: left over:", err)
		code = max(code, 1)
	}
	return code
}

func setUp() error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	if run.repo, err = moduleRoot(wd); err != nil {
		return err
	}
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin")
	if err := prerequisites(); err != nil {
		return err
	}
	if run.root, err = os.MkdirTemp("", "uzram-e2e-"); err != nil {
		return err
	}
	// An ordinary user's mount lies in here too.
	if err := os.Chmod(run.root, 0o755); err != nil {
		return err
	}
	os.Setenv(tokenEnv, run.root)
	run.ledger, err = openLedger()
	return err
}

// prerequisites finds the binary and everything else that the tests need, and names all that is missing.
func prerequisites() error {
	run.bin = os.Getenv(binEnv)
	if run.bin == "" {
		run.bin = filepath.Join(run.repo, "bin", "uzram")
	}
	var missing []error
	var err error
	if run.bin, err = filepath.Abs(run.bin); err != nil {
		return err
	}
	if err := unix.Access(run.bin, unix.X_OK); err != nil {
		missing = append(missing, fmt.Errorf("the binary %s: %w (make build)", run.bin, err))
	}
	if os.Getuid() != 0 {
		missing = append(missing, errors.New("root: loop devices, swap and control groups need it"))
	}
	for _, name := range tools {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, fmt.Errorf("the program %s (make deps)", name))
		}
	}
	for _, path := range []string{"/dev/fuse", "/dev/loop-control", "/dev/kmsg", filepath.Join(MemoryCgroup, "memory.limit_in_bytes")} {
		if _, err := os.Stat(path); err != nil {
			missing = append(missing, err)
		}
	}
	return errors.Join(missing...)
}

// tearDown looks for leftovers, then lets the reaper go, which undoes them.
func tearDown(before map[string]int) error {
	found := append(leftovers(), lostDescriptors(before)...)
	if err := run.ledger.close(); err != nil {
		found = append(found, err)
	}
	if len(mountsBelow(run.root)) == 0 { // else this would delete what is in them
		found = append(found, os.RemoveAll(run.root))
	}
	return errors.Join(found...)
}

// moduleRoot returns the nearest directory above dir with a go.mod.
func moduleRoot(dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no go.mod above %s", dir)
		}
	}
}

// roles are what the test binary can be when it is executed again; see Role.
var roles = map[string]func(args io.Reader, out io.Writer) error{}

// playRole is the whole life of a re-executed test binary.
func playRole(name string) int {
	role, ok := roles[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no role %q\n", name)
		return 2
	}
	if err := role(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

// Role makes name a role that the test binary can play in a process of its own (see StartRole): f reads its orders and
// writes its report. To be called from an init function, so that both processes know it.
func Role(name string, f func(orders io.Reader, report io.Writer) error) { roles[name] = f }
