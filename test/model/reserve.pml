/*
 * Workers' reserves of free objects of one size class, and of warm runs
 * (alloc/local.go), against those who take them back: an allocation that finds
 * no room, a free that leaves nothing but reserves in a zspage, compaction and
 * statistics. Each worker writes his own slot and discards it at last; slot and
 * move are one step each here, for slot.pml proves them.
 *
 * What class.mu guards changes in one step with what precedes it. What it does
 * not guard is a step each: the cells of the reserves and of the warm runs, and
 * the header that a worker writes into an object out of his reserve.
 *
 * Checked: no object and no run has two takers; none is lost; a zspage whose
 * objects are in reserves only does not stay, and one that is given back has no
 * object in use or in a reserve; nobody touches the header of one that is not
 * the class's; no zspage is taken while a reserve holds an object; compaction
 * reads the header of objects only, and no reserve holds one that it empties.
 * Mutations -DM1 .. -DM18 break one step each; every one must be caught.
 */
#ifdef A
#define ZSPAGES 2
#define OBJS 4   /* objects of a zspage */
#define CELLS 2  /* reserveObjects */
#define ROUNDS 3 /* writes and discards of a worker, before a last discard */
#endif
#ifdef B
#define ZSPAGES 2
#define OBJS 5
#define CELLS 2
#define ROUNDS 2
#endif
#ifdef C
#define ZSPAGES 3
#define OBJS 2
#define CELLS 1
#define ROUNDS 2
#endif
#define WORKERS 2
#define ALL (ZSPAGES * OBJS)
#define MANY 2   /* lentMany */
#define NONE 255
#define STRANGE 99 /* what an earlier tenant of the run left as header */

/* the class, guarded by classMu */
bool classMu;
bool member[ZSPAGES];   /* a zspage of the class */
bool isolated[ZSPAGES];
byte inuse[ZSPAGES];
byte fresh[ZSPAGES];
byte lent[ZSPAGES];
bool isFree[ALL];       /* on its zspage's free list */

byte header[ALL];       /* 0 = free, else owner + 1 */
byte cells[WORKERS * CELLS] = NONE; /* reserve.cells */
byte slots[WORKERS] = NONE;

/* runs */
byte runCells[WORKERS] = NONE; /* local.runs, one each */
bool warm[ZSPAGES];     /* the common stock */

/* ghosts */
bool held[ALL];         /* somebody has the object for himself */

inline lockClass() { atomic { !classMu -> classMu = true } }

/* reserved objects of zspage zz; into nn */
#define inZspage(h, zz) ((h) != NONE && (h) / OBJS == (zz))

/* before it unlocks, A2, A4 and A5 must hold for each zspage */
inline unlockClass() {
	d_step {
		z2 = 0;
		do
		:: z2 < ZSPAGES ->
			if
			:: member[z2] && !isolated[z2] ->
				n2 = 0; k2 = 0;
				do
				:: k2 < OBJS ->
					if
					:: isFree[z2 * OBJS + k2] -> assert(header[z2 * OBJS + k2] == 0)
					:: !isFree[z2 * OBJS + k2] && k2 < fresh[z2] -> n2++
					:: else
					fi;
					k2++
				:: else -> break
				od;
				assert(n2 == inuse[z2]);
				k2 = 0;
				do
				:: k2 < WORKERS * CELLS ->
					if :: inZspage(cells[k2], z2) -> n2-- :: else fi;
					k2++
				:: else -> break
				od;
				assert(n2 > 0)
			:: else
			fi;
			z2++
		:: else -> break
		od;
		z2 = 0; n2 = 0; k2 = 0;
		classMu = false
	}
}

/* class.fullest: into zz; NONE = no zspage has room */
inline fullest(zz) {
	zz = NONE; z2 = 0;
	do
	:: z2 < ZSPAGES ->
		if
#ifdef M1
		/* mutation: isolated zspages stay on their lists */
		:: member[z2] && inuse[z2] < OBJS && inuse[z2] > 0 &&
#else
		:: member[z2] && inuse[z2] < OBJS && inuse[z2] > 0 && !isolated[z2] &&
#endif
			(zz == NONE || inuse[z2] > inuse[zz]) -> zz = z2
		:: else
		fi;
		z2++
	:: else -> break
	od;
	z2 = 0
}

