package mountinfo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// What every uzram mount has in the mount table.
const (
	Type   = "fuse.uzram"
	Source = "uzram"
)

// ErrNotMounted says that a directory is not the mount point of a uzram.
var ErrNotMounted = errors.New("not a uzram mount")

// Mount is one line of /proc/self/mountinfo.
type Mount struct {
	ID, Parent int
	Dev        uint64 // device number as stat gives it
	Point      string // where it is mounted, unescaped
	Options    string // those of the mount, as in "rw,nosuid"
	Type       string // file system with subtype
	Source     string // unescaped
	Super      string // options of the file system, as in "rw,user_id=0"
}

// All returns the mounts of this process's namespace in the kernel's order.
func All() ([]Mount, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parse(f)
}

// Uzram returns all uzram mounts.
func Uzram() ([]Mount, error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(m Mount) bool { return m.Type != Type }), nil
}

// Find returns the uzram mounted on dir, which must be absolute and free of symbolic links. Where several file systems are
// mounted one over the other the topmost counts. An error wraps ErrNotMounted if that is none of uzram's.
func Find(dir string) (Mount, error) {
	all, err := All()
	if err != nil {
		return Mount{}, err
	}
	if m, ok := topmost(all, dir); ok && m.Type == Type {
		return m, nil
	}
	return Mount{}, fmt.Errorf("%s: %w", dir, ErrNotMounted)
}

// At returns the mount that a path leads to, as the kernel says. It asks no file system, which may be dead.
func At(path string) (Mount, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return Mount{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd) // until then its number is not another's
	all, err := All()
	if err != nil {
		return Mount{}, err
	}
	info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return Mount{}, err
	}
	for _, m := range all {
		if strings.Contains(string(info), "mnt_id:\t"+strconv.Itoa(m.ID)+"\n") {
			return m, nil
		}
	}
	return Mount{}, fmt.Errorf("%s: %w", path, os.ErrNotExist)
}

// topmost returns the mount on dir that no other one on dir covers.
func topmost(all []Mount, dir string) (top Mount, ok bool) {
	for _, m := range all {
		if m.Point != dir {
			continue
		}
		covered := slices.ContainsFunc(all, func(o Mount) bool { return o.Point == dir && o.Parent == m.ID && o.ID != m.ID })
		if !covered {
			top, ok = m, true
		}
	}
	return top, ok
}

// parse reads the format that proc_pid_mountinfo(5) describes.
func parse(r io.Reader) ([]Mount, error) {
	var mounts []Mount
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		m, err := parseLine(sc.Text())
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, m)
	}
	return mounts, sc.Err()
}

// parseLine reads "ID parent major:minor root point options [optional ...] - type source superoptions".
func parseLine(line string) (Mount, error) {
	bad := func(what string) (Mount, error) {
		return Mount{}, fmt.Errorf("mountinfo line %q: %s", line, what)
	}
	head, tail, ok := strings.Cut(line, " - ")
	if !ok {
		return bad("no separator")
	}
	f, t := strings.Fields(head), strings.Fields(tail)
	if len(f) < 6 || len(t) < 1 {
		return bad("too few fields")
	}
	id, err1 := strconv.Atoi(f[0])
	parent, err2 := strconv.Atoi(f[1])
	dev, err3 := parseDev(f[2])
	if err := errors.Join(err1, err2, err3); err != nil {
		return bad(err.Error())
	}
	m := Mount{ID: id, Parent: parent, Dev: dev, Point: unescape(f[4]), Options: f[5], Type: t[0]}
	if len(t) > 2 { // an empty source leaves only the options
		m.Source = unescape(t[1])
	}
	if len(t) > 1 {
		m.Super = t[len(t)-1]
	}
	return m, nil
}

// parseDev reads "major:minor".
func parseDev(s string) (uint64, error) {
	maj, min, ok := strings.Cut(s, ":")
	if !ok {
		return 0, fmt.Errorf("device number %q has no colon", s)
	}
	ma, err1 := strconv.ParseUint(maj, 10, 32)
	mi, err2 := strconv.ParseUint(min, 10, 32)
	return unix.Mkdev(uint32(ma), uint32(mi)), errors.Join(err1, err2)
}

// unescape turns the kernel's \ooo (space, tab, newline, backslash, #) back into the characters.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
