package snapshot

import (
	"encoding/json"
	"fmt"
	"time"
)

// Head is what stands before the pages: the device's settings and figures at the
// moment of the snapshot.
type Head struct {
	Program    string            `json:"program"` // the version that wrote it
	Taken      time.Time         `json:"taken"`
	Disksize   uint64            `json:"disksize"`  // bytes
	MemLimit   uint64            `json:"mem_limit"` // bytes; 0 = none
	Wipe       bool              `json:"wipe"`      // freed memory is zeroed
	Algorithms []Algorithm       `json:"algorithms"`
	Writeback  Writeback         `json:"writeback"`
	Pages      uint64            `json:"pages"`      // in use, so records to come
	OnBacking  uint64            `json:"on_backing"` // blocks of the backing device in use
	Stats      map[string]uint64 `json:"stats"`      // figures that count from set-up on, and mem_used_total
}

// Algorithm is that of one priority.
type Algorithm struct {
	Priority int    `json:"priority"` // 0 is the primary one
	Name     string `json:"name"`
	Level    *int32 `json:"level,omitempty"`
	WinBits  *int32 `json:"winbits,omitempty"`
	Dict     []byte `json:"dict,omitempty"`
}

// Writeback is the settings of writeback.
type Writeback struct {
	BackingDev string `json:"backing_dev"` // path; "" = none
	Limited    bool   `json:"limited"`
	Limit      uint64 `json:"limit"` // blocks
	Batch      uint32 `json:"batch"` // blocks
	Compressed bool   `json:"compressed"`
	Pack       bool   `json:"pack"`
	Checksum   bool   `json:"checksum"`
	Encryption bool   `json:"encryption"`
}

func parseHead(text []byte) (h Head, err error) {
	if err := json.Unmarshal(text, &h); err != nil {
		return Head{}, fmt.Errorf("%w: its head is not to be read (%v)", ErrDamaged, err)
	}
	return h, nil
}
