package mountinfo

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"uzram/internal/loopdev"

	"golang.org/x/sys/unix"
)

// TestHolders uses a tmpfs with a file named image, which to /proc looks as a uzram mount does. It needs root.
func TestHolders(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("uzram", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, unix.Unmount(dir, 0)) })
	img := filepath.Join(dir, "image")
	check(t, os.WriteFile(img, make([]byte, 1<<20), 0o600))
	expect := func(loop string, ignore []int, want ...string) {
		t.Helper()
		q := Search{Dir: dir, Ignore: ignore}
		if loop != "" {
			q.Loops = []string{loop}
		}
		if got := q.Holders(); !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", q, got, want)
		}
	}
	expect("", nil)

	own, err := loopdev.Attach(img, 4096)
	check(t, err)
	t.Cleanup(func() { check(t, own.Detach()) })
	expect(own.Path(), nil)
	expect("", nil, fmt.Sprintf("%s is attached to %s", own.Path(), img))

	reader, worker := sleeper(t, "", img), sleeper(t, dir, "")
	reads := fmt.Sprintf("process %d (cat) has %s open", reader, img)
	works := fmt.Sprintf("process %d (cat) works in %s", worker, dir)
	expect(own.Path(), []int{worker}, reads)
	expect(own.Path(), []int{reader}, works)
	expect(own.Path(), []int{reader, worker})
	opener := sleeper(t, "", own.Path())
	expect(own.Path(), []int{reader, worker}, fmt.Sprintf("process %d (cat) has %s open", opener, own.Path()))
}

// sleeper starts a process in dir that has a file open as its third descriptor and ends with the test.
func sleeper(t *testing.T, dir, file string) int {
	t.Helper()
	cmd := exec.Command("cat")
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	check(t, err)
	if file != "" {
		f, err := os.Open(file)
		check(t, err)
		defer f.Close()
		cmd.ExtraFiles = []*os.File{f}
	}
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	// The command runs, and has left this program's descriptors behind, once it answers.
	_, err = in.Write([]byte("x"))
	check(t, err)
	_, err = io.ReadFull(out, make([]byte, 1))
	check(t, err)
	return cmd.Process.Pid
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSwapsOn(t *testing.T) {
	const swaps = `Filename				Type		Size		Used		Priority
/dev/loop1                              partition	1048572		0		100
/dev/loop10                             partition	1048572		0		100
/dev/loop2p3                            partition	1048572		0		100
/dev/loop2part                          partition	1048572		0		100
`
	for disk, want := range map[string][]string{
		"/dev/loop1": {"/dev/loop1"}, "/dev/loop2": {"/dev/loop2p3"}, "/dev/loop3": nil, "/dev/loop10": {"/dev/loop10"},
	} {
		if got := swapsOn(swaps, disk); !slices.Equal(got, want) {
			t.Errorf("swapsOn(%s) = %q, want %q", disk, got, want)
		}
	}
}
