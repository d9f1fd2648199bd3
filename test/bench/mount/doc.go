// Bench-mount compares a mounted uzram, the built binary as its own process,
// with its peers under fio: on the image, and through a loop device.
//
//	make build && go build -o bin/bench-mount ./test/bench/mount && bin/bench-mount
//
// The peers are a kernel zram device of its own, a file on tmpfs, and nbdkit's
// memory plugin with its zstd allocator under nbdfuse. What is compared with
// what, and how, is in docs/benchmarks.md.
//
// A peer that is not there, fails or hangs is reported as missing. The exit
// status is about uzram alone, and never about a figure.
package main
