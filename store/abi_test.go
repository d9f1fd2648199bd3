package store

import (
	"testing"

	"uzram/alloc"
	"uzram/internal/zramabi"
)

// What the control files and their users say of huge pages is what the pool does.
func TestHugeSizeIsTheABIs(t *testing.T) {
	if alloc.HugeThreshold != zramabi.HugeSize {
		t.Errorf("the pool stores objects from %d bytes on raw, the ABI says %d", alloc.HugeThreshold, zramabi.HugeSize)
	}
}
