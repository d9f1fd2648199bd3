// Bench-memory shows where the memory goes: what the engine and a kernel zram
// device of its own take for the page corpus, before and after most of it was
// freed again, and what the engine keeps beside the pool for a full disk.
//
//	go build -o bin/bench-memory ./test/bench/memory && bin/bench-memory
//
// With -classes it is a study on paper instead: what the corpus's objects would
// take in pools with other tables of size classes.
//
// It runs from the root of the tree. What is compared with what is in
// docs/benchmarks.md. It takes no time into account, and never fails on a figure.
package main
