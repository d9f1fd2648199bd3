// Package clib has C's codecs, for tests and benchmarks to compare ours with:
// under the build tag clib, which needs cgo, a C compiler and the libraries'
// headers. Nothing of the product imports it.
//
// The libraries are called as the kernel calls its own copies of them: contexts
// are made once, and a page is one call.
package clib
