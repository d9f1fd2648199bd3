// Bench-gc shows what the Go runtime's garbage collector costs I/O: the latency of 4 KiB reads of a mounted disk under full
// load, with collections off, as the daemon is shipped, and with one forced every few milliseconds.
//
//	make build && go build -o bin/bench-gc ./test/bench/gc && bin/bench-gc
//
// Nothing allocates on the Go heap for a read or write, so that collections are rare: what a forced one costs is far more
// than what users will see. The longest time that a collection stopped all goroutines is read from debug/status.
//
// It runs from the root of the tree. It fails when data come back wrong, never on a figure.
package main
