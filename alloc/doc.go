// Package alloc is the pool: an allocator for compressed pages in the manner of
// zsmalloc. It knows sizes and owners, not contents.
//
//	arena (memfd, reserved whole, touched lazily)
//	┌────────┬───────────────┬───────────────┬──
//	│ header │ frame 1       │ frame 2       │ ...     a frame is 8 pages of address space
//	└────────┴───────────────┴───────────────┴──
//	           │ runs of n pages, n = 1..8: one zspage each
//	           └─ zspage: objects of one size class, back to back
//	                └─ object: 8-byte header (owner, or link while free), payload
//
// An object is named by a Handle, its offset in the arena; reading one needs no
// table and no lock of the pool. A zspage is contiguous, so no object straddles
// a break. What keeps an object in place is its owner's lock, not the pool's:
// compaction asks the owner (Mover) before it moves anything.
//
// A frame holds zspages of one chain length n only, 8/n of them, each at a
// multiple of n pages; what is not used is address space, never memory. So the
// zspage of an object follows from its offset and the frame's n, and a frame is
// as good for any class as for any other once it is empty.
//
// Each worker has reserves (local): a few free objects of each class that he
// uses, and a few warm runs. He takes from them by one atomic swap, and so may
// anybody else who would need memory otherwise; they never cost a page.
//
// A run that no stock wants cools for a while (cooling), until there are enough
// to give back together, for that costs the system by the call.
//
// Another process that inherits the arena of one that ended adopts it: Adopt,
// Claim for each object that still has an owner, Finish. Only the arena outlives a
// process. A claimed object is complete, header included, for its header and
// contents were written before anything named it; whatever nobody claims is free.
// Claims set bits in scratch memory (claims), and Finish derives descriptors and
// lists from these (rebuild), so neither reads a page of the pool. Two things are
// left for later, done beside the pool's use and a little at a time (settling):
//
//	sweep     memory behind free runs goes back to the system
//	linkRest  free objects below the last one in use of a zspage get link headers,
//	          by whoever wants to take one of them or to move one of its neighbours
//
// A pool that is Wiped zeroes objects when they are freed; after an adoption, what
// nobody claimed before anybody can have it.
//
// Lock order, within all locks of the pool's users; internal/lockdep holds
// checking builds to it:
//
//	class.mu     lists, free objects and descriptors of one class's zspages
//	  runs.mu    free frames and runs
//
// Nobody holds two classes, nor needs both kinds at a time, and objects' memory
// is asked of the system and given back with neither. Compaction holds class.mu
// and may only trylock its owners. A huge object's zspage is its own: no class lock.
//
// INVARIANTS (Pool.Check; reserves being recalled before, and all settled):
//
//	A1  A zspage is on the list of its fullness group, unless it is full or isolated by compaction.
//	A2  Its free objects plus its objects in use are those that were ever handed out.
//	A3  class.zspages, class.used and Pool.pages equal the sums over zspages.
//	A4  An allocated object's header is its owner, with bit 0 set; a free one's has bit 0 clear.
//	A5  A zspage with nothing in use, or in reserves only, does not exist: its pages are a free run at once.
//	A6  Each object in use is the one that its owner names (at rest).
package alloc
