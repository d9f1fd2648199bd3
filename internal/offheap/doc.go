// Package offheap is the one door to memory outside the Go heap.
//
// An Arena is a memfd, or what is shown as one, mapped as a whole and touched lazily: reserving a
// terabyte costs address space only. Memory comes with Populate, which reports
// a shortage as an error where a plain page fault would kill the process, and
// goes back to the system with Punch, which works on locked memory too
// (madvise(MADV_DONTNEED) fails there with EINVAL).
//
// Every arena begins with a header page: magic, format version, purpose and
// geometry, so that a process which inherits the descriptor can tell what it
// holds. Nothing in an arena may be a Go pointer or depend on the build.
//
// FD is what such a process needs, Open makes an arena of it again, and NextData
// tells where it has memory. The size of an arena that can be swapped out is sealed:
// whoever holds the descriptor can punch holes, which read as zeros, but cannot cut
// off pages under those who map it, which would kill them. Those that cannot be
// swapped out cannot be sealed (noswap.go). Descriptors are closed on exec, so
// they reach those only to whom they are sent.
//
// Under the race detector arenas are Go heap memory, because the detector
// neither sees nor understands memory mapped behind its back: an unlocked
// counter there goes unreported, and a correct lock word gives a false report.
// They have no descriptors then; Copy stands for inheriting in tests.
package offheap
