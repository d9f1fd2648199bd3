// Package harness runs the built uzram binary for the end-to-end tests.
//
//	test binary ── ledger (pipe) ──> reaper        undoes what is left, should the test binary die
//	     │
//	     ├── uzram mount ...          its own process; a process must never touch a FUSE mount that it serves
//	     ├── roles                    the test binary again: swap hog, image scribbler (see Role)
//	     └── losetup, fio, dd ...     with a time limit each
//
// What a test creates (mount, swap, control group, process) goes into the ledger in the moment of its creation, and with
// it the order to undo it: a cleanup of the test, in reverse. The ledger lives in a second process, which undoes the rest
// when the first one panics, runs into go test's time limit or is killed.
//
// Nothing here waits by sleeping for something to be ready: the mount table, processes and pipes tell when they change.
// A test whose mount no longer answers is ended by its watchdog, which aborts the mount's FUSE connection.
//
// A missing prerequisite fails the run, and so does anything left over at its end: mounts, loop devices, swap spaces,
// control groups, processes, descriptors.
//
// Environment: UZRAM_BIN names the binary (default bin/uzram in the repository).
package harness
