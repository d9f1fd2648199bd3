package dictionary

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// ErrNoFile says that something has no contents to look at in any order.
var ErrNoFile = errors.New("neither a file nor a block device")

// fileSource is a file, cut in pages; what is left at its end is not looked at.
type fileSource struct {
	*file
	size int64 // bytes
}

// OpenFile returns an ordinary file or a block device as a source.
func OpenFile(name string) (Source, error) {
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if kind := st.Mode & unix.S_IFMT; kind != unix.S_IFREG && kind != unix.S_IFBLK { // a pipe would have us wait
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrNoFile}
	}
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	size, err := unix.Seek(f.fd, 0, unix.SEEK_END)
	if err != nil {
		return nil, errors.Join(&fs.PathError{Op: "seek", Path: name, Err: err}, f.Close())
	}
	return &fileSource{f, size}, nil
}

// Walk leaves out what the file system knows to be holes.
func (f *fileSource) Walk(yield func(Place)) error {
	whole := f.size / pageSize
	for page := int64(0); page < whole; {
		data, err := unix.Seek(f.fd, page*pageSize, unix.SEEK_DATA)
		if err == unix.ENXIO {
			return nil
		}
		end := f.size
		if err == nil {
			end, err = unix.Seek(f.fd, data, unix.SEEK_HOLE)
		}
		if err != nil { // holes are not known here
			data, end = page*pageSize, f.size
		}
		page = max(page, data/pageSize)
		for last := min(whole, (end+pageSize-1)/pageSize); page < last; page++ {
			yield(Place{Index: uint64(page)})
		}
	}
	return nil
}
