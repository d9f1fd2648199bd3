package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// version makes a program that behaves in another way: the test binary by another name.
func (s *scene) version(name string, b behaviour) (path string) {
	s.t.Helper()
	path = filepath.Join(s.dir, name)
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	in, err := os.Open(exe)
	if err != nil {
		s.t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o700)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		s.t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		s.t.Fatal(err)
	}
	b.Name = name
	text, err := json.Marshal(b)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path+".json", text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// TestUpgrade: back and forth between two programs, with and without a standby; what comes after a death is the new one too,
// even if the file has been removed meanwhile.
func TestUpgrade(t *testing.T) {
	for name, standby := range manners {
		t.Run(name, func(t *testing.T) {
			s := begin(t, plan{Standby: standby, Deaths: -1})
			l := s.connect(0)
			l.want("hold a 1", "held")
			formats := Formats{Min: 1, Max: 2, Makes: 2}
			paths := []string{s.version("new", behaviour{Formats: formats}), s.version("newer", behaviour{Formats: Formats{Min: 2, Max: 3, Makes: 3}})}
			for round := range 6 {
				l.want(fmt.Sprintf("upgrade token%d %s", round, paths[round%2]), "upgraded")
				l = s.connect(l.pid)
				l.want("list", fmt.Sprintf("false%s [a=1]", filepath.Base(paths[round%2])))
				if st := l.state(); st.Refused != "" || st.Takeovers != uint64(round+1) {
					t.Errorf("state %+v after %d upgrades", st, round+1)
				}
			}
			if err := os.Remove(paths[1]); err != nil {
				t.Fatal(err)
			}
			l.kill()
			s.connect(l.pid).want("list", "falsenewer [a=1]")
			if strings.Contains(s.text(), "worker died") && strings.Count(s.text(), "worker died") != 1 {
				t.Error("an upgrade is logged as a death")
			}
		})
	}
}

// TestUpgrade_Again: a request that is made again, by the successor, does nothing and is answered.
func TestUpgrade_Again(t *testing.T) {
	s := begin(t, plan{Standby: true})
	path := s.version("new", behaviour{Formats: Formats{Min: 1, Max: 2, Makes: 2}})
	l := s.connect(0)
	l.want("upgrade same "+path, "upgraded")
	l = s.connect(l.pid)
	l.want("upgrade same "+path, "upgraded")
	l.want("upgrade other "+s.version("none", behaviour{Fails: "start"}), "error: "+s.dir+"/none: it ended before it was ready: exit status 3: invalid argument")
	if st := l.state(); st.Takeovers != 1 {
		t.Errorf("%d take-overs", st.Takeovers)
	}
}

// TestUpgrade_Refused: whatever is wrong with the new program, the old one goes on, says why, and can still be taken over.
func TestUpgrade_Refused(t *testing.T) {
	s := begin(t, plan{Standby: true, Deaths: -1})
	text := filepath.Join(s.dir, "text")
	if err := os.WriteFile(text, []byte("no program"), 0o700); err != nil {
		t.Fatal(err)
	}
	open := s.version("open", behaviour{Formats: Formats{Min: 1, Max: 2, Makes: 2}})
	if err := os.Chmod(open, 0o722); err != nil {
		t.Fatal(err)
	}
	l := s.connect(0)
	l.want("hold a 1", "held")
	for _, c := range []struct{ path, says string }{
		{open, "its group or others may write to it"},
		{s.dir, "it is not a regular file"},
		{text, "exec format error"},
		{s.version("older", behaviour{Formats: Formats{Min: 1, Max: 1, Makes: 1}}), "formats 1 to 1, and this mount has 2"},
		{s.version("newest", behaviour{Formats: Formats{Min: 3, Max: 4, Makes: 4}}), "formats 3 to 4, and this mount has 2"},
		{s.version("broken", behaviour{Fails: "start"}), "it ended before it was ready: exit status 3"},
	} {
		got := l.try("upgrade " + filepath.Base(c.path) + " " + c.path)
		if !strings.Contains(got, c.says) || strings.Contains(got, "\n") {
			t.Errorf("%s: %q, want %q", c.path, got, c.says)
		}
		l.want("list", "true [a=1]")
		if st := l.state(); !strings.Contains(st.Refused, c.says) {
			t.Errorf("%s: state says %q, want %q", c.path, st.Refused, c.says)
		}
	}
	l.stands()
	l.kill()
	s.connect(l.pid).want("list", "false [a=1]")
}

