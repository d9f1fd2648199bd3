// Coverage judges coverage profiles of go test: at least a share of each
// package's statements is covered, and each function with blocks that are not is
// in a table of reasons, with at least as many as there are: some blocks need an
// interleaving that tests meet only now and then.
//
//	coverage -reasons docs/coverage.md -least 95 PROFILE...
package main
