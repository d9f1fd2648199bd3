package sysview

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// What a view needs outside of itself, such as a directory to mount on, all views share: it is noted here by the first that
// needs it, and removed by the last.
const madeDir = runDir + "/made"

// makeDirs makes a directory and those above it.
func makeDirs(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return nil
	}
	if err := makeDirs(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.MkdirAll(madeDir, 0o700); err != nil {
		return err
	}
	note := filepath.Join(madeDir, url.PathEscape(dir))
	if err := os.WriteFile(note, nil, 0o600); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// removeDirs removes the directories that views have made, unless there is another view or something in them. own is the
// socket of the view that goes.
func removeDirs(own string) {
	views, _ := filepath.Glob(filepath.Join(runDir, "*", "*"+socketSuffix))
	if slices.ContainsFunc(views, func(socket string) bool { return socket != own && listening(socket) }) {
		return
	}
	notes, _ := os.ReadDir(madeDir)
	for _, n := range slices.Backward(notes) { // sorted: what is inside comes after
		dir, err := url.PathUnescape(n.Name())
		if err == nil && errors.Is(os.Remove(dir), unix.EBUSY) {
			continue // a view in this namespace that nobody tells of devices
		}
		os.Remove(filepath.Join(madeDir, n.Name()))
	}
	os.Remove(madeDir)
}