// TestDistrust: a program is root's or the keeper's user's, and nobody else may write to it.
func TestDistrust(t *testing.T) {
	name := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(name, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mode  os.FileMode
		owner int
		says  string
	}{
		{0o755, os.Geteuid(), ""}, {0o775, os.Geteuid(), "write"}, {0o757, os.Geteuid(), "write"}, {0o755, 12345, "user 12345"},
	} {
		if c.owner != os.Geteuid() && os.Geteuid() != 0 {
			continue // nobody but root gives files away
		}
		if err := errors.Join(os.Chown(name, c.owner, -1), os.Chmod(name, c.mode)); err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if why := distrust(fd); (why == "") != (c.says == "") || !strings.Contains(why, c.says) {
			t.Errorf("%o of %d: %q, want %q", c.mode, c.owner, why, c.says)
		}
		unix.Close(fd)
	}
}

// TestUpgrade_FailsLate: a program that dies when it has been told to go leaves the work to the old one.
func TestUpgrade_FailsLate(t *testing.T) {
	for name, standby := range manners {
		t.Run(name, func(t *testing.T) {
			s := begin(t, plan{Standby: standby})
			bad := s.version("bad", behaviour{Formats: Formats{Min: 1, Max: 2, Makes: 2}, Fails: "serve"})
			l := s.connect(0)
			l.want("hold a 1", "held")
			l.want("upgrade t "+bad, "upgraded")
			l = s.connect(l.pid)
			l.want("list", "false [a=1]")
			if st := l.state(); !strings.Contains(st.Refused, "could not take over: exit status 5") {
				t.Errorf("state says %q", st.Refused)
			}
		})
	}
}

// TestUpgrade_WorkerDies: a worker that dies while the new program starts is taken over by the standby as ever, and the
// request made again is answered by the same upgrade or another.
func TestUpgrade_WorkerDies(t *testing.T) {
	s := begin(t, plan{Standby: true, Deaths: -1})
	path := s.version("new", behaviour{Formats: Formats{Min: 1, Max: 2, Makes: 2}})
	l := s.connect(0)
	l.want("hold a 1", "held")
	l.stands()
	fmt.Fprintln(l.conn, "upgrade t "+path)
	time.Sleep(time.Millisecond)
	_ = unix.Kill(l.pid, unix.SIGKILL)
	l = s.connect(l.pid)
	l.try("upgrade t " + path)
	s.within("the upgrade", func() bool {
		l = s.connect(0)
		got := l.try("list")
		if got == "false [a=1]" {
			l.try("upgrade t " + path)
		}
		return got == "falsenew [a=1]"
	})
}

// TestUpgrade_Retires: the old worker goes on until it says that nothing is under way.
func TestUpgrade_Retires(t *testing.T) {
	for name, standby := range manners {
		t.Run(name, func(t *testing.T) {
			s := begin(t, plan{Standby: standby, Deaths: -1, Worker: behaviour{Stays: true}})
			path := s.version("new", behaviour{Formats: Formats{Min: 1, Max: 2, Makes: 2}})
			l := s.connect(0)
			l.want("upgrade t "+path, "upgraded")
			l.want("told", "retire")
			l.want("hold a 1", "held")
			l.want("list", "true [a=1]")
			l.try("retired") // it may be killed before it can answer
			l = s.connect(l.pid)
			l.want("list", "falsenew [a=1]")
			if st := l.state(); st.Takeovers != 1 || strings.Contains(s.text(), "worker died") {
				t.Errorf("%+v, or the end of the old one is logged as a death", st)
			}
		})
	}
}

// TestUpgrade_DiesMeanwhile: the old worker is told to go on if the new program dies before its turn comes, and what it says
// later of that order counts for nothing.
func TestUpgrade_DiesMeanwhile(t *testing.T) {
	for name, standby := range manners {
		t.Run(name, func(t *testing.T) {
			s := begin(t, plan{Standby: standby, Deaths: -1, Worker: behaviour{Stays: true}})
			path := s.version("new", behaviour{Formats: Formats{Min: 1, Max: 2, Makes: 2}})
			l := s.connect(0)
			l.want("hold a 1", "held")
			if standby {
				l.stands()
			}
			l.want("upgrade t "+path, "upgraded")
			s.killBut(l.pid)
			s.within("the refusal", func() bool { return l.state().Refused != "" })
			l.want("told", "retire")
			l.want("retired", "retired")
			l.want("told", "resume")
			l.want("list", "true [a=1]")
			l.want("upgrade u "+path, "upgraded")
			l.want("told", "retire")
			l.want("list", "true [a=1]")
			l.try("retired") // it may be killed before it can answer
			s.connect(l.pid).want("list", "falsenew [a=1]")
		})
	}
}

// killBut kills all children but one.
func (s *scene) killBut(pid int) {
	s.t.Helper()
	for _, other := range s.children() {
		if other != pid {
			_ = unix.Kill(other, unix.SIGKILL)
		}
	}
}
