// Package clib has C's codecs, for tests and benchmarks to compare ours with. It
// is empty but under the build tag clib, which needs cgo, a C compiler and the
// libraries' headers; nothing of the product imports it.
package clib
