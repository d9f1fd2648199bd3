// Package invariants says at compile time whether this build checks itself.
//
// Enabled is true under the build tags invariants and race. Code guarded by it
// vanishes from other builds, so a check may be as slow as it likes:
//
//	if invariants.Enabled {
//		p.check()
//	}
package invariants
