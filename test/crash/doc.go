// Package crash kills the process that serves a mount, at every numbered step
// (internal/failpoint) and at random, and looks for what should not have
// happened: an I/O error, a wrong byte, a lost page, a hang, a leak.
//
//	test ── board (shared memory) ──> worker, standby     when to die, and when it happened
//	  ├── SIGKILL ─────────────────────┘
//	  ├── scribblers, fio, ext4, swap hog, verbs          use the mount, and know what must be there
//	  └── prober                                          how long nobody was answered
//
// It drives the built binary with the points compiled in, bin/uzram-crash:
//
//	make crash             the short form, a stage of make test
//	make crash TIME=30m    as long as wanted; prints the tables of docs/crash.md
//	make crash TIME=30m ARGS='-crash.large -test.run TestSwap$'    a hog of 1.5 GiB
//
// At the end of each mount the engine's own check must find nothing, no request
// may have failed, and once all pages are discarded nothing may be left in pool
// and backing device.
package crash