/* Pool.take: a free object of zspage zz, into h */
inline take(zz, h) {
	inuse[zz]++;
	h = zz * OBJS;
	do
	:: h < zz * OBJS + fresh[zz] && !isFree[h] -> h++
	:: else -> break
	od;
	if
	:: h < zz * OBJS + fresh[zz] -> isFree[h] = false
	:: else -> fresh[zz]++; assert(fresh[zz] <= OBJS)
	fi
}

/* Pool.put */
inline put(h) {
	assert(member[h / OBJS] && !isFree[h] && !held[h] && inuse[h / OBJS] > 0);
	inuse[h / OBJS]--;
	isFree[h] = true;
	header[h] = 0
}

/* reserve.take: the worker's own way; h = NONE when there is none */
inline takeReserved(h) {
	h = NONE;
	do
	:: atomic { left == 0 -> break }
	:: atomic { left > 0 && h == NONE -> left-- };
#ifdef M2
		/* mutation: load and store instead of swap */
		h = cells[me * CELLS + left];
		cells[me * CELLS + left] = NONE;
#else
#ifdef M15
		/* mutation: claim the object before the swap */
		h = cells[me * CELLS + left];
		if :: h != NONE -> assert(member[h / OBJS]); header[h] = me + 1 :: else fi;
#endif
		d_step { h = cells[me * CELLS + left]; cells[me * CELLS + left] = NONE };
#endif
		if :: atomic { h != NONE -> break } :: else fi
	od
}

/* Pool.recall */
inline recall() {
	k = 0;
	do
	:: atomic { k == WORKERS * CELLS -> k = 0; break }
	:: atomic { k < WORKERS * CELLS && cells[k] == NONE -> k++ }
	:: atomic { k < WORKERS * CELLS && cells[k] != NONE -> got = cells[k] };
#ifdef M3
		/* mutation: store 0 and believe what was loaded */
		cells[k] = NONE;
		d_step { put(got); got = NONE; k++ }
#else
		d_step {
			got = cells[k]; cells[k] = NONE;
			if :: got != NONE -> put(got) :: else fi;
			got = NONE; k++
		}
#endif
	od
}

/* Pool.recallLast for zspage zz */
inline recallLast(zz) {
	n = 0; k = 0;
	do
	:: atomic { k == WORKERS * CELLS -> k = 0; break }
	:: atomic { k < WORKERS * CELLS -> if :: inZspage(cells[k], zz) -> n++ :: else fi; k++ }
	od;
	lent[zz] = (n < MANY -> n : MANY);
#ifdef M4
	/* mutation: what is in reserves only goes, and the reserves keep it */
	if :: atomic { n == inuse[zz] -> inuse[zz] = 0 } :: else fi;
#else
	if
	:: n < inuse[zz]
	:: else ->
		do
		:: atomic { k == WORKERS * CELLS -> k = 0; break }
		:: atomic { k < WORKERS * CELLS && !inZspage(cells[k], zz) -> k++ }
		:: atomic { k < WORKERS * CELLS && inZspage(cells[k], zz) -> got = cells[k] };
#ifdef M5
			/* mutation: take the object back although the swap failed */
			d_step { cells[k] = NONE; put(got); got = NONE; k++ }
#else
			d_step {
				got = cells[k]; cells[k] = NONE;
				if :: got != NONE -> put(got) :: else fi;
				got = NONE; k++
			}
#endif
		od
	fi;
#endif
	n = 0
}

/* Pool.freeIn: gone says that zspage zz is the class's no more */
inline freeIn(h, zz) {
	d_step {
		assert(held[h] && member[zz] && header[h] != 0);
		held[h] = false;
		put(h);
		gone = false
	};
	if
#ifdef M6
	/* mutation: do not look at the reserves */
	:: false
#else
#ifdef M16
	/* mutation: take lentMany for a number */
	:: inuse[zz] > 0 && inuse[zz] <= lent[zz] -> recallLast(zz)
#else
	:: inuse[zz] > 0 && (inuse[zz] <= lent[zz] || lent[zz] == MANY) -> recallLast(zz)
#endif
#endif
	:: else
	fi;
	if
#ifdef M17
	/* mutation: give back what compaction has in hand */
	:: d_step { inuse[zz] == 0 -> member[zz] = false; gone = true }
#else
	:: d_step { inuse[zz] == 0 && !isolated[zz] -> member[zz] = false; gone = true }
#endif
	:: else
	fi
}

