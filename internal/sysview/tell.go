package sysview

import (
	"bufio"
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
)

// RunDir is the directory of the views of the mount on dir.
func RunDir(dir string) string { return filepath.Join(runDir, url.PathEscape(dir)) }

// MakeRunDir makes that directory.
func MakeRunDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(runDir), 0o755); err != nil {
		return err
	}
	return os.MkdirAll(RunDir(dir), 0o700)
}

// Tell tells each view of the mount on dir that a device was added or is being removed, and returns when all have done what
// that takes. Without a view it does nothing. A view that is gone is forgotten.
func Tell(dir, action, name string, major, minor uint32) error {
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
			_, err := say(socket, fmt.Sprintf("%s %s %d %d", action, name, major, minor))
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
