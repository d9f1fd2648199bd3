// Package e2e holds the end-to-end tests: one user's story per file, told with the built binary, the kernel and the
// programs that users have. What a story needs more than once is in package harness.
//
//	go test ./test/e2e                       the suite, sized for continuous integration; needs root
//	go test ./test/e2e -run BadInput -rewrite    writes docs/bad-input.md anew
//
// UZRAM_SWAP_HOG, UZRAM_SWAP_LIMIT (sizes in MiB) and UZRAM_SWAP_ROUNDS make the swap story larger.
package e2e
