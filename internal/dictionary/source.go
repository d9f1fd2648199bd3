package dictionary

import "io"

// Source is something that holds pages.
type Source interface {
	// Walk calls yield for each page that may hold data, ascending.
	Walk(yield func(Place)) error
	io.ReaderAt
	io.Closer
}

// Place is a page of a source.
type Place struct {
	Index uint64
	Used  bool // known to hold data; otherwise it must be read to find out
	Idle  bool // has the idle mark, which reading takes off
}
