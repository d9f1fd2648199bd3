// Bench-codecs compares our codecs, on one thread, with C's and with Go libraries,
// on pages of the corpus that are not same-filled.
//
//	go build -tags clib -o bin/bench-codecs ./test/bench/codecs && bin/bench-codecs
//
// It runs from the root of the tree. What is compared with what, and how, is in
// docs/benchmarks.md. It never fails on a figure: it fails when a codec does.
package main
