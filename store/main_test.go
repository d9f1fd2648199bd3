package store

import (
	"os"
	"testing"

	"uzram/internal/lockdep"
)

// childMain is what this program does as a child of a test, told in its
// environment.
var childMain func(text string) int

// With -v, checking builds say for how long locks were held.
func TestMain(m *testing.M) {
	if text := os.Getenv("UZRAM_STORE_TEST_CHILD"); text != "" {
		os.Exit(childMain(text))
	}
	code := m.Run()
	if testing.Verbose() {
		lockdep.WriteLongest(os.Stdout)
	}
	os.Exit(code)
}
