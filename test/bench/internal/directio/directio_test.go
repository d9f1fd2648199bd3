package directio

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// memory is a disk of a fixed size that can be told to fall short.
type memory struct {
	data  []byte
	limit int // bytes of one transfer
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	return copy(p[:min(len(p), m.limit)], m.data[off:]), nil
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if off >= int64(len(m.data)) {
		return 0, errors.New("past the end")
	}
	return copy(m.data[off:], p[:min(len(p), m.limit)]), nil
}

func TestFillAndCheck(t *testing.T) {
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))
	data := make([]byte, 2*Chunk)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	disk := &memory{data: make([]byte, 5*Chunk+4096), limit: Chunk}
	size := int64(len(disk.data))
	buf := make([]byte, Chunk)
	if err := Fill(disk, data, size); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if !bytes.Equal(disk.data[4*Chunk:5*Chunk], data[:Chunk]) {
		t.Errorf("seed %d: data do not repeat", seed)
	}
	if err := Check(disk, buf, data, size); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}

	disk.data[3*Chunk+77] ^= 1
	if err := Check(disk, buf, data, size); err == nil || !strings.Contains(err.Error(), "differ") {
		t.Errorf("seed %d: a flipped bit gave %v", seed, err)
	}
	disk.limit = Chunk - 512
	if err := Fill(disk, data, size); err == nil {
		t.Error("a short write is no error")
	}
	disk.limit = Chunk
	if err := Fill(disk, data, size+Chunk); err == nil {
		t.Error("a write past the end is no error")
	}
}
