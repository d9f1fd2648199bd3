// Bench-engine compares the engine, in process and on one thread, with a kernel
// zram device of its own, on the page corpus.
//
//	go build -o bin/bench-engine ./test/bench/engine && bin/bench-engine
//
// It runs from the root of the tree. What is compared with what, and how, is in
// docs/benchmarks.md. It never fails on a figure: it fails when the engine does.
package main
