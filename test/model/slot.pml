/*
 * What happens to one slot: whole and partial writes, reads, discards, free
 * hints, compaction, recompression and writeback, over a pool whose objects and
 * a backing device whose blocks are freed and used again. The lock is the
 * abstract reader/writer lock that slotlock.pml proves.
 *
 * Checked: nobody reads an object or a block that is not the slot's (freed, or
 * somebody else's by now); no update is lost, that is, a page always reads as
 * the last committed write says and a partial write keeps the other half; no
 * object and no block is leaked or freed twice; a discard has its effect; a hint
 * ends although the slot stays locked, and is counted when it is given up.
 *
 * A page has two halves, so that a partial write has something to keep.
 * Mutations -DM1 .. -DM25 break one step each; every one must be caught.
 */
#define OBJECTS 4
#if defined(A) || defined(B) || defined(C) || defined(D)
#define BLOCKS 0
#else
#define BLOCKS 2
#endif
#define HINTS 2
#define PLACES (OBJECTS + BLOCKS)
#define NONE 255

/* the slot */
byte word = NONE;  /* NONE = empty, else a place: an object, or from OBJECTS on a block */
bool lockW;
byte lockR;
bool mark;         /* postMark */
bool flag;         /* incompressibleBit */

bool passMu;       /* one pass of post-processing at a time */

/* pool and backing device */
bool live[PLACES];
byte lo[PLACES], hi[PLACES]; /* the contents */
bool mine[PLACES];   /* the object's header says that it is the slot's */

/* ghosts: what the page is, and what was promised */
byte truthLo, truthHi;
byte triedLo, triedHi;
byte hints, freed, missFree;

byte stamp; /* makes every write's data its own */

inline lockWrite() { atomic { !lockW && lockR == 0 -> lockW = true } }
inline unlockWrite() { lockW = false }
inline lockRead() { atomic { !lockW -> lockR++ } }
inline unlockRead() { atomic { lockR-- } }

inline find(h, from, end) {
	d_step {
		h = from;
		do
		:: h < end && live[h] -> h++
		:: else -> break
		od;
		if :: h == end -> h = NONE :: else -> live[h] = true; mine[h] = true fi
	}
}

inline alloc(h) { find(h, 0, OBJECTS) }
inline allocBlock(h) { find(h, OBJECTS, PLACES) }

/* what is freed is soon somebody else's */
inline free(h) {
	d_step {
		if
		:: h != NONE -> assert(live[h]); live[h] = false; mine[h] = false; lo[h] = 99; hi[h] = 99
		:: else
		fi
	}
}

/* live.settle frees what the slot held before, whatever that is */
inline settle(old) {
#ifdef M17
	/* mutation: only objects are freed */
	if :: old < OBJECTS -> free(old) :: else fi
#else
	free(old)
#endif
}

/* live.writePage: compress and allocate, then lock, commit, unlock, free */
proctype writer() {
	byte h, old, v;
	d_step { stamp++; v = stamp };
	alloc(h);
	if
	:: h == NONE
	:: else ->
#ifdef M1
		/* mutation: commit before the bytes are there */
		lockWrite();
		atomic { old = word; word = h; flag = false; mark = false; truthLo = v; truthHi = v };
		unlockWrite();
		lo[h] = v; hi[h] = v;
#else
		lo[h] = v;
		hi[h] = v;
		lockWrite();
#ifdef M2
		/* mutation: free what the slot held before committing, and unlocked */
		unlockWrite();
		old = word; settle(old); lockWrite();
		atomic { word = h; flag = false; mark = false; truthLo = v; truthHi = v }; old = NONE;
#else
#ifdef M22
		/* mutation: leave the mark */
		atomic { old = word; word = h; flag = false; truthLo = v; truthHi = v };
#else
		atomic { old = word; word = h; flag = false; mark = false; truthLo = v; truthHi = v };
#endif
#endif
		unlockWrite();
#endif
		settle(old)
	fi
}

/* live.writePartial: the write lock from reading to committing */
proctype partialWriter() {
	byte h, old, v, l, r;
	d_step { stamp++; v = stamp };
#ifdef M3
	/* mutation: read under the read lock, commit under the write lock */
	lockRead();
#else
	lockWrite();
#endif
	if :: word != NONE -> l = lo[word]; r = hi[word] :: else fi;
	l = v;
	alloc(h);
	if
	:: h == NONE ->
#ifdef M3
		unlockRead()
#else
		unlockWrite()
#endif
	:: else ->
		lo[h] = l;
		hi[h] = r;
#ifdef M3
		unlockRead(); lockWrite();
#endif
		atomic { old = word; word = h; flag = false; mark = false; truthLo = v };
		unlockWrite();
		settle(old)
	fi
}

