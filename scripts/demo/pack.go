package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// pack stores files one after another in the image, with an index in memory: a
// disk without a file system. The image is opened for direct I/O by the daemon
// whatever the opener asks for, so no cache holds what was written.
type pack struct {
	image *os.File
	out   *bufio.Writer // collects small files to large writes
	end   int64
	index map[string]extent
}

type extent struct{ off, size int64 }

func newPack(p place, undo *undoList) (*pack, error) {
	image, err := os.OpenFile(filepath.Join(p.device(), "image"), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	undo.add(image.Close)
	return &pack{image: image, out: bufio.NewWriterSize(image, bufSize), index: make(map[string]extent)}, nil
}

func (k *pack) fits(t *tree, c config) error {
	info, err := k.image.Stat()
	if err != nil {
		return err
	}
	return checkRoom(t, c, t.bytes, info.Size())
}

func (k *pack) mkdir(string) error { return nil }

func (k *pack) create(name string) (io.WriteCloser, error) {
	return &packed{pack: k, name: name, from: k.end}, nil
}

func (k *pack) settle() error { return k.out.Flush() }

func (k *pack) open(name string) (io.ReadCloser, error) {
	e, ok := k.index[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, os.ErrNotExist)
	}
	return io.NopCloser(io.NewSectionReader(k.image, e.off, e.size)), nil
}

// packed is a file being written; it enters the index when it is closed.
type packed struct {
	pack *pack
	name string
	from int64
}

func (f *packed) Write(b []byte) (int, error) {
	n, err := f.pack.out.Write(b)
	f.pack.end += int64(n)
	return n, err
}

func (f *packed) Close() error {
	f.pack.index[f.name] = extent{f.from, f.pack.end - f.from}
	return nil
}
