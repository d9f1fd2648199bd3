// Bench-compaction shows what compaction costs the I/O that goes on meanwhile:
// the latency of 4 KiB reads and writes with a compaction after the other,
// beside the same without, in process and on a mount.
//
//	make build && go build -o bin/bench-compaction ./test/bench/compaction && bin/bench-compaction
//
// All the time pages are freed and others are written, so that the pool never
// stays dense and each compaction finds work. A third kind of round has another
// busy thread in place of compaction, for what that alone costs on the machine.
//
// It runs from the root of the tree. It fails when data come back wrong, never
// on a figure.
package main
