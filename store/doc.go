// Package store is the device: a disk of slots, one for each page of 4 KiB,
// whose contents lie compressed in a pool.
//
//	               slot i (16 bytes, in the table's arena)
//	┌──────────────────────────┬──────────┬─────────────────────┐
//	│ commit word (entry)      │ lock     │ access time, marks  │
//	└──────────────────────────┴──────────┴─────────────────────┘
//	  empty | same-filled: the element | object: handle, size, priority | block: place, size, priority
//	                                       └──> alloc.Pool                  └──> backing device
//
// The commit word is the only truth about a page; it changes by one atomic
// store. What the pool and the counters know follows from all words together.
//
// A write prepares (same-filled test, compression, allocation, copy) with no
// lock held, then locks the slot, stores the word, unlocks, and only then frees
// what the slot held before. An error before the store leaves all as it was. A
// read decodes under the slot's read lock straight into the caller's buffer.
// Part of a page is written under the write lock from reading to committing,
// because comparing words would suffer ABA.
//
// Lock order, outermost first; internal/lockdep holds checking builds to it:
//
//	Device.cfgMu            (RW) settings, disksize, reset; verbs that need a live device take it for reading
//	  live.passMu           one pass over the slots or objects at a time
//	    Workers.verbMu      the scratch of those who are no workers
//	      Device.gate       (RW) held for writing while I/O is held up
//	        Device.openMu   opens and a reset's claim on the device
//	          slot lock     (RW) internal/park
//	            class.mu    alloc
//	              leaves    alloc's runs.mu; elements.mu, the odd same-filled elements; audit.mu, a check's sums; kept.mu;
//	                        the mu of a run of recompression or writeback, and of a rebuild; budgetLimit.mu;
//	                        blockTables.growMu; forebears.mu
//
// Such a run has a turn of its own, outside of these: it waits for it with no
// lock held, on a channel which a reset closes (postRuns). The goroutines of its
// crew (passCrew) hold no lock but a slot's, and passMu is held for them while
// they work. So it is with a snapshot, which keeps checks out (postRuns.alone).
//
// Nobody holds two of one line. Compaction holds a class when it comes to a
// slot: it tries the slot's lock and never waits for it. A request ends without
// any lock from the gate on, a verb without any but cfgMu.
//
// I/O takes no lock of the device. It publishes in its worker's Scratch that it
// is inside, then loads the device's live state; whoever takes that state away
// unpublishes it first and waits until every worker has been seen outside.
//
// What a device consists of lies in arenas that a Vault keeps for the process that
// comes after this one: slots, objects, elements, seals, and the state (settings,
// counters). AdoptDevice makes a device of them; docs/design/0013-takeover.md says
// in which order everything is written for that.
//
// INVARIANTS:
//
//	S1  A slot is exactly one of empty, same-filled, an object, a block (the kind bits).
//	S2  The object that a word names is owned by that slot, and no other word names it.
//	S3  An object's size is PageSize if and only if the page is stored raw (huge).
//	S4  At rest, sums over the table equal the counters.
//	S5  A block of the backing device is taken if and only if a slot names it, or a writeback
//	    under way has it, or a snapshot keeps it; no two slots name the same.
//	S6  A post-processing mark stands on objects only, and only while a run works on them;
//	    whoever commits to the slot or reads it takes it off.
//	S7  Recompression works on a private copy with nothing locked, and commits only if its
//	    mark still stands.
//	S8  Under a read lock only the access time and the marks change, atomically.
//	S9  A failure before the commit changes nothing.
//	S10 A write that would pass the memory limit fails before the commit.
package store
