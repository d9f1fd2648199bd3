/*
 * Disksize, reset and check against I/O (store/device.go, store/gate.go,
 * store/check.go, store/audit.go). A worker says that it is inside, then loads
 * what the device serves; who takes that away waits until each worker was seen
 * outside. Reset takes it away for good, a check for a moment, again and again:
 * who meets a check waits at the gate and tries again. The device compacts by
 * itself in the meantime.
 *
 * Checked: no request, verb or compaction touches a state that was freed, and
 * none runs while a check holds I/O up; no request finds the device not set up
 * unless it was not, at some moment of the request; opens but the device's own
 * pin its state; what the check has derived from the slots, bit by bit between
 * requests, is at last what is in them, and so are the counters; two states are
 * never live at once; everything ends: there is no cycle at all, so nobody waits
 * or tries for ever.
 * Mutations -DM1 .. -DM23 break one step each; every one must be caught.
 */
#define NONE 0
#define SLOTS 2
#ifdef A
#define RESETS 2
#define CHECKS 0
#define REQUESTS 2
#endif
#ifdef B
#define RESETS 0
#define CHECKS 1
#define REQUESTS 2
#endif
#ifdef C
#define RESETS 1
#define CHECKS 1
#define REQUESTS 1
#endif
#ifdef D
#define RESETS 2
#define CHECKS 0
#define REQUESTS 0
#endif
#define WORKERS 2
#define TRIES 2         /* holdTries */
#define STATES (RESETS + 2)

byte live = NONE;       /* Device.live: 0 = not set up, else the state's number */
byte serving = NONE;    /* Device.serving */
bool exists[STATES];    /* states that have their memory */
byte made;              /* numbers given out */
bool inside[WORKERS];   /* Scratch.inside is odd */
bool moved[WORKERS] = true; /* and has changed since waitOutside saw it so */
bool at[WORKERS];       /* Scratch.at is this device, not another of the same crew */
bool cfgMu;
byte verbs;             /* control verbs that hold cfgMu for reading */
bool gate;
byte ownOpens = 1, opens = 1;
bool resetting;
bool passMu[STATES];
bool quit[STATES], ended[STATES]; /* compactor.quit, compactor.ended */
bool turn[STATES], stop[STATES]; /* postRuns */
byte pending[STATES];

/* the slots: all that is known of one is whether it is in use */
bool slots[SLOTS];
short counted;          /* live.counters */
bool audit;             /* live.audit: a check is under way */
byte cursor;            /* audit.cursor */
short sum;              /* audit.sum */

/* ghosts */
bool using[WORKERS];    /* a request has the live state */
byte asks[WORKERS];     /* 0 = no request, 1 = one, 2 = the device was not set up at some moment of it */
bool held;              /* a check's step runs */

#define touch(l) assert(exists[l] && !held)

/* inside.Add(1) */
inline count() { atomic { inside[me] = !inside[me]; moved[me] = true } }

/* d.serving.Load */
inline loadServing(l) {
	atomic { l = serving; using[me] = (l != NONE) }
}

/* Scratch.enter and enterHeld, into l */
inline enter(l) {
#ifndef M23
	at[me] = true;
#endif
#ifdef M1
	/* mutation: load first, then say so */
	atomic { asks[me] = (live == NONE -> 2 : 1); loadServing(l) };
	count();
#else
	atomic { asks[me] = (live == NONE -> 2 : 1); count() };
	loadServing(l);
#endif
#ifdef M23
	/* mutation: say where one is inside after the load */
	at[me] = true;
#endif
#ifndef M7
	/* mutation M7: take a device that is held up for one that is not set up */
	do
	:: l != NONE -> break
	:: else ->
#ifndef M5
		/* mutation M5: wait at the gate, seen inside */
		count();
#endif
#ifdef M6
		/* mutation: go on with what the gate let one see */
		atomic { !gate -> l = live; using[me] = (l != NONE) };
		count();
		break
#else
		atomic { !gate -> setUp = (live != NONE) }; /* RLock, load, RUnlock */
		count();
		loadServing(l);
		if
		:: atomic { l != NONE || !setUp -> setUp = false; break }
		:: atomic { l == NONE && setUp -> setUp = false }
		fi
#endif
	od
#endif
}

/* Scratch.leave */
inline leave() { atomic { asks[me] = 0; using[me] = false; count() } }