/* live.discardPages: an empty slot needs nothing */
proctype discarder() {
	byte old = NONE;
	if
	:: word == NONE
	:: else ->
#ifdef M23
		/* mutation: try the lock and give up */
		bool done;
		if
		:: atomic { !lockW && lockR == 0 -> lockW = true };
			atomic { old = word; word = NONE; flag = false; mark = false; truthLo = 0; truthHi = 0; done = true };
			unlockWrite()
		:: atomic { lockW || lockR > 0 -> skip }
		fi;
		assert(done);
#else
		lockWrite();
		atomic { old = word; word = NONE; flag = false; mark = false; truthLo = 0; truthHi = 0 };
		unlockWrite();
#endif
		settle(old)
	fi
}

/* live.freeHint: never waits */
proctype hint() {
	byte old = NONE;
	bool got = true;
	if
	:: atomic { word == NONE -> freed++ }
	:: else ->
#ifdef M20
		/* mutation: wait as a discard does */
		lockWrite();
#else
		/* tryLock */
		if
		:: atomic { !lockW && lockR == 0 -> lockW = true }
		:: atomic { lockW || lockR > 0 -> got = false }
		fi;
#endif
		if
#ifdef M19
		/* mutation: go on without the lock */
		:: true ->
#else
		:: got ->
#endif
			atomic { old = word; word = NONE; flag = false; mark = false; truthLo = 0; truthHi = 0; freed++ };
			if :: got -> unlockWrite() :: else fi;
			settle(old)
#ifndef M19
#ifdef M21
		/* mutation: do not count what is given up */
		:: else
#else
		:: else -> atomic { missFree++ }
#endif
#endif
		fi
	fi;
	atomic { hints++ }
}

/* live.readPage: decode under the read lock, then note the access */
proctype reader() {
	byte e, l, r;
	if
	:: atomic { word == NONE -> assert(truthLo == 0 && truthHi == 0) }
	:: else ->
		lockRead();
		e = word;
#ifdef M4
		/* mutation: let go of the slot before decoding */
		unlockRead();
#endif
		if
		:: e == NONE -> assert(truthLo == 0 && truthHi == 0)
		:: else ->
			l = lo[e];
			r = hi[e];
#ifndef M4
			assert(live[e]);
#endif
			assert(l == truthLo && r == truthHi);
			/* table.access: takes the mark off unless the second is the same */
			if :: mark = false :: skip fi
		fi;
#ifndef M4
		unlockRead()
#endif
	fi
}

/* a reader whose decoding does not end before all hints have been answered */
proctype slowReader() {
	lockRead();
	hints == HINTS;
	unlockRead()
}

/* Pool.evacuate and mover.Move: an object, whoever owns it by now */
proctype compactor() {
	byte from, to, seen;
	select(from : 0 .. OBJECTS - 1);
	alloc(to);
	if
	:: to == NONE
	:: else ->
		seen = word;
#ifdef M5
		/* mutation: move without the owner's lock */
		if
		:: true ->
#else
		if
		:: atomic { !lockW && lockR == 0 -> lockW = true };
#endif
#ifdef M6
			/* mutation: believe the object's header alone */
			if
			:: live[from] && mine[from] && from != to && seen != NONE ->
#else
			if
			:: word == from ->
#endif
				lo[to] = lo[from];
				hi[to] = hi[from];
				word = to;
#ifndef M5
				unlockWrite();
#endif
				free(from)
			:: else ->
#ifndef M5
				unlockWrite();
#endif
				free(to)
			fi
		:: atomic { lockW || lockR > 0 -> skip }; free(to)
		fi
	fi
}

#ifdef M18
/* mutation: passes run beside each other */
inline beginPass() { skip }
inline endPass() { skip }
#else
inline beginPass() { atomic { !passMu -> passMu = true } }
inline endPass() { passMu = false }
#endif

/* live.take: mark the slot and copy its object; taken = it has one */
inline take() {
	lockRead();
	e = word;
#ifdef M16
	/* mutation: copy the object with the slot unlocked */
	if :: e < OBJECTS -> mark = true; taken = true :: else fi;
	unlockRead();
	if :: taken -> assert(live[e]); l = lo[e]; r = hi[e] :: else fi;
#else
	if
	:: e < OBJECTS ->
#ifndef M25
		/* mutation M25: do not mark, commit if the slot names the same object */
		mark = true;
#endif
		assert(live[e]); l = lo[e]; r = hi[e]; taken = true
	:: else
	fi;
	unlockRead();
#endif
	atomic { triedLo = l; triedHi = r }
}

