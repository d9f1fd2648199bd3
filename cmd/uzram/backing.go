package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"uzram/internal/blockfile"
	"uzram/internal/size"
)

// backing is what --backing-dev names.
type backing struct {
	path string // absolute; "" = none
	size uint64 // of the file to make if nothing is there; 0 = something must be
}

// String is what parseBacking reads as b.
func (b backing) String() string { return b.path + ":" + strconv.FormatUint(b.size, 10) }

// parseBacking reads PATH[:SIZE]. Names of devices may end in a colon and a number, so what exists is a path as a whole.
func parseBacking(text string) (b backing, err error) {
	path := text
	if _, lerr := os.Lstat(text); lerr != nil {
		if i := strings.LastIndexByte(text, ':'); i >= 0 {
			if n, serr := size.Parse(text[i+1:]); serr == nil {
				path, b.size = text[:i], n
				if n < blockfile.Block || n > math.MaxInt64 {
					return backing{}, usagef("--backing-dev %s: a file can be made from %d bytes to below 8E", text, blockfile.Block)
				}
			}
		}
	}
	if path == "" {
		return backing{}, usagef("--backing-dev needs the path of a block device or file")
	}
	b.path, err = filepath.Abs(path)
	return b, err
}

// making runs do once the file of b is there. If it was made here it goes again when do fails, or a signal comes first;
// undo removes it later on.
func (b backing) making(do func() error) (undo func(), err error) {
	undo = func() {}
	if b.size == 0 {
		return undo, do()
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	switch err := blockfile.New(b.path, b.size); {
	case err == nil:
		undo = func() { _ = os.Remove(b.path) }
	case !errors.Is(err, os.ErrExist):
		return undo, usagef("--backing-dev: %w", err)
	}
	err = do()
	select {
	case sig := <-signals:
		err = errors.Join(err, fmt.Errorf("ended by a signal: %v", sig))
	default:
	}
	if err != nil {
		undo()
	}
	return undo, err
}
