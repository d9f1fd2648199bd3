package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// zstdDictionary is a dictionary as a decoder wants it (RFC 8878, 5).
type zstdDictionary struct {
	content []byte
	id      uint32 // 0 for content alone
	trained bool   // what follows is set

	tree    zstdLiterals
	states  [zstdFieldCount]zstdStates
	repeats zstdOffsets
}

var errZstdDictionary = errors.New("dictionary has bad entropy tables")

// readZstdDictionary reads a dictionary, content alone or a trained one. Its
// content stays in dict.
func readZstdDictionary(dict []byte) (*zstdDictionary, error) {
	t := &zstdDictionary{content: dict}
	if !bytes.HasPrefix(dict, zstdDictMagic) {
		return t, nil
	}
	if len(dict) < 8 {
		return nil, errZstdDictionary
	}
	t.id, t.trained = binary.LittleEndian.Uint32(dict[4:]), true
	n, ok := t.tree.read(dict, 8, len(dict))
	i := 8 + n
	for _, k := range []int{fieldOffset, fieldMatch, fieldLiterals} {
		if ok {
			n, ok = t.states[k].read(dict[i:], &zstdFields[k])
			i += n
		}
	}
	if !ok || len(dict)-i < 12 {
		return nil, errZstdDictionary
	}
	t.content = dict[i+12:]
	r := &t.repeats
	for k, off := range []*uint32{&r.first, &r.second, &r.third} {
		*off = binary.LittleEndian.Uint32(dict[i+4*k:])
		if *off == 0 || uint64(*off) > uint64(len(t.content)) {
			return nil, errZstdDictionary
		}
	}
	return t, nil
}
