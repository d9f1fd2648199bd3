package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/mountinfo"
	"uzram/internal/sysview"

	"golang.org/x/sys/unix"
)

// session is the use of a mount by a view. While there is one, the mount that it made is not taken down by another.
type session struct {
	dir  string
	lock *os.File
}

// madeMark is in the directory of a mount's views if the first of them made the mount.
const madeMark = "made"

// openSession begins the use of the mount on dir. If dir is the default and nothing is mounted there, it is mounted.
func openSession(dir string) (*session, error) {
	run := sysview.RunDir(dir)
	if err := sysview.MakeRunDir(dir); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(run, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	s := &session{dir, f}
	for {
		if err = s.flock(unix.LOCK_SH); err != nil {
			break
		}
		if s.stale() {
			f.Close()
			return openSession(dir)
		}
		if err = s.usable(); !errors.Is(err, mountinfo.ErrNotMounted) || dir != sysview.DefaultDir {
			break
		}
		if err = s.flock(unix.LOCK_EX); err != nil { // which gives the other one up first, so look again
			break
		}
		if err = s.usable(); errors.Is(err, mountinfo.ErrNotMounted) {
			err = s.mount()
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		return s, nil
	}
	f.Close()
	return nil, err
}

// joinSession begins the use of what may be left of the mount on dir, and mounts nothing. There is none if no view of it ever was.
func joinSession(dir string) (*session, error) {
	f, err := os.OpenFile(filepath.Join(sysview.RunDir(dir), "lock"), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &session{dir, f}
	if err := s.flock(unix.LOCK_SH); err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

func (s *session) flock(how int) error {
	for {
		if err := unix.Flock(int(s.lock.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

// stale says that the lock was removed with the last session.
func (s *session) stale() bool {
	var st unix.Stat_t
	return unix.Fstat(int(s.lock.Fd()), &st) == nil && st.Nlink == 0
}

// usable says whether there is a mount of many devices.
func (s *session) usable() error {
	m, err := mountinfo.Find(s.dir)
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Split(m.Super, ","), "user_id=0") { // who could make anything of what root would see
		return notRoots(s.dir)
	}
	if err := unix.Access(filepath.Join(s.dir, hotAdd), unix.F_OK); err != nil {
		if isDead(err) {
			return deadOr(s.dir, err)
		}
		return fmt.Errorf("the uzram on %s has one device only, not many", s.dir)
	}
	return nil
}

func notRoots(dir string) error {
	return usagef("%s is another user's mount; accepted is one that root has made", dir)
}

// mount makes the mount.
func (s *session) mount() error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	var stderr strings.Builder
	cmd := exec.Command(exe, "mount", "--multi", "--loop", "--detach", "--devices", "1", s.dir)
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return childError(err, stderr.String())
	}
	return os.WriteFile(s.mark(), nil, 0o600)
}

func (s *session) mark() string { return filepath.Join(sysview.RunDir(s.dir), madeMark) }

// end ends the use. A mount that a view made goes with the last of them, if nothing is set up in it.
func (s *session) end() error {
	defer s.lock.Close()
	if err := s.flock(unix.LOCK_EX | unix.LOCK_NB); err != nil || s.stale() {
		return nil // there are others, or were
	}
	stays, err := s.takeDown()
	if err != nil || stays {
		return err
	}
	os.Remove(s.lock.Name())
	sysview.RemoveRunDir(s.dir)
	return nil
}

// takeDown takes the mount down if a view made it and nothing is set up in it. stays means that it is for the next to look.
func (s *session) takeDown() (stays bool, err error) {
	if _, err := os.Lstat(s.mark()); err != nil {
		return false, nil
	}
	if _, err := mountinfo.Find(s.dir); err == nil {
		used, err := anySetUp(s.dir)
		if err != nil && !isDead(err) { // of a dead one nothing can be used
			return true, err
		}
		if used {
			return true, nil
		}
		err = umount(s.dir)
		if errors.Is(err, unix.EBUSY) {
			return true, nil
		}
		if err != nil {
			return true, err
		}
	}
	os.Remove(s.dir)
	return false, os.Remove(s.mark())
}

// anySetUp says whether a device of a mount has a size.
func anySetUp(dir string) (bool, error) {
	numbers, err := numbersIn(filepath.Join(dir, blockDir))
	if err != nil {
		return false, err
	}
	for _, n := range numbers {
		text, err := ctldir.Open(filepath.Join(dir, blockDir, deviceName(n))).Read("initstate")
		if err != nil {
			return false, err
		}
		if strings.TrimSpace(text) != "0" {
			return true, nil
		}
	}
	return false, nil
}
