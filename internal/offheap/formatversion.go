//go:build !nextformat

package offheap

// FormatVersion is the newest format.
const FormatVersion = 1
