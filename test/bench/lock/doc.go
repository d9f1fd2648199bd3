// Bench-lock measures the slot lock of internal/park under contention, beside
// sync.RWMutex and, as control, a lock that spins.
//
//	go build -o bin/bench-lock ./test/bench/lock && bin/bench-lock
//
// Two stories, described in docs/benchmarks.md:
//
//	contention  goroutines on one lock and on 64, on 1, 2 and 8 processors of Go:
//	            throughput, waits and fairness
//	class       a SCHED_FIFO thread and a normal one share one lock and one CPU,
//	            in a child process that cannot outlive its time
//
// It never fails on a figure.
package main
