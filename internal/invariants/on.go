//go:build invariants || race

package invariants

// Enabled reports whether checks are compiled in.
const Enabled = true

// poison is what freed memory holds in checking builds: an odd, unlikely value
// that no codec takes for a valid stream.
const poison = 0xdb

// Poison overwrites memory that nobody may read any more.
func Poison(b []byte) {
	for i := range b {
		b[i] = poison
	}
}
