// Package guard makes a process fit to serve swap space: it must not wait for memory that only swapping out through itself
// can free, and it must not be the one that is killed when memory is short.
//
//	mlock          all memory stays in RAM once touched (mlockall with MCL_ONFAULT: without that flag every reservation
//	               would be filled at once)
//	io_flusher     the kernel serves this process's allocations without starting I/O, and does not throttle it for dirty
//	               pages (PR_SET_IO_FLUSHER)
//	oom_score_adj  -1000: the out-of-memory killer passes it over
//	gc             the Go heap stays within half again its live size
//	reserve        memory for requests in flight, touched beforehand; it belongs to the disk's engine and is only shown here
//
// Each needs a right or a kernel feature that may be missing. None is fatal: what could not be had is refused, with the
// reason, and shown in the status. The kernel's side is behind an interface (System), since no test machine has all rights.
package guard
