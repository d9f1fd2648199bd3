// Package offheap is the one door to memory outside the Go heap.
//
// An Arena is a memfd mapped as a whole and touched lazily: reserving a
// terabyte costs address space only. Memory comes with Populate, which reports
// a shortage as an error where a plain page fault would kill the process, and
// goes back to the system with Punch, which works on locked memory too
// (madvise(MADV_DONTNEED) fails there with EINVAL).
//
// Every arena begins with a header page: magic, format version, purpose and
// geometry, so that a process which inherits the descriptor can tell what it
// holds. Nothing in an arena may be a Go pointer or depend on the build.
//
// Under the race detector arenas are Go heap memory, because the detector
// neither sees nor understands memory mapped behind its back: an unlocked
// counter there goes unreported, and a correct lock word gives a false report.
package offheap
