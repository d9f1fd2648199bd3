//go:build !invariants && !race

package invariants

// Enabled reports whether checks are compiled in.
const Enabled = false

// Poison overwrites memory that nobody may read any more; here it does nothing.
func Poison([]byte) {}
