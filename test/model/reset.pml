/*
 * Reset and disksize against I/O (store/device.go): a worker says that it is
 * inside, then loads the device's live state; reset takes the state away, then
 * waits until each worker was seen outside, then frees it. Opens pin the state
 * but for those that are the device's own (its loop device), which is why I/O
 * can still come while a reset runs.
 *
 * Checked: no request touches a state that was freed; every reset and every
 * request ends; two states are never live at once; what is taken is freed.
 * Mutations -DM1 .. -DM4 break one step each; every one must be caught.
 */
#define WORKERS 2
#define REQUESTS 2
#define RESETS 2
#define NONE 0

byte live = NONE;        /* Device.live: 0 = not set up, else the state's number */
bool exists[4];          /* states that have their memory */
byte made;               /* numbers given out */
bool inside[WORKERS];    /* Scratch.inside */
bool cfgMu;
byte verbs;              /* control verbs that hold cfgMu for reading */
byte ownOpens = 1, opens = 1;
bool resetting;

proctype worker(byte me) {
	byte n, l;
	do
	:: n < REQUESTS ->
		n++;
#ifdef M1
		/* mutation: load first, then say so */
		l = live;
		inside[me] = true;
#else
		inside[me] = true;
		l = live;
#endif
		if
		:: l == NONE -> skip /* ENOSPC, or nothing to read */
		:: else ->
			assert(exists[l]); /* the first touch */
			assert(exists[l])  /* and the last */
		fi;
		inside[me] = false
	:: else -> break
	od
}

/* compact, idle, statistics: Device.withLive */
proctype verb() {
	byte l;
#ifdef M2
	/* mutation: take no lock */
	l = live;
#else
	atomic { !cfgMu -> verbs++ };
	l = live;
#endif
	if :: l != NONE -> assert(exists[l]) :: else fi;
#ifndef M2
	verbs--
#endif
}

inline setUp() {
	atomic { !cfgMu && verbs == 0 -> cfgMu = true };
	if
	:: live != NONE -> skip /* EBUSY */
	:: else ->
		d_step { made++; exists[made] = true };
		live = made
	fi;
	cfgMu = false
}

proctype owner() {
	byte n, l, w;
	setUp();
	do
	:: n < RESETS ->
		n++;
		/* Device.claim */
		atomic { assert(!resetting); opens <= ownOpens -> resetting = true };
		atomic { !cfgMu && verbs == 0 -> cfgMu = true };
		/* live.Swap(nil) */
		atomic { l = live; live = NONE };
		if
		:: l == NONE -> skip
		:: else ->
#ifdef M3
			/* mutation: look at one worker only */
			!inside[0];
#else
#ifdef M4
			/* mutation: wait first, take the state away afterwards */
			live = l;
			w = 0;
			do :: w < WORKERS -> !inside[w]; w++ :: else -> break od;
			live = NONE;
#else
			w = 0;
			do
			:: w < WORKERS -> !inside[w]; w++
			:: else -> break
			od;
#endif
#endif
			exists[l] = false
		fi;
		cfgMu = false;
		resetting = false;
		if :: n < RESETS -> setUp() :: else fi
	:: else -> break
	od
}

init {
	byte i;
	atomic { run worker(0); run worker(1); run owner(); run verb() };
	(_nr_pr == 1);
	assert(live == NONE && !cfgMu && verbs == 0);
	i = 1;
	do
	:: i < 4 -> assert(!exists[i]); i++
	:: else -> break
	od
}
