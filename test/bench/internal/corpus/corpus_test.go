package corpus

import (
	"os"
	"path/filepath"
	"testing"
)

// Figures of another corpus would be compared with those of this one.
func TestReadTakesTheCorpusOnly(t *testing.T) {
	mem := make([]byte, Size)
	file := filepath.Join(t.TempDir(), "corpus.bin")
	if err := read(file, mem); err == nil {
		t.Error("a file that is not there was read")
	}
	for _, data := range [][]byte{nil, []byte("short"), make([]byte, Size)} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := read(file, mem); err == nil {
			t.Errorf("a file of %d other bytes was taken", len(data))
		}
	}
}
