// Bench-post shows how fast pages leave memory: writeback to a file on a disk,
// beside that file's own speed, and recompression, beside the codecs alone.
//
//	go build -o bin/bench-post ./test/bench/post && bin/bench-post
//
// The disk is the page corpus over and over, each page with its number in it.
// Part of it stays in memory and is read all the time, for what a run costs the
// I/O beside it. Every page is read back and compared.
//
// It runs from the root of the tree. It fails when data come back wrong, never
// on a figure.
package main
