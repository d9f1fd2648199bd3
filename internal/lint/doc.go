// Package lint holds tests of the tree itself: rules that the compiler and the
// usual linters do not know. A rule is a function from one parsed file, or one
// package, to findings; the tests run every rule over the tree, and over a
// sample that it must reject, so that a rule that has gone blind is noticed.
//
// The rules:
//
//   - imports follow the arrows of the architecture (imports.go)
//   - unsafe stays in *_unsafe.go and in internal/offheap
//   - no test skips itself: what is missing is a failure
//   - the transport and the loop helpers open files by raw system call only,
//     for Go's poller would make the kernel send FUSE_POLL to ourselves
//   - each package has a doc.go with its package comment
//   - files and functions keep to a size that can be read at one go
package lint
