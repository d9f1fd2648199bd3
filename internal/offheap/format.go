package offheap

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Arenas that outlive their process have a format, the same for all of a mount for
// as long as it lives: whoever takes one over reads its format and makes further
// arenas in that. FormatVersion, raised whenever the meaning of any arena's bytes
// changes, is that of new mounts. This release reads and makes OldestVersion up to
// FormatVersion.
const OldestVersion = 1

// format is what New makes.
var format atomic.Uint32

func init() { format.Store(FormatVersion) }

// Format is the format of the arenas that this process makes.
func Format() uint32 { return format.Load() }

// SetFormat has this process make arenas of the format of a mount that it takes over.
// EINVAL: this release cannot.
func SetFormat(version uint32) error {
	if version < OldestVersion || version > FormatVersion {
		return versionError(version)
	}
	format.Store(version)
	return nil
}

func versionError(version uint32) error {
	return fmt.Errorf("it has format version %d, this release reads %d to %d: %w", version, OldestVersion, FormatVersion, unix.EINVAL)
}

// Version is the arena's format.
func (a *Arena) Version() uint32 { return binary.LittleEndian.Uint32(a.mem[8:]) }

// VersionOf is the format of the arena behind a descriptor. EINVAL: there is none.
func VersionOf(fd int) (uint32, error) {
	var raw [headerBytes]byte
	n, err := unix.Pread(fd, raw[:], 0)
	if err != nil {
		return 0, fmt.Errorf("descriptor %d: %w (%v)", fd, unix.EINVAL, err)
	}
	h, ok := decodeHeader(raw[:n])
	if !ok {
		return 0, fmt.Errorf("descriptor %d has no header of an arena: %w", fd, unix.EINVAL)
	}
	return h.Version, nil
}
