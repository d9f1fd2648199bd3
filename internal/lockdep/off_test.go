//go:build !invariants && !race

package lockdep

import (
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// In builds that do not check, the types are those of package sync, so their
// methods cost the same.
var (
	_ *sync.Mutex   = (*Mutex[ClassRank])(nil)
	_ *sync.RWMutex = (*RWMutex[SettingsRank])(nil)
)

// compilerNotes is what the compiler says about the inlining of a package.
func compilerNotes(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.Command("go", "build", "-gcflags=-m=2", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// What is called around the locks of slots has to vanish: every function is
// inlined, and what is inlined is empty.
func TestFunctionsVanish(t *testing.T) {
	notes := compilerNotes(t, ".")
	for _, name := range []string{"IDOf", "Acquire", "Acquired", "Try", "Tried", "Release", "AssertHeld", "AssertNoneHeld"} {
		t.Run(name, func(t *testing.T) {
			for line := range strings.Lines(notes) {
				if _, rest, ok := strings.Cut(line, "can inline "+name+" "); ok && empty(rest) {
					return
				}
			}
			t.Errorf("not empty, or not inlined:\n%s", notes)
		})
	}
}

func empty(body string) bool {
	return strings.Contains(body, "{  }") || strings.Contains(body, "{ return ID(0) }")
}

// Package park knows package sync through this one only.
func TestMethodsAreInlinedElsewhere(t *testing.T) {
	notes := compilerNotes(t, "../park")
	for _, want := range []string{"inlining call to sync.(*Mutex).Lock", "inlining call to sync.(*Mutex).Unlock"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the compiler does not say %q:\n%s", want, notes)
		}
	}
}
