package fusefs

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"uzram/store"
)

// A write to backing_dev that the process before had done succeeds when it comes
// again; what anybody else has is in use all the same.
func TestBackingDevComesAgain(t *testing.T) {
	workers, err := store.NewWorkers(1)
	if err != nil {
		t.Fatal(err)
	}
	ours, others := filepath.Join(t.TempDir(), "ours"), filepath.Join(t.TempDir(), "others")
	d, other := &disk{dev: store.NewDevice(workers)}, store.NewDevice(workers)
	t.Cleanup(func() {
		if err := errors.Join(d.dev.Reset(0), other.Reset(0)); err != nil {
			t.Error(err)
		}
	})
	for _, path := range []string{ours, others} {
		if err := os.WriteFile(path, make([]byte, store.PageSize), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.SetBackingDev(others); err != nil {
		t.Fatal(err)
	}
	first, again := new(journalEntry), new(journalEntry)
	first.unique.Store(6)
	again.unique.Store(resent | 6)
	for _, c := range []struct {
		what, path string
		entry      *journalEntry
		want       error
	}{
		{"the first", ours, first, nil},
		{"another one", ours, first, syscall.EBUSY},
		{"the same again", ours + "\n", again, nil},
		{"somebody else's", others, again, syscall.EBUSY},
	} {
		if err := storeBackingDev(d, c.path, c.entry); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
}
