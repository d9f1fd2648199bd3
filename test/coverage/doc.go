// Coverage judges coverage profiles of go test: at least a share of each
// package's statements is covered, and each function with a block that is not is
// in a table of reasons, with the right number of such blocks. A reason for what
// is covered by now is as wrong as a missing one.
//
//	coverage -reasons docs/coverage.md -least 95 PROFILE...
package main
