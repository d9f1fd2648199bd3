//go:build nextformat

package offheap

// FormatVersion is that of the release to come, for tests of upgrades: format 2 keeps
// a loop device by its number.
const FormatVersion = 2
