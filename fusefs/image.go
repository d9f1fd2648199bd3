package fusefs

import "github.com/hanwen/go-fuse/v2/fuse"

// imageFlags are the kernel's orders for every open of the image: cache nothing,
// and let writes run in parallel. One open without them would keep the disk
// uncompressed in the page cache and make all writers wait for each other.
const imageFlags = fuse.FOPEN_DIRECT_IO | fuse.FOPEN_PARALLEL_DIRECT_WRITES

// open counts the image as in use. It does not look at the flags: O_TRUNC comes
// as a change of the size, which is ignored.
func (w *worker) open(d *disk, h inHeader) {
	handle, err := w.nodes.state.openImage(h.unique, d.id, d.dev.Open)
	errno := errnoOf(err)
	w.send(h, errno, putOpenOut(w.data, handle, imageFlags, errno))
}

func (w *worker) release(d *disk, h inHeader, args []byte) {
	if handle, ok := parseHandle(args); ok && w.nodes.state.releaseImage(handle) {
		d.dev.Close()
	}
	w.finish(h, 0)
}
