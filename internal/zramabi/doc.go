// Package zramabi is the control interface of the kernel's zram as data: the
// names and modes of its files, the grammars of what is written to them, and
// the text of what is read from them, each with a formatter and a parser that
// undo each other.
//
//	text of a write ──Parse…──> value ──> the device
//	the device ──> value ──Append/String──> text of a read ──Parse…──> value
//
// Values are plain structs, so that the daemon, the command line and tests work
// on the same ones; the parsers read a kernel's files as well as uzram's.
//
// Every parse error wraps the syscall.Errno that the kernel answers: EINVAL,
// ERANGE or E2BIG. The package knows no device and no state, hence never says
// EBUSY.
package zramabi
