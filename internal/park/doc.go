// Package park is a reader/writer lock of one 32-bit word and the waiting room
// of those who cannot have it at once.
//
// The word:
//
//	bit 31      a writer holds the lock
//	bit 30      somebody waits in the room for this word
//	bits 0-29   how many readers hold the lock
//
// Free it is 0, and taking or giving it back is one compare-and-swap. A
// contender never spins: it queues in the room (hashed by the word's address)
// and sleeps until the lock is handed to it. Hand-off is direct and in order of
// arrival; consecutive readers are let in together. While bit 30 is set nobody
// takes the lock past the queue, so neither writers nor readers starve,
// whatever the scheduling class of the threads and with one processor too.
//
// Lock order: a bucket's mutex is the innermost of all locks. The lock checker
// knows words by those who lock them, not here: whose they are and which rank
// they have is their owner's matter.
//
// INVARIANT: with the bucket locked, bit 30 of a word is set if and only if its
// bucket queues a waiter for that word.
// INVARIANT: bit 31 and bits 0-29 are never both non-zero.
// INVARIANT: while bit 30 is set, the word changes only under the bucket's
// mutex, except for readers leaving while another reader remains.
package park