proctype worker(byte me) {
	byte n, l, i;
	bool setUp, old, e;
	do
	:: n < REQUESTS ->
		n++;
#ifdef A
		/* a request of another device may come first */
		if
		:: true
		:: at[me] = false; count(); count()
		fi;
#endif
		enter(l);
		if
		:: l == NONE ->
			/* ENOSPC, or nothing to read */
			atomic { assert(asks[me] == 2); asks[me] = 0; count() }
		:: else ->
			touch(l);
#if CHECKS > 0
			/* a page is written or discarded: commit */
			atomic {
				if :: i = 0 :: i = 1 fi;
				old = slots[i]; e = 1 - old; slots[i] = e
			};
#ifdef M15
			/* mutation: settle after the request */
			counted = counted + e - old;
			leave();
#endif
			/* live.settle: audit.replaced */
			if
#ifndef M21
			/* mutation M21: tell nothing */
			:: audit ->
#ifdef M22
				/* mutation: tell of slots to come too */
				atomic { sum = sum + e - old }
#else
				if :: i < cursor -> atomic { sum = sum + e - old } :: else fi
#endif
#endif
			:: else
			fi;
#ifndef M15
			touch(l);
#ifdef M14
			/* mutation: be outside before all is counted */
			leave();
#endif
			counted = counted + e - old;
#endif
#else
			touch(l);
#endif
#if CHECKS == 0 || !defined(M14) && !defined(M15)
			leave();
#endif
			d_step { l = NONE; i = 0; e = 0; old = 0 }
		fi
	:: else -> break
	od
}

inline readLockCfg() { atomic { !cfgMu -> verbs++ } }
inline readUnlockCfg() { atomic { verbs-- } }
inline lockCfg() { atomic { !cfgMu && verbs == 0 -> cfgMu = true } }
inline lockGate() { atomic { !gate -> gate = true } }

/* Device.Compact: withLive and live.compact */
proctype verb() {
	byte l;
#ifdef M2
	/* mutation: take no lock */
	l = live;
#else
	readLockCfg();
	l = live;
#endif
	if
	:: l != NONE ->
		atomic { !passMu[l] -> passMu[l] = true };
		touch(l);
		passMu[l] = false
	:: else
	fi;
#ifndef M2
	readUnlockCfg()
#endif
}

/* Device.postProcess with a run of one stretch */
proctype postRun() {
	byte l;
	readLockCfg();
	l = live;
#ifndef M20
	/* mutation M20: go on without being counted */
	if :: atomic { l != NONE -> pending[l]++ } :: else fi;
#endif
	readUnlockCfg();
	if
	:: l != NONE ->
		if
		:: stop[l]
		:: atomic { !turn[l] -> turn[l] = true };
			/* recompressor.stretch */
			atomic { !passMu[l] -> passMu[l] = true };
			if :: stop[l] :: else -> touch(l) fi;
			passMu[l] = false;
			turn[l] = false
		fi;
#ifndef M20
		atomic { pending[l]-- }
#endif
	:: else
	fi
}

/* compactor.start; once is enough */
proctype compactor(byte l) {
	if
	:: quit[l]
	:: true ->
#ifdef M12
		/* mutation: compact beside a check */
		touch(l)
#else
		atomic { !passMu[l] -> passMu[l] = true };
		touch(l);
		passMu[l] = false;
#endif
		quit[l]
	fi;
	ended[l] = true
}

/* Workers.waitOutside; patience ends only where a request does not */
inline waitOutside(patient, ok) {
	w = 0; ok = true;
	do
	:: w < WORKERS ->
		atomic { moved[w] = !inside[w] }; /* seen := inside.Load() */
		if
#ifdef M3
		/* mutation: look at the first worker only */
		:: w > 0 -> moved[w] = true; w++
		:: atomic { w == 0 && (moved[w] || !at[w]) -> moved[w] = true; w++ }
#else
		:: atomic { moved[w] || !at[w] -> moved[w] = true; w++ }
#endif
		:: atomic { !patient && !moved[w] && using[w] -> moved[w] = true; ok = false; w = 0; break }
		fi
	:: atomic { w == WORKERS -> w = 0; break }
	od
}

/* Device.holdIO up to f; ok = false when there was no moment for it */
inline holdIO(ok) {
#ifndef M13
	/* mutation M13: leave the gate open */
	lockGate();
#endif
	atomic { l2 = serving; serving = NONE };
	waitOutside(false, ok);
#ifdef M9
	/* mutation: run f all the same */
	ok = true;
#endif
	if :: ok -> held = true; assert(!using[0] && !using[1]) :: else fi
}

/* and behind it */
inline letIO(ok) {
	assert(!ok || !using[0] && !using[1]);
	held = false;
#ifdef M8
	/* mutation: let I/O go on only if f ran */
	if :: ok -> serving = l2 :: else fi;
#else
	serving = l2;
#endif
	gate = false
}

