/*
 * What happens to one slot: whole and partial writes, reads, discards,
 * compaction and recompression, over a pool whose objects are freed and used
 * again. The lock is the abstract reader/writer lock that slotlock.pml proves.
 *
 * Checked: nobody reads an object that is not the slot's (freed, or somebody
 * else's by now); no update is lost, that is, a page always reads as the last
 * committed write says and a partial write keeps the other half; no object is
 * leaked or freed twice.
 *
 * A page has two halves, so that a partial write has something to keep.
 * Mutations -DM1 .. -DM8 break one step each; every one must be caught.
 */
#define OBJECTS 4
#define NONE 255

/* the slot */
byte word = NONE;  /* object, NONE = empty */
bool lockW;
byte lockR;
bool mark;         /* under post-processing */

/* the pool */
bool live[OBJECTS];
byte owner[OBJECTS]; /* 1 = the slot; 0 = another slot, whose data are 9 */
byte lo[OBJECTS], hi[OBJECTS]; /* the contents */
byte form[OBJECTS];  /* primary 0 or secondary 1 algorithm: must never matter */

/* ghosts: what the page is */
byte truthLo, truthHi;

byte stamp; /* makes every write's data its own */

inline lockWrite() { atomic { !lockW && lockR == 0 -> lockW = true } }
inline unlockWrite() { lockW = false }
inline lockRead() { atomic { !lockW -> lockR++ } }
inline unlockRead() { atomic { lockR-- } }

inline alloc(h) {
	atomic {
		if
		:: !live[0] -> h = 0
		:: else -> if
			:: !live[1] -> h = 1
			:: else -> if
				:: !live[2] -> h = 2
				:: else -> if :: !live[3] -> h = 3 :: else -> h = NONE fi
				fi
			fi
		fi;
		if :: h != NONE -> live[h] = true; owner[h] = 1; form[h] = 0 :: else fi
	}
}

/* a freed object is soon somebody else's */
inline free(h) {
	atomic {
		if
		:: h != NONE -> assert(live[h]); live[h] = false; lo[h] = 9; hi[h] = 9
		:: else
		fi
	}
}

/* live.writePage: compress and allocate, then lock, commit, unlock, free */
proctype writer() {
	byte h, old, v;
	atomic { stamp++; v = stamp };
	alloc(h);
	if
	:: h == NONE -> skip
	:: else ->
#ifdef M1
		/* mutation: commit before the bytes are there */
		lockWrite();
		atomic { old = word; word = h; mark = false; truthLo = v; truthHi = v };
		unlockWrite();
		lo[h] = v; hi[h] = v;
#else
		lo[h] = v;
		hi[h] = v;
		lockWrite();
#ifdef M2
		/* mutation: free what the slot held before committing, and unlocked */
		unlockWrite();
		old = word; free(old); lockWrite();
		atomic { word = h; mark = false; truthLo = v; truthHi = v }; old = NONE;
#else
		atomic { old = word; word = h; mark = false; truthLo = v; truthHi = v };
#endif
		unlockWrite();
#endif
		free(old)
	fi
}

/* live.writePartial: the write lock from reading to committing */
proctype partialWriter() {
	byte h, old, v, l, r;
	atomic { stamp++; v = stamp };
#ifdef M3
	/* mutation: read under the read lock, commit under the write lock */
	lockRead();
#else
	lockWrite();
#endif
	l = 0; r = 0;
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
		atomic { old = word; word = h; mark = false; truthLo = v };
		unlockWrite();
		free(old)
	fi
}

/* live.discardPages */
proctype discarder() {
	byte old;
	lockWrite();
	atomic { old = word; word = NONE; mark = false; truthLo = 0; truthHi = 0 };
	unlockWrite();
	free(old)
}

/* live.readPage: decode under the read lock */
proctype reader() {
	byte e, l, r;
	lockRead();
	e = word;
#ifdef M4
	/* mutation: let go of the slot before decoding */
	unlockRead();
#endif
	if
	:: e == NONE -> assert(truthLo == 0 && truthHi == 0 || word != NONE)
	:: else ->
		l = lo[e];
		r = hi[e];
#ifndef M4
		assert(live[e]);
#endif
		assert(l == truthLo && r == truthHi)
	fi;
#ifndef M4
	unlockRead()
#endif
}

/* Pool.evacuate and mover.Move: an object, whoever owns it by now */
proctype compactor() {
	byte from, to, seen;
	select(from : 0 .. OBJECTS - 1);
	alloc(to);
	if
	:: to == NONE -> skip
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
			:: live[from] && owner[from] == 1 && from != to && seen != NONE ->
#else
			if
			:: word == from ->
#endif
				lo[to] = lo[from];
				hi[to] = hi[from];
				form[to] = form[from];
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
		:: lockW || lockR > 0 -> free(to)
		fi
	fi
}

/* recompression (a later verb): read under the read lock and mark, work
 * unlocked on a private copy, commit if the mark stands unbroken */
proctype recompressor() {
	byte h, old, l, r;
	bool mine;
	lockRead();
	mine = false;
	if :: word != NONE -> l = lo[word]; r = hi[word]; mark = true; mine = true :: else fi;
	unlockRead();
	if
	:: !mine -> skip
	:: else ->
		alloc(h);
		if
		:: h == NONE -> skip
		:: else ->
			lo[h] = l; hi[h] = r; form[h] = 1;
			lockWrite();
			if
#ifdef M7
			/* mutation: do not look for the mark */
			:: word != NONE ->
#else
			:: mark && word != NONE ->
#endif
#ifdef M8
				/* mutation: forget to free what is replaced */
				word = h; mark = false; old = NONE
#else
				atomic { old = word; word = h; mark = false }
#endif
			:: else -> old = h
			fi;
			unlockWrite();
			free(old)
		fi
	fi
}

init {
	byte i, n;
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
	};
	(_nr_pr == 1);
	/* at rest: the slot's object lives, no other does, and it says the truth */
	do
	:: i < OBJECTS ->
		assert(live[i] == (word == i));
		i++
	:: else -> break
	od;
	assert(word == NONE || (lo[word] == truthLo && hi[word] == truthHi));
	assert(!lockW && lockR == 0)
}
