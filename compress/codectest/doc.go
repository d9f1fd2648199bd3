// Package codectest wraps codecs for tests of those who use them.
//
//	lz4-waiting   each call is done by another goroutine; the caller waits for its answer
//	lz4-slow      each call yields or sleeps for a random moment first
//	lz4-failing   calls fail at random, as often as the test says
//
// A wrapped codec writes and reads what its inner one does, so pages are of the
// same sizes. Its calls allocate nothing, so users may go on counting
// allocations.
package codectest
