package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"uzram/internal/ctldir"
	"uzram/internal/size"
	"uzram/internal/snapshot"
	"uzram/internal/zramabi"

	"golang.org/x/sys/unix"
)

// streamPiece is how much is read from and written to a control file at a time.
const streamPiece = 1 << 20

// saveSnapshot saves the disk that is mounted on dir, called name by the user. After an error there is no new file.
func saveSnapshot(name, dir, target string, stdout, stderr io.Writer) error {
	if _, err := needSetUp(name, ctldir.Open(dir)); err != nil {
		return err
	}
	if err := checkTarget(target); err != nil {
		return err
	}
	start := time.Now()
	from, err := os.Open(filepath.Join(dir, "debug/snapshot"))
	if err != nil {
		return deadOr(name, err)
	}
	defer from.Close()
	h, bytes, err := saveTo(target, from, pagesInUse(dir), stderr)
	if err != nil {
		return fmt.Errorf("%s is not saved: %w", name, err)
	}
	_, err = fmt.Fprintf(stdout, "%s: %s saved to %s, which takes %s, in %s\n",
		name, plural(h.Pages), target, size.Format(bytes), roundTime(time.Since(start)))
	return err
}

// checkTarget refuses what the new file cannot take the place of.
func checkTarget(target string) error {
	switch st, err := os.Stat(target); {
	case target == "":
		return usagef("snapshot save: the name of the file is empty")
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return usagef("%s exists and is not an ordinary file", target)
	}
	if st, err := os.Stat(filepath.Dir(target)); err != nil || !st.IsDir() {
		return usagef("there is no directory %s; make it first", filepath.Dir(target))
	}
	return nil
}

// pagesInUse is about how many pages will be saved, 0 if it is not known.
func pagesInUse(dir string) uint64 {
	text, err := ctldir.Open(dir).Read("mm_stat")
	if err != nil {
		return 0
	}
	mm, err := zramabi.ParseMMStat(text)
	if err != nil {
		return 0
	}
	return mm.OrigDataSize / pageSize
}

// saveTo writes the file as a whole or not at all, and checks what goes through its hands.
func saveTo(target string, from io.Reader, pages uint64, stderr io.Writer) (h snapshot.Head, bytes uint64, err error) {
	// Before there is a file, or a signal could leave it behind.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	f, err := os.CreateTemp(filepath.Dir(target), ".uzram-snapshot-*") // mode 0600: it holds all that the disk holds
	if err != nil {
		return h, 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	progress := newBar(stderr, "save", pages)
	out := bufio.NewWriterSize(f, streamPiece)
	in := io.TeeReader(bufio.NewReaderSize(&snapshotSource{from, signals}, streamPiece), out)
	h, err = snapshot.Verify(in, progress.set)
	progress.clear()
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	st, serr := f.Stat()
	if err = errors.Join(err, serr, f.Close()); err != nil {
		return h, 0, err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return h, 0, err
	}
	return h, uint64(st.Size()), syncDir(filepath.Dir(target))
}

// syncDir makes the names in a directory last.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, unix.EINVAL) { // not on this file system
		err = nil
	}
	return errors.Join(err, d.Close())
}

// snapshotSource is debug/snapshot, until the user has had enough.
type snapshotSource struct {
	io.Reader
	signals <-chan os.Signal
}

func (s *snapshotSource) Read(p []byte) (int, error) {
	select {
	case <-s.signals:
		return 0, errInterrupted
	default:
	}
	n, err := s.Reader.Read(p)
	switch {
	case errors.Is(err, unix.ENOSPC):
		err = errors.New("too much of the disk was changed meanwhile; try again when there is less to do")
	case errors.Is(err, unix.EBUSY):
		err = withCode(exitBusy, errors.New("another snapshot of it is being taken"))
	case errors.Is(err, unix.ENOTCONN), errors.Is(err, unix.ECONNABORTED):
		err = errors.New("its daemon ended")
	}
	return n, err
}
