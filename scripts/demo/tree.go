package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// tree is the source: its directories, parents first, and its regular files.
// Everything else (links, sockets) is left out.
type tree struct {
	root  string
	dirs  []string // relative to root, without the root itself
	files []source
	bytes int64
}

type source struct {
	name string // relative to the root
	size int64
	sum  uint32
}

// castagnoli has an instruction of its own on common machines, so that summing
// does not slow down what is being timed.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// scan lists the tree and sums each file; its reads also warm the page cache,
// so that the copy that follows times the device and not the source's disk.
func scan(ctx context.Context, root string) (*tree, error) {
	t := &tree{root: root}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && rel != ".":
			t.dirs = append(t.dirs, rel)
		case d.Type().IsRegular():
			info, err := d.Info()
			if err != nil {
				return err
			}
			t.files = append(t.files, source{name: rel, size: info.Size()})
			t.bytes += info.Size()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(t.files) == 0 {
		return nil, fmt.Errorf("no files in %s", root)
	}
	bar := newBar("checksum", t.bytes)
	defer bar.close()
	buf := make([]byte, bufSize)
	for i := range t.files {
		f := &t.files[i]
		if f.sum, err = sumSource(ctx, filepath.Join(root, f.name), f.size, buf, bar); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func sumSource(ctx context.Context, path string, size int64, buf []byte, bar *bar) (uint32, error) {
	in, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	sum := crc32.New(castagnoli)
	err = pump(ctx, in, sum, size, buf, bar)
	return sum.Sum32(), err
}

const bufSize = 1 << 20

// pump moves exactly size bytes from r to w through buf.
func pump(ctx context.Context, r io.Reader, w io.Writer, size int64, buf []byte, bar *bar) error {
	r = io.LimitReader(r, size)
	for moved := int64(0); moved < size; {
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		n, err := r.Read(buf)
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		moved += int64(n)
		bar.add(n)
		if err == io.EOF && moved < size {
			return fmt.Errorf("%d bytes, expected %d: %w", moved, size, io.ErrUnexpectedEOF)
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
	return nil
}
