package store

import (
	"os"
	"testing"

	"uzram/internal/lockdep"
)

// With -v, checking builds say for how long locks were held.
func TestMain(m *testing.M) {
	code := m.Run()
	if testing.Verbose() {
		lockdep.WriteLongest(os.Stdout)
	}
	os.Exit(code)
}
