package keeper

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Protocol is the version of the messages. Both ends must have the same one.
const Protocol = 1

// kind says what a message is. The numbers are part of the protocol.
type kind uint16

// Messages of a child.
const (
	kindStanding kind = 1 + iota // a, b: formats it can read; c: the one it makes. The child waits for kindGo
	kindHold                     // text: name; with the descriptor. Answered by kindAck
	kindDrop                     // text: name. Answered by kindAck
	kindServing                  // requests are answered, or again. Answered by kindAck
	kindSettled                  // the start is over: from now on nothing is lost. Answered by kindAck
	kindEnded                    // the work is over; the child's exit code is the keeper's. Answered by kindAck
	kindPong                     // answers kindPing
	kindUpgrade                  // text: token, NUL, path. Answered by kindUpgraded
	kindRetired                  // code: that of kindRetire. The child has nothing under way and begins nothing more
)

// Messages of the keeper.
const (
	kindAck      kind = 64 + iota // code: errno
	kindGo                        // code: 1 if there was no worker before
	kindState                     // a: takeovers; b: microseconds of the last; code: stateStanding; c: seconds of waiting. text: why an upgrade was refused
	kindPing                      // answered by kindPong
	kindUpgraded                  // code: errno; text: why not
	kindRetire                    // code: number. End what is under way and begin no more; answered by kindRetired
	kindResume                    // go on after all
)

// stateStanding is the bit of a state's code that says that a standby is ready. Those above are the keeper's process id.
const (
	stateStanding = 1
	stateShift    = 1
)

const (
	headerLen = 32
	// maxText is the longest name, path or sentence in a message, in bytes.
	maxText = 4096
	maxName = 63
)

// message is what travels. Its text is the buffer's of the wire that received it, and good until the next one comes.
type message struct {
	kind    kind
	code    uint32
	a, b, c uint64
	text    []byte
	fd      int // -1: none
}

var (
	// ErrLost says that the process at the other end is gone. It wraps EPIPE.
	ErrLost = fmt.Errorf("the other end of the keeper's connection is gone: %w", unix.EPIPE)

	errProtocol = errors.New("not the protocol of this version")
)

// put writes a message's head and text into p and returns its length.
func (m *message) put(p []byte) int {
	e := binary.NativeEndian
	e.PutUint16(p[0:], Protocol)
	e.PutUint16(p[2:], uint16(m.kind))
	e.PutUint32(p[4:], m.code)
	e.PutUint64(p[8:], m.a)
	e.PutUint64(p[16:], m.b)
	e.PutUint64(p[24:], m.c)
	return headerLen + copy(p[headerLen:], m.text)
}

// get reads a message from p.
func (m *message) get(p []byte) error {
	e := binary.NativeEndian
	if len(p) < headerLen || e.Uint16(p[0:]) != Protocol {
		return errProtocol
	}
	m.kind = kind(e.Uint16(p[2:]))
	m.code = e.Uint32(p[4:])
	m.a, m.b, m.c = e.Uint64(p[8:]), e.Uint64(p[16:]), e.Uint64(p[24:])
	m.text = p[headerLen:]
	return nil
}