/* Pool.stock: whoever calls holds class.mu, so nobody else sees half of it */
inline stock(zz, whose) {
	d_step {
		left = 0;
		do
		:: left < CELLS && inuse[zz] < OBJS ->
			take(zz, got);
#ifndef M7
			/* mutation M7: leave the header as it is */
			header[got] = 0;
#endif
			assert(cells[whose * CELLS + left] == NONE);
			cells[whose * CELLS + left] = got;
			left++
		:: else -> break
		od;
		got = NONE;
#ifndef M8
		/* mutation M8: do not count what is lent */
		lent[zz] = (lent[zz] + left < MANY -> lent[zz] + left : MANY)
#endif
	}
}

/* local.takeRun of worker w, into zz */
inline takeRun(w, zz) {
#ifdef M9
	/* mutation: load and store instead of swap */
	zz = runCells[w];
	runCells[w] = NONE
#else
	d_step { zz = runCells[w]; runCells[w] = NONE }
#endif
}

/* runs.get: own, common stock, others' */
inline getRun(zz) {
	takeRun(me, zz);
	if
	:: zz != NONE
	:: else ->
		d_step {
			z2 = 0;
			do
			:: z2 < ZSPAGES && !warm[z2] -> z2++
			:: else -> break
			od;
			if :: z2 < ZSPAGES -> zz = z2; warm[z2] = false :: else fi;
			z2 = 0
		};
		if :: zz != NONE :: else -> takeRun(1 - me, zz) fi
	fi
}

/* runs.put: own stock if there is room, else the common one; zspage zz is gone */
inline putRun(zz) {
	d_step {
		assert(!member[zz]);
		k2 = 0;
		do
		:: k2 < WORKERS * CELLS -> assert(!inZspage(cells[k2], zz)); k2++
		:: else -> break
		od;
		k2 = 0;
		do
		:: k2 < OBJS -> assert(!held[zz * OBJS + k2]); k2++
		:: else -> break
		od;
		k2 = 0
	};
	if
#ifdef M10
	/* mutation: no look whether there is room */
	:: true -> runCells[me] = zz
#else
	:: runCells[me] == NONE -> runCells[me] = zz
#endif
	:: else -> warm[zz] = true
	fi
}

/* Pool.Alloc for worker me, whose reserve has no more than left objects */
inline alloc(h) {
	takeReserved(h);
	if
	:: h != NONE ->
		/* Pool.claim */
		d_step { assert(member[h / OBJS] && !isFree[h] && !held[h]); header[h] = me + 1; held[h] = true }
	:: else ->
		lockClass();
		d_step { fullest(zs) };
#ifndef M11
		/* mutation M11: take a new zspage whatever reserves hold */
		if
		:: zs == NONE -> recall(); atomic { fullest(zs) }
		:: else
		fi;
#endif
		if
		:: zs != NONE
		:: else ->
			d_step {
				k2 = 0;
				do
				:: k2 < WORKERS * CELLS -> assert(cells[k2] == NONE); k2++
				:: else -> break
				od;
				k2 = 0
			};
			unlockClass();
			getRun(zs);
			if
			:: zs == NONE -> goto noRoom
			:: else
			fi;
			lockClass();
			d_step {
				assert(!member[zs]);
				member[zs] = true; inuse[zs] = 0; fresh[zs] = 0; lent[zs] = 0;
				k2 = 0;
				do
				:: k2 < OBJS ->
					isFree[zs * OBJS + k2] = false; header[zs * OBJS + k2] = STRANGE; k2++
				:: else -> break
				od;
				k2 = 0
			}
		fi;
		d_step { take(zs, h); header[h] = me + 1; assert(!held[h]); held[h] = true };
#ifdef M12
		/* mutation: stock with class.mu given back */
		unlockClass();
		stock(zs, me);
		zs = NONE
#else
#ifdef M13
		/* mutation: stock the neighbour's reserve too */
		if
		:: cells[(1 - me) * CELLS] == NONE && inuse[zs] < OBJS -> d_step {
			take(zs, got); header[got] = 0; cells[(1 - me) * CELLS] = got; got = NONE;
			lent[zs] = MANY }
		:: else -> stock(zs, me)
		fi;
#else
		stock(zs, me);
#endif
		unlockClass();
		zs = NONE
#endif
	fi
}

/* Pool.Free */
inline free(h) {
	zs = h / OBJS;
	lockClass();
	freeIn(h, zs);
	unlockClass();
	if :: gone -> putRun(zs); gone = false :: else fi;
	zs = NONE
}

