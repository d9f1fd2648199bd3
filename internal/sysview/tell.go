package sysview

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// DefaultDir is where the mount is that is looked at unless another one is named.
	DefaultDir = "/run/uzram/zram"

	// runDir has a directory for each mount that is looked at, with a socket for each of its views.
	runDir = "/run/uzram/views"

	// tellTimeout is how long a view may take.
	tellTimeout = 10 * time.Second

	socketSuffix = ".view"
	systemSocket = "system" + socketSuffix
)

// Actions that a view is told.
const (
	ActionAdd    = "add"
	ActionRemove = "remove"
	actionStop   = "stop"
	actionLeave  = "leave"
)

// longestName is that of a directory whose sockets have names that the kernel takes.
const longestName = len(unix.RawSockaddrUnix{}.Path) - 1 - len(runDir+"/"+"/4194304"+socketSuffix)

// nameFile says in the directory of a mount with a long name which one that is.
const nameFile = "dir"

// RunDir is the directory of the views of the mount on dir.
func RunDir(dir string) string {
	name := url.PathEscape(dir)
	if len(name) > longestName {
		name = fmt.Sprintf("#%x", sha256.Sum224([]byte(dir))) // # is no character of the others
	}
	return filepath.Join(runDir, name)
}

// dirOf is the mount whose views have the directory run.
func dirOf(run string) string {
	if text, err := os.ReadFile(filepath.Join(run, nameFile)); err == nil {
		return string(text)
	}
	dir, _ := url.PathUnescape(filepath.Base(run))
	return dir
}

// RemoveRunDir removes that directory, unless a view is in it.
func RemoveRunDir(dir string) {
	run := RunDir(dir)
	if entries, err := os.ReadDir(run); err == nil && len(entries) == 1 {
		os.Remove(filepath.Join(run, nameFile))
	}
	os.Remove(run)
}

// MakeRunDir makes that directory.
func MakeRunDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(runDir), 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(RunDir(dir), 0o700); err != nil || dirOf(RunDir(dir)) == dir {
		return err
	}
	return os.WriteFile(filepath.Join(RunDir(dir), nameFile), []byte(dir), 0o600)
}

// Tell tells each view of the mount on dir that a device was added or is being removed, and returns when all have done what
// that takes. Without a view it does nothing. A view that is gone is forgotten.
func Tell(dir, action, name string, major, minor uint32) error {
	return tellAll(dir, fmt.Sprintf("%s %s %d %d", action, name, major, minor))
}

// TellLeave tells each view of the mount on dir that the mount goes, with all of its devices.
func TellLeave(dir string) error { return tellAll(dir, actionLeave) }

func tellAll(dir, order string) error {
	entries, err := os.ReadDir(RunDir(dir))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	var errs []error
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), socketSuffix) {
			socket := filepath.Join(RunDir(dir), e.Name())
			_, err := say(socket, order)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Stop has the view for the whole machine taken down, if its process lives; told says whether it did.
func Stop(dir string) (told bool, err error) {
	return say(filepath.Join(RunDir(dir), systemSocket), actionStop)
}

// Viewers says in plain words who sees the mount on dir in a view.
func Viewers(dir string) (who []string) {
	sockets, _ := filepath.Glob(filepath.Join(escapeGlob(RunDir(dir)), "*"+socketSuffix))
	for _, socket := range sockets {
		name := strings.TrimSuffix(filepath.Base(socket), socketSuffix)
		switch {
		case !listening(socket):
		case filepath.Base(socket) == systemSocket:
			who = append(who, "its devices are the whole machine's zram until uzram sysfs --undo")
		default:
			who = append(who, "process "+name+" shows its devices as zram, for uzram sysfs")
		}
	}
	return who
}

// escapeGlob makes a pattern that matches only that path.
func escapeGlob(path string) string {
	return strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`).Replace(path)
}

// listening says whether a view is behind a socket.
func listening(socket string) bool {
	conn, err := net.DialTimeout("unix", socket, tellTimeout)
	if err == nil {
		conn.Close()
	}
	return !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, unix.ENOENT)
}

// say gives one order to a view and waits for its answer. A socket that nobody listens at is removed.
func say(socket, order string) (done bool, err error) {
	conn, err := net.DialTimeout("unix", socket, tellTimeout)
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		os.Remove(socket)
		return false, nil
	case errors.Is(err, unix.ENOENT):
		return false, nil
	case err != nil:
		return false, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(tellTimeout)); err != nil {
		return false, err
	}
	if _, err := io.WriteString(conn, order+"\n"); err != nil {
		return false, ignoreEnd(err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return false, ignoreEnd(err)
	}
	if text := strings.TrimSpace(answer); text != answerDone {
		return false, fmt.Errorf("view %s: %s", filepath.Base(socket), text)
	}
	return true, nil
}

// ignoreEnd is for a view that ended while it was spoken to.
func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return nil
	}
	return fmt.Errorf("a view does not answer: %w", err)
}
