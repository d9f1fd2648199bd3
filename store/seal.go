package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync/atomic"
)

// sealer protects blocks of the backing device. What it knows of each block
// stays in memory, so that a block of 4 KiB holds 4 KiB. A block's state is
// written by who has taken the block, and read by who has a lock of a slot that
// names it.
type sealer interface {
	// seal makes of a block in memory what goes to the device as that block. It may
	// use the sealOverhead bytes behind it, and leaves them as they were.
	seal(s *Scratch, p []byte, block uint64)
	// open undoes it. It may use the sealOverhead bytes behind p too. false: this is
	// not what was written there.
	open(s *Scratch, p []byte, block uint64) bool
}

// sealOverhead is how many bytes behind a block a sealer may use.
const sealOverhead = tagSize

// checksums tell a block that came back different, or from another place.
type checksums []uint32

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (c checksums) sum(s *Scratch, p []byte, block uint64) uint32 {
	binary.LittleEndian.PutUint64(s.seal[:], block)
	return crc32.Update(crc32.Checksum(s.seal[:8], castagnoli), castagnoli, p[:PageSize])
}

func (c checksums) seal(s *Scratch, p []byte, block uint64) { c[block] = c.sum(s, p, block) }

func (c checksums) open(s *Scratch, p []byte, block uint64) bool {
	return c[block] == c.sum(s, p, block)
}

// encryption is AES-256-GCM with a key that was never anywhere but in memory. A
// nonce is the number of the write, so none comes twice under a key; the block's
// number is authenticated with it, so blocks cannot change places. Key and number
// lie in the state, and the number is taken before it is used, so that a
// successor goes on behind it.
type encryption struct {
	aead   cipher.AEAD
	writes *atomic.Uint64
	blocks []sealedBlock
}

type sealedBlock struct {
	write uint64
	tag   [tagSize]byte
}

const (
	keySize   = 32
	nonceSize = 12
	tagSize   = 16
)

// newKey makes another key for blocks to come.
func (st *stateWords) newKey() error {
	if _, err := rand.Read(st.key[:]); err != nil {
		return fmt.Errorf("key of the backing device: %w", err)
	}
	return nil
}

// newEncryption encrypts by the state's key.
func newEncryption(st *stateWords, blocks []sealedBlock) (*encryption, error) {
	block, err := aes.NewCipher(st.key[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if aead.NonceSize() != nonceSize || aead.Overhead() != tagSize {
		return nil, errors.New("AES-GCM of another shape")
	}
	return &encryption{aead: aead, writes: &st.sealed, blocks: blocks}, nil
}

// nonce is that of a write, and the data that a block is authenticated with. Both
// lie in the scratch, since what is passed to a cipher would be allocated.
func (e *encryption) nonce(s *Scratch, write, block uint64) (nonce, data []byte) {
	nonce, data = s.seal[:nonceSize], s.seal[nonceSize:][:8]
	clear(nonce)
	binary.LittleEndian.PutUint64(nonce, write)
	binary.LittleEndian.PutUint64(data, block)
	return nonce, data
}

func (e *encryption) seal(s *Scratch, p []byte, block uint64) {
	b := &e.blocks[block]
	b.write = e.writes.Add(1)
	nonce, data := e.nonce(s, b.write, block)
	behind := p[PageSize : PageSize+tagSize]
	s.behind = [tagSize]byte(behind)
	e.aead.Seal(p[:0], nonce, p[:PageSize], data)
	b.tag = [tagSize]byte(behind)
	copy(behind, s.behind[:])
}

func (e *encryption) open(s *Scratch, p []byte, block uint64) bool {
	b := &e.blocks[block]
	nonce, data := e.nonce(s, b.write, block)
	copy(p[PageSize:PageSize+tagSize], b.tag[:])
	_, err := e.aead.Open(p[:0], nonce, p[:PageSize+tagSize], data)
	return err == nil
}
