// Package fusefs mounts a device as a directory: the disk itself as the file
// image, and the control files of the kernel's zram beside it.
//
//	/dev/fuse ──read──> worker i (a locked thread, its own buffers and Scratch)
//	                      ├─ READ WRITE FALLOCATE FSYNC OPEN RELEASE of the image ──> store
//	                      ├─ READ WRITE FLUSH of a control file, LSEEK ──> goroutine beside the workers
//	                      ├─ OPEN RELEASE of a control file, READDIR
//	                      └─ LOOKUP GETATTR SETATTR STATFS ... ──> go-fuse's node tree
//
// A request is read so that the payload of a write starts on a page, and the
// answer to a read is decoded where it is sent from: a page never passes through
// a second buffer, and no image request allocates on the Go heap. What may take
// long (setting up, reset, compaction, listing pages) runs beside the workers,
// so that the disk answers meanwhile; this matters because those verbs may
// themselves wait for the disk, through its loop device.
//
// The tree of nodes:
//
//	deviceDir (root now, a child of another tree later)
//	├─ image          imageNode
//	├─ disksize ...   attrNode, one per row of deviceRows
//	└─ debug          debugDir
//	   └─ status ...  attrNode, one per row of debugRows
//
// A node's id follows from the device's number and its row alone (nodeID), so
// that a process that takes the connection over knows every id the kernel has.
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
//	  disk.mu           what changes the size or the loop device, with the refresh of both
//	    store's         see there
//	textFile.mu         what an open control file is being read from
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