/* Device.Check and checker.run: step 0 begins, 1 and 2 weigh a slot, 3 compares */
proctype checker() {
	byte n, l, l2, step, try, w;
	bool ok;
	do
	:: n < CHECKS ->
		n++;
#ifndef M16
		/* mutation M16: take no lock of the device */
		readLockCfg();
#endif
		l = live;
		if
		:: l == NONE
		:: else ->
			atomic { !passMu[l] -> passMu[l] = true };
			step = 0;
			try = 0;
			do
			:: step <= SLOTS + 1 && try < TRIES ->
#ifdef M19
				/* mutation: weigh the slots while requests are under way */
				if
				:: step == 1 || step == 2 -> sum = sum + slots[cursor]; cursor++; step++
				:: else -> skip
				fi;
				if :: step == 1 || step == 2 -> goto again :: else fi;
#endif
				holdIO(ok);
				if
				:: ok && step == 0 -> d_step { cursor = 0; sum = 0; audit = true }
				:: ok && (step == 1 || step == 2) -> d_step { sum = sum + slots[cursor]; cursor++ }
				:: ok && step == 3 -> assert(sum == slots[0] + slots[1] && counted == sum)
				:: !ok
				fi;
				letIO(ok);
				atomic { if :: ok -> step++; try = 0 :: else -> try++ fi; ok = false; l2 = 0 };
#ifdef M19
again:				skip
#endif
			:: else -> break
			od;
			atomic { audit = false; cursor = 0; sum = 0; step = 0; try = 0 };
			passMu[l] = false
		fi;
#ifndef M16
		readUnlockCfg();
#endif
		l = 0
	:: else -> break
	od
}

inline setDown(l) {
	atomic {
		live = l;
		if :: l == NONE && asks[0] == 1 -> asks[0] = 2 :: else fi;
		if :: l == NONE && asks[1] == 1 -> asks[1] = 2 :: else fi
	}
}

inline setLive(l) {
#ifdef M18
	/* mutation: leave the gate open */
	setDown(l);
	serving = l
#else
	lockGate();
	setDown(l);
#ifndef M10
	/* mutation M10: leave serving as it is */
	serving = l;
#endif
	gate = false
#endif
}

/* Device.SetDisksize */
inline setDisksize() {
	lockCfg();
	if
	:: live != NONE /* EBUSY */
	:: else ->
		d_step { made++; exists[made] = true };
#ifdef B
		ended[made] = true; /* one process less */
#else
		run compactor(made);
#endif
		setLive(made)
	fi;
	cfgMu = false
}

/* Device.claim: got = false when others have the image open */
inline claim() {
#ifdef M17
	/* mutation: look first, claim later */
	if
	:: opens <= ownOpens -> assert(!resetting); resetting = true; got = true
	:: opens > ownOpens -> got = false
	fi
#else
	if
	:: atomic { opens <= ownOpens -> assert(!resetting); resetting = true; got = true }
	:: atomic { opens > ownOpens -> got = false } /* after closeGrace */
	fi
#endif
}

/* postRuns.end */
inline endRuns() {
	stop[l] = true;
	pending[l] == 0
}

proctype owner() {
	byte n, l, w;
	bool got, ok;
	setDisksize();
	do
	:: n < RESETS ->
		n++;
		/* Device.Reset */
		claim();
		if
		:: !got
		:: else ->
			lockCfg();
			l = live;
			if
			:: l == NONE
			:: else ->
#ifdef M4
				/* mutation: wait first, take the state away afterwards */
				waitOutside(true, ok);
				setLive(NONE);
				endRuns();
#else
				setLive(NONE);
				endRuns();
				waitOutside(true, ok);
#endif
				/* live.close: compactor.end, then the memory */
				quit[l] = true;
#ifndef M11
				/* mutation M11: do not wait for the compactor */
				ended[l];
#endif
				exists[l] = false;
				d_step { slots[0] = 0; slots[1] = 0; counted = 0 }
			fi;
			cfgMu = false;
			resetting = false;
			if :: n < RESETS -> setDisksize() :: else fi
		fi
	:: else -> break
	od;
	atomic { l = live; if :: l != NONE -> quit[l] = true :: else fi }
}

/* Device.Open and Close by somebody who is not the device's own */
proctype opener() {
	byte l;
	if
	:: atomic { !resetting -> opens++ };
		l = live;
		assert(l == NONE || live == l);
		atomic { opens-- }
	:: atomic { resetting -> skip } /* EBUSY */
	fi
}

init {
	byte i;
	atomic {
		run worker(0); run worker(1); run owner();
#if CHECKS > 0
		run checker();
#else
		run verb();
#endif
#ifdef D
		run postRun(); run postRun(); run opener();
#endif
		skip
	};
	(_nr_pr == 1);
	assert(serving == live && !gate && !cfgMu && verbs == 0 && !audit);
	i = 1;
	do
	:: i < STATES -> assert(exists[i] == (live == i)); i++
	:: else -> break
	od
}
