package lockdep

import "testing"

// What a lock and unlock cost in this build.
func BenchmarkMutex(b *testing.B) {
	var m Mutex[ClassRank]
	for b.Loop() {
		m.Lock()
		m.Unlock() //lint:ignore SA2001 the lock alone is measured
	}
}