proctype worker(byte me) {
	byte rounds, h = NONE, old = NONE, zs = NONE, got = NONE, n, k, left, z2, n2, k2;
	bool gone;
	do
	:: rounds < ROUNDS ->
		rounds++;
		if
		:: alloc(h)
		:: d_step { slots[me] != NONE -> h = NONE } /* a discard */
		fi;
		d_step { old = slots[me]; slots[me] = h; h = NONE };
		if :: old != NONE -> free(old); old = NONE :: else fi
	:: else -> break
	od;
noRoom:
	zs = NONE;
	d_step { old = slots[me]; slots[me] = NONE };
	if :: old != NONE -> free(old) :: else fi
}

/* class.emptiest, into src, unless what is free of the class (class.spare) is
 * less than a zspage */
inline pick() {
	atomic {
		src = NONE; n2 = 0; z2 = 0;
		do
		:: z2 < ZSPAGES ->
			if
			:: member[z2] ->
				n2 = n2 + OBJS - inuse[z2];
				if
				:: !isolated[z2] && inuse[z2] > 0 && inuse[z2] < OBJS &&
					(src == NONE || inuse[z2] < inuse[src]) -> src = z2
				:: else
				fi
			:: else
			fi;
			z2++
		:: else -> break
		od;
		z2 = 0;
		if :: n2 < OBJS -> src = NONE :: else fi;
		n2 = 0
	}
}

/* Pool.rejoin of zspage zz */
inline rejoin(zz) {
	if
#ifdef M18
	/* mutation: do not look whether others have emptied it */
	:: atomic { zz == src -> isolated[zz] = false }
	:: false ->
		skip;
#else
	:: atomic { inuse[zz] > 0 -> isolated[zz] = false }
	:: d_step { inuse[zz] == 0 -> assert(member[zz]); member[zz] = false; isolated[zz] = false };
#endif
		unlockClass();
		warm[zz] = true; /* dropPages */
		lockClass()
	fi
}

/* Pool.evacuate of src; the class unlocked after each move */
inline evacuate() {
	i = 0;
	do
	:: i < fresh[src] && inuse[src] > 0 ->
		h = src * OBJS + i; i++;
		d_step {
			assert(member[src]);
			k2 = 0;
			do
			:: k2 < WORKERS * CELLS -> assert(!inZspage(cells[k2], src)); k2++
			:: else -> break
			od;
			k2 = 0
		};
		if
		:: header[h] == 0
		:: else ->
			d_step { who = header[h] - 1; assert(who < WORKERS); fullest(zs) };
			if :: zs == NONE -> break :: else fi;
			d_step { take(zs, to); header[to] = who + 1; assert(!held[to]); held[to] = true };
			/* Mover.Move: the slot may be busy, or not call the object its own */
			if
			:: atomic { slots[who] == h -> slots[who] = to }; freeIn(h, src)
			:: freeIn(to, zs); assert(!gone)
			fi;
			unlockClass();
			lockClass()
		fi
	:: else -> break
	od;
	atomic { i = 0; zs = NONE; h = NONE; to = NONE; who = 0 }
}

/* Pool.compactClass */
proctype compactor() {
	byte src = NONE, i, h = NONE, to = NONE, who, zs = NONE, got = NONE, n, k, z2, n2, k2;
	bool gone;
	lockClass();
	do
	:: true ->
#ifndef M14
		/* mutation M14: leave the reserves as they are */
		recall();
#endif
		pick();
		if :: src == NONE -> break :: else fi;
		isolated[src] = true;
		evacuate();
		if :: inuse[src] > 0 :: else -> rejoin(src) fi
	od;
	/* the busy ones */
	src = 0;
	do
	:: src < ZSPAGES ->
		if :: isolated[src] -> rejoin(src) :: else fi;
		src++
	:: else -> break
	od;
	unlockClass()
}

init {
	byte i;
	atomic {
		do
		:: i < ZSPAGES -> warm[i] = true; i++
		:: else -> break
		od;
		run worker(0); run worker(1);
		run compactor()
	};
	(_nr_pr == 1);
	/* at rest: nothing in use, in a reserve or lost; each run is where it can be found once */
	i = 0;
	do
	:: i < ALL -> assert(!held[i]); i++
	:: else -> break
	od;
	i = 0;
	do
	:: i < WORKERS * CELLS -> assert(cells[i] == NONE); i++
	:: else -> break
	od;
	i = 0;
	do
	:: i < ZSPAGES ->
		assert(!member[i]);
		assert(warm[i] + (runCells[0] == i) + (runCells[1] == i) == 1);
		i++
	:: else -> break
	od
}
