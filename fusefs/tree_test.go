package fusefs

import (
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"uzram/internal/zramabi"
	"uzram/store"
)

func TestNodeIDs(t *testing.T) {
	seen := map[uint64]string{
		dirRow: "directory", imageRow: "image", debugRow: "debug", queueRow: "queue", holdersRow: "holders", slavesRow: "slaves",
		subsystemRow: "subsystem",
	}
	for _, r := range slices.Concat(deviceRows, blockRows, debugRows, queueRows(nil)) {
		if other, ok := seen[r.id]; ok || r.id >= 1<<rowBits {
			t.Errorf("id %d of %s: taken by %q", r.id, r.abi.Name, other)
		}
		seen[r.id] = r.abi.Name
	}
	for _, c := range []struct{ device, row uint64 }{{0, imageRow}, {0, 255}, {7, 16}, {1 << 40, debugRow}} {
		if d, r := splitNodeID(nodeID(c.device, c.row)); d != c.device || r != c.row {
			t.Errorf("%+v comes back as %d, %d", c, d, r)
		}
	}
	if d, r := splitNodeID(rootID); d == 0 && r == imageRow {
		t.Error("the root passes for an image")
	}
}

func TestRowsFollowTheABI(t *testing.T) {
	names := func(attrs []zramabi.Attr) (n []string) {
		for _, a := range attrs {
			n = append(n, a.Name)
		}
		return n
	}
	rowNames := func(rows []row) (n []string) {
		for _, r := range rows {
			n = append(n, r.abi.Name)
			if r.open != nil {
				continue
			}
			if (r.show != nil) != r.abi.Readable() || (r.store != nil || r.once != nil) != r.abi.Writable() {
				t.Errorf("%s: mode %o does not fit what it does", r.abi.Name, r.abi.Mode)
			}
		}
		return n
	}
	if got, want := rowNames(deviceRows), names(zramabi.Device); !reflect.DeepEqual(got, want) {
		t.Errorf("attributes %v, want %v", got, want)
	}
	if got, want := rowNames(blockRows), names(zramabi.Block); !reflect.DeepEqual(got, want) {
		t.Errorf("files of the block layer %v, want %v", got, want)
	}
	if got, want := rowNames(debugRows), names(zramabi.Debug); !reflect.DeepEqual(got, want) {
		t.Errorf("debug files %v, want %v", got, want)
	}
}

// Each field of store.Stats is shown exactly once, under its name.
func TestStatusShowsEveryFigure(t *testing.T) {
	var s store.Stats
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		v.Field(i).SetUint(uint64(i) + 1000)
	}
	shown := map[uint64]string{}
	for _, f := range figures {
		shown[f.get(&s)] = f.name
	}
	for i := range v.NumField() {
		field := v.Type().Field(i).Name
		name := shown[uint64(i)+1000]
		if strings.ReplaceAll(name, "_", "") != strings.ToLower(field) {
			t.Errorf("store.Stats.%s is shown as %q", field, name)
		}
	}
	if len(figures) != v.NumField() {
		t.Errorf("%d figures for %d fields", len(figures), v.NumField())
	}
}

func TestMount_LooksLikeSysfs(t *testing.T) {
	s := mountedHere(t)
	want := map[string]os.FileMode{"image": 0o600, "subsystem": 0o777 | os.ModeSymlink}
	size := map[string]int64{"subsystem": int64(len(subsystemTarget))}
	for _, dir := range []string{"debug", "queue", "holders", "slaves"} {
		want[dir] = 0o755 | os.ModeDir
	}
	for _, q := range queueRows(shownHere().queue) {
		want["queue/"+q.abi.Name], size["queue/"+q.abi.Name] = os.FileMode(q.abi.Mode), zramabi.MaxWrite
	}
	shown := shownHere().device
	for _, a := range slices.Concat(zramabi.Device, zramabi.Block) {
		if _, ok := shown[a.Name]; !ok && shown != nil && optional[a.Name] {
			continue
		}
		want[a.Name], size[a.Name] = os.FileMode(a.Mode), zramabi.MaxWrite
	}
	for _, a := range zramabi.Debug {
		want["debug/"+a.Name] = os.FileMode(a.Mode)
	}
	for name, mode := range want {
		st, err := os.Lstat(s.path(name))
		if err != nil {
			t.Error(err)
			continue
		}
		if st.Mode() != mode || st.Size() != size[name] {
			t.Errorf("%s: %v, %d bytes; want %v, %d", name, st.Mode(), st.Size(), mode, size[name])
		}
	}
	var listed []string
	for _, sub := range []string{"", "debug/", "queue/", "holders/"} {
		entries, err := os.ReadDir(s.path(sub))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			listed = append(listed, sub+e.Name())
		}
	}
	for _, name := range listed {
		if _, ok := want[name]; !ok {
			t.Errorf("unexpected file %s", name)
		}
	}
	if len(listed) != len(want) {
		t.Errorf("%d files listed, want %d", len(listed), len(want))
	}
	var st unix.Statfs_t
	if err := unix.Statfs(s.path("image"), &st); err != nil || st.Bsize != 4096 || st.Frsize != 4096 {
		t.Errorf("statfs: %v, %+v", err, st)
	}
}

func TestMount_ContentsAreFixed(t *testing.T) {
	s := mountedHere(t)
	for _, dir := range []string{"", "debug/"} {
		file, fresh := s.path("disksize"), s.path(dir+"new")
		for what, c := range map[string]struct {
			do   func() error
			want syscall.Errno
		}{
			"create":  {func() error { _, err := unix.Open(fresh, unix.O_CREAT|unix.O_WRONLY, 0o644); return err }, unix.EACCES},
			"mkdir":   {func() error { return unix.Mkdir(fresh, 0o755) }, unix.EPERM},
			"mknod":   {func() error { return unix.Mknod(fresh, unix.S_IFIFO|0o644, 0) }, unix.EPERM},
			"symlink": {func() error { return unix.Symlink("a", fresh) }, unix.EPERM},
			"link":    {func() error { return unix.Link(file, fresh) }, unix.EPERM},
			"rename":  {func() error { return unix.Rename(file, fresh) }, unix.EPERM},
			"unlink":  {func() error { return unix.Unlink(file) }, unix.EPERM},
			"rmdir":   {func() error { return unix.Rmdir(s.path("debug")) }, unix.EPERM},
			"chmod":   {func() error { return unix.Chmod(file, 0o600) }, unix.EPERM},
			"chown":   {func() error { return unix.Chown(file, 1, 1) }, unix.EPERM},
			"utimes":  {func() error { return unix.Utimes(file, []unix.Timeval{{Sec: 1}, {Sec: 1}}) }, 0},
			"trunc":   {func() error { return unix.Truncate(file, 10) }, 0},
			"fsync":   {func() error { fd := s.open(dir, unix.O_RDONLY); defer unix.Close(fd); return unix.Fsync(fd) }, 0},
		} {
			if err := c.do(); errnoOf(err) != c.want {
				t.Errorf("%s in %q: %v, want %v", what, dir, err, c.want)
			}
		}
	}
}

func TestErrnoOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want syscall.Errno
	}{
		{nil, 0},
		{store.ErrInUse, syscall.EBUSY},
		{syscall.ENOSPC, syscall.ENOSPC},
		{errors.New("plain"), syscall.EIO},
		{syscall.Errno(0), syscall.EIO},
	} {
		if got := errnoOf(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
