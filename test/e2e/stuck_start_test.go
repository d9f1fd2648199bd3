package e2e

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"uzram/test/harness"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

func init() { harness.Role("stall", stall) }

// stall mounts a file system with one file, which takes for ever to be opened, on the directory that its orders name. It ends
// with its standard output.
func stall(in io.Reader, out io.Writer) error {
	dir, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	root := &stallRoot{out: out}
	server, err := fs.Mount(string(dir), root, &fs.Options{MountOptions: fuse.MountOptions{DirectMount: true}})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "mounted")
	server.Wait()
	return nil
}

type stallRoot struct {
	fs.Inode
	out io.Writer
}

func (r *stallRoot) OnAdd(ctx context.Context) {
	r.AddChild("backing", r.NewPersistentInode(ctx, &stallFile{out: r.out}, fs.StableAttr{Mode: syscall.S_IFREG}), false)
}

type stallFile struct {
	fs.Inode
	out io.Writer
}

func (f *stallFile) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size = 0o600, 1<<24
	return 0
}

func (f *stallFile) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	fmt.Fprintln(f.out, "opening")
	select {}
}

// TestStuckStart: a worker is killed while a thread of it waits in the kernel, and the mount is not set up yet. Whoever started
// it is told, and all is taken down, though the dead process stays until the kernel has what it waits for.
func TestStuckStart(t *testing.T) {
	for _, detach := range []bool{true, false} {
		t.Run(fmt.Sprintf("detach %v", detach), func(t *testing.T) { stuckStart(t, detach) })
	}
}

func stuckStart(t *testing.T, detach bool) {
	root := harness.Dir(t)
	dir, other := filepath.Join(root, "dev"), filepath.Join(root, "stall")
	for _, d := range []string{dir, other} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
		harness.Undo(t, "mount", d)
	}
	server := harness.StartRole(t, "stall", other)
	if line := server.Stdout.Line(t, patience); line != "mounted" {
		t.Fatalf("the other file system says %q", line)
	}
	args := []string{harness.Bin(), "mount", "--loop", "--backing-dev", filepath.Join(other, "backing"), "--disksize", "16M", dir}
	if detach {
		args = append(args[:2:2], append([]string{"--detach", "--log", filepath.Join(root, "log")}, args[2:]...)...)
	}
	mount := harness.Start(t, args...)
	if line := server.Stdout.Line(t, patience); line != "opening" {
		t.Fatalf("the other file system says %q", line)
	}
	worker := workerOf(dir)
	if err := unix.Kill(worker, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	soon(t, "the mount is taken down", func() bool {
		text, err := os.ReadFile("/proc/self/mounts")
		return err == nil && !strings.Contains(string(text), " "+dir+" ")
	})
	if code, stderr := mount.Wait(t, patience); code != 1 || strings.Count(stderr, "uzram: ") != 1 {
		t.Errorf("status %d, %q; want 1 and one sentence", code, stderr)
	}
	soon(t, "nobody is left but the dead one", func() bool {
		all := servants(dir)
		return len(all) == 0 || len(all) == 1 && all[0] == worker
	})
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", worker)); err != nil {
		t.Error("the worker was gone before it could be stuck")
	}
	server.Signal(t, unix.SIGKILL)
	server.Wait(t, patience)
	if !harness.WaitGone(worker, patience) {
		t.Error("the dead worker stays")
	}
}
