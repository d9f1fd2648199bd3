// Package fusefs mounts a device as a directory: the disk itself as the file
// image, and the control files of the kernel's zram beside it. Or it mounts many,
// as a directory of the shape of /sys.
//
//	/dev/fuse ──read──> worker i (a locked thread, its own buffers and Scratch)
//	                      ├─ READ WRITE FALLOCATE FSYNC OPEN RELEASE of the image ──> store
//	                      ├─ READ WRITE FLUSH of a control file, LSEEK ──> goroutine beside the workers
//	                      ├─ OPEN RELEASE of a control file, READDIR
//	                      └─ LOOKUP GETATTR SETATTR STATFS ... ──> go-fuse ──> tree
//
// A request is read so that the payload of a write starts on a page, and the
// answer to a read is decoded where it is sent from: a page never passes through
// a second buffer, and no image request allocates on the Go heap. What may take
// long (setting up, reset, compaction, listing pages) runs beside the workers,
// so that the disk answers meanwhile; this matters because those verbs may
// themselves wait for the disk, through its loop device.
//
// The tree of nodes (layout.go, topology.go):
//
//	class/zram-control/hot_add, hot_remove
//	block/zramN               a device; with only one it is the root
//	├─ image                  dev/zramN is the same
//	├─ disksize ... dev ...   a row of deviceRows, blockRows
//	├─ debug/status ...       a row of debugRows
//	└─ queue/rotational ...   a row of queueRows
//	debug/status, control     of the mount itself
//
// A node's id follows from the device's id and its row alone (node.go), and nothing
// is kept of a node, so that a process that takes the connection over knows every
// id the kernel has. See docs/design/0016-many-devices.md.
//
// # Sizes
//
// The kernel caches the image's size for an hour, and looks at the cached one
// in asynchronous reads without ever asking. So whoever changes the size tells
// the kernel (notify.go) before the write that changed it is answered.
//
// # Taking over
//
// What a process must know that takes the connection over is in shared memory
// (connState, and the request buffers), written so that any moment is a good one
// to die at; Adopt reads it. See docs/design/0014-connection.md.
//
// # Deadlocks
//
// A worker must never wait for the mount that it serves: it touches no file of
// it and no loop device on it, takes no lock that a control verb holds while it
// does so, and no finaliser or Go poller may do it behind its back; hence raw
// system calls only. Control goroutines may wait for the mount, since all
// workers go on serving.
//
// Lock order, outermost first:
//
//	Mount.endMu         unmounting, one at a time
//	  devices.mu        hot_add, hot_remove and unmounting, one at a time
//	    disk.mu         what changes the size or the loop device, with the refresh of both
//	      store's       see there
//	textFile.mu         what an open control file is being read from; hot_add's is outside of devices.mu
//	handles.mu          a leaf: the table of open control files
//	  ioStats.baseMu    counts at the last reset
//	  store's
//
// go-fuse's own locks are taken inside its calls only. Image I/O takes no lock
// of this package; its counters are the worker's own (iostat.go).
//
// The package holds no policy: when to compact, what to mark idle, which limit
// to set is for users of the control files.
package fusefs
