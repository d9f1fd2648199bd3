/*
 * The slot lock of internal/park: one word, a bucket with its mutex and a FIFO
 * of waiters, direct hand-off. Each numbered step stands for one atomic action
 * of the code; what lies between two steps may be interleaved with anything.
 *
 * Checked: at most one writer, no reader beside it (assertions); every waiter
 * is let in at last, so no wake-up is lost (no invalid end state); the word is
 * free when all have left.
 *
 * A mutation (-DM1 .. -DM6) breaks one step; each must be caught.
 */
#ifndef N
#define N 3 /* goroutines; each takes the lock ROUNDS times */
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif

/* the word */
bool writer;    /* bit 31 */
bool waiting;   /* bit 30 */
byte readers;   /* bits 0-29 */

/* the bucket */
bool bucketMu;
chan queue = [N] of { byte, bool }; /* who, whether for writing; in order of arrival */
chan granted[N] = [1] of { bit };   /* Waiter.granted */

/* ghosts: who is really inside */
byte insideW, insideR;

inline lockBucket()   { atomic { !bucketMu -> bucketMu = true } }
inline unlockBucket() { bucketMu = false }

/* Room.Lock, fast path: CompareAndSwap(0, writer) */
inline lock(me) {
	if
	:: atomic { !writer && !waiting && readers == 0 -> writer = true }
	:: atomic { writer || waiting || readers > 0 -> skip }; wait(me, true)
	fi
}

/* Room.RLock, fast path: neither writer nor waiting: CompareAndSwap(s, s+1) */
inline rlock(me) {
	if
#ifdef M1
	/* mutation: readers pass the queue and the writer whose turn is set up */
	:: atomic { !writer -> readers++ }
	:: atomic { writer -> skip }; wait(me, false)
#else
	:: atomic { !writer && !waiting -> readers++ }
	:: atomic { writer || waiting -> skip }; wait(me, false)
#endif
	fi
}

/* Room.wait */
inline wait(me, write) {
	lockBucket();
	if
	:: atomic { waiting -> got = false }
	/* came free meanwhile: CompareAndSwap(s, taken) */
	:: atomic { !waiting && write && !writer && readers == 0 -> writer = true; got = true }
	:: atomic { !waiting && !write && !writer -> readers++; got = true }
	/* not free: CompareAndSwap(s, s|waiting) */
	:: atomic { !waiting && (writer || (write && readers > 0)) ->
#ifndef M2
		waiting = true; /* mutation M2: queue without saying so */
#endif
		got = false }
	fi;
	if
	:: got -> unlockBucket()
	:: else ->
		queue!me,write;
		unlockBucket();
		granted[me]?_
	fi
}

/* Room.handOff: the caller is the last holder */
inline handOff() {
	lockBucket();
	d_step {
		nturn = 0;
		turnW = false;
		do
		:: nturn == 0 && len(queue) > 0 ->
			queue?who,wr;
			turn[0] = who; nturn = 1; turnW = wr
		:: nturn > 0 && !turnW && queue?[who,false] ->
			queue?who,wr;
			turn[nturn] = who; nturn++
		:: else -> break
		od;
		who = 0
	}
	/* word.Store(s) */
#ifdef M3
	/* mutation: forget that others still wait */
	atomic { writer = turnW && nturn > 0; readers = (turnW -> 0 : nturn); waiting = false };
#else
	atomic { writer = turnW && nturn > 0; readers = (turnW -> 0 : nturn); waiting = len(queue) > 0 };
#endif
	unlockBucket();
	do
	:: who < nturn ->
#ifdef M4
		/* mutation: wake only the first of several readers */
		if :: who == 0 -> granted[turn[who]]!1 :: else fi;
#else
		granted[turn[who]]!1;
#endif
		who++
	:: else -> break
	od
}

/* Room.Unlock: CompareAndSwap(writer, 0) unless somebody waits */
inline unlock() {
	if
	:: atomic { writer && !waiting -> writer = false }
	:: atomic { waiting -> skip }; 
#ifdef M5
		/* mutation: leave without handing the lock on */
		writer = false
#else
		handOff()
#endif
	fi
}

/* Room.RUnlock */
inline runlock() {
	if
	:: atomic { waiting && readers == 1 -> skip };
#ifdef M6
		/* mutation: the last reader only counts itself out */
		readers--
#else
		handOff()
#endif
	:: atomic { !(waiting && readers == 1) -> readers-- }
	fi
}

proctype goroutine(byte me) {
	byte round, nturn, who;
	byte turn[N];
	bool got, turnW, wr;
	do
	:: round < ROUNDS ->
		round++;
		if
		:: lock(me);
			atomic { assert(insideW == 0 && insideR == 0); insideW++ };
			insideW--;
			unlock()
		:: rlock(me);
			atomic { assert(insideW == 0); insideR++ };
			insideR--;
			runlock()
		:: /* TryLock, as compaction does it */
			if
			:: atomic { !writer && !waiting && readers == 0 -> writer = true };
				atomic { assert(insideW == 0 && insideR == 0); insideW++ };
				insideW--;
				unlock()
			:: atomic { writer || waiting || readers > 0 -> skip }
			fi
		fi
	:: else -> break
	od
}

init {
	byte i;
	atomic {
		do
		:: i < N -> run goroutine(i); i++
		:: else -> break
		od
	};
	(_nr_pr == 1);
	assert(!writer && !waiting && readers == 0 && len(queue) == 0)
}