/* live.untake; whether a new algorithm did not help is said in the word */
inline untake(flags) {
	lockWrite();
	if
#ifdef M24
	/* mutation: do not look for the mark */
	:: true -> atomic { mark = false; flag = flag || flags }
#else
	:: mark -> atomic { mark = false; flag = flag || flags }
	:: else
#endif
	fi;
	unlockWrite()
}

/* live.replace of what was taken by h; what is not needed then is freed */
inline replace(h) {
	lockWrite();
	if
#ifdef M7
	/* mutation: do not look for the mark */
	:: true ->
#else
#ifdef M25
	:: word == e ->
#else
	:: mark ->
#endif
#endif
		atomic { old = word; word = h; flag = false; mark = false };
#ifdef M8
		/* mutation: forget what is replaced */
		old = NONE;
#endif
#ifdef M14
		/* mutation: free what was read, wherever it is by now */
		old = e;
#endif
#ifdef M15
	/* mutation: keep what was made for nothing */
	:: else -> old = NONE
#else
	:: else -> old = h
#endif
	fi;
	unlockWrite();
	settle(old)
}

/* recompressor.slot */
proctype recompressor() {
	byte h = NONE, e, old, l, r;
	bool taken;
	beginPass();
	take();
	if
	:: !taken
	:: else ->
		if
		:: alloc(h);
			if
			:: h == NONE -> untake(false) /* no memory */
			:: else ->
				lo[h] = l; hi[h] = r;
				replace(h)
			fi
		:: untake(true) /* recompressor.keep: the algorithm did not help */
		fi
	fi;
	endPass()
}

/* writeback of one slot: the same protocol, with a block of the backing device,
 * whose write may fail */
proctype writeback() {
	byte h = NONE, e, old, l, r;
	bool taken, failed;
	beginPass();
	take();
	if
	:: !taken
	:: else ->
		allocBlock(h);
#ifdef M12
		/* mutation: free the object before the commit */
		if :: h != NONE -> free(e) :: else fi;
#endif
#ifdef M10
		/* mutation: write the block after the commit */
		if
		:: h != NONE -> replace(h); if :: word == h -> lo[h] = l; hi[h] = r :: else fi
		:: else -> untake(false)
		fi;
#else
		if
		:: h != NONE -> lo[h] = l; if :: hi[h] = r :: failed = true fi
		:: else
		fi;
		if
#ifdef M11
		/* mutation: do not look whether the device failed */
		:: h == NONE -> untake(false)
#else
		:: failed || h == NONE ->
#ifndef M9
			/* mutation M9: leave the mark */
			untake(false);
#endif
#ifndef M13
			/* mutation M13: forget the block */
			free(h)
#endif
#endif
		:: else -> replace(h)
		fi
#endif
	fi;
	endPass()
}

init {
	byte i;
	atomic {
		run writer();
#ifdef A
		run writer();
		run reader();
		run compactor();
		run discarder()
#endif
#ifdef B
		run partialWriter();
		run reader();
		run recompressor();
		run writer()
#endif
#ifdef C
		run partialWriter();
		run partialWriter();
		run reader();
		run compactor()
#endif
#ifdef D
		run recompressor();
		run discarder();
		run compactor();
		run reader()
#endif
#ifdef E
		run writeback();
		run reader();
		run compactor();
		run discarder()
#endif
#ifdef F
		run writeback();
		run partialWriter();
		run compactor();
		run reader()
#endif
#ifdef G
		run writeback();
		run recompressor();
		run writer();
		run discarder();
		run reader()
#endif
#ifdef H
		run hint();
		run hint();
		run slowReader();
		run writer();
		run reader()
#endif
#ifdef I
		run hint();
		run writeback();
		run partialWriter();
		run reader()
#endif
	};
	(_nr_pr == 1);
	/* at rest: what the slot names is in use, nothing else is, and it says the truth */
	do
	:: i < PLACES ->
		assert(live[i] == (word == i));
		i++
	:: else -> break
	od;
	assert(word != NONE || truthLo == 0 && truthHi == 0);
	assert(word == NONE || (lo[word] == truthLo && hi[word] == truthHi));
	assert(!flag || lo[word] == triedLo && hi[word] == triedHi);
	assert(!lockW && lockR == 0 && !passMu && !mark);
	assert(freed + missFree == hints)
}
