package compress

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// handFrame returns a frame of such blocks, without the content's size.
func handFrame(blocks ...[]byte) []byte {
	f := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0x30}
	for i, b := range blocks {
		f = append(f, b...)
		if i == len(blocks)-1 {
			f[len(f)-len(b)] |= 1
		}
	}
	return f
}

// handBlock returns a block of size bytes; of RLE blocks that is not what they hold.
func handBlock(kind, size int, content string) []byte {
	head := size<<3 | kind<<1
	return append([]byte{byte(head), byte(head >> 8), byte(head >> 16)}, content...)
}

func handRaw(content string) []byte { return handBlock(blockRaw, len(content), content) }

// field is a number that a stream has in so many bits.
type field struct{ value, size int }

// handStream returns a stream of fields in the order in which they are read, from
// the end.
func handStream(fields ...field) string {
	bits := []int{1}
	for _, f := range fields {
		for n := f.size - 1; n >= 0; n-- {
			bits = append(bits, f.value>>n&1)
		}
	}
	slices.Reverse(bits)
	stream := make([]byte, (len(bits)+7)/8)
	for i, bit := range bits {
		stream[i/8] |= byte(bit << (i % 8))
	}
	return string(stream)
}

// handSequence returns a compressed block of those literals, a whole section, and
// one sequence. Its fields have one code each, which are given in the order of
// literals, offset and match, or those of the block before.
func handSequence(literals string, codes string, stream string) []byte {
	const single = statesSingle<<6 | statesSingle<<4 | statesSingle<<2
	const again = statesRepeat<<6 | statesRepeat<<4 | statesRepeat<<2
	modes := byte(single)
	if codes == "" {
		modes = again
	}
	content := literals + string([]byte{1, modes}) + codes + stream
	return handBlock(blockCompressed, len(content), content)
}

// handLiterals returns a block of size literals in one or four streams. Literals 0
// and 1 have codes of one bit, which is what they are.
func handLiterals(size int, streams ...string) []byte {
	content, form := "\x80\x10", 0
	if len(streams) == 4 {
		form = 1
		for _, s := range streams[:3] {
			content += string([]byte{byte(len(s)), 0})
		}
	}
	content += strings.Join(streams, "")
	head := literalsCoded | form<<2 | size<<4 | len(content)<<14
	content = string([]byte{byte(head), byte(head >> 8), byte(head >> 16)}) + content + "\x00"
	return handBlock(blockCompressed, len(content), content)
}

var (
	bit0, bit1 = field{0, 1}, field{1, 1}
	oneBit     = handStream(bit0)
	twoBits    = handStream(bit0, bit1)
	manyBits   = handStream(field{0, 20}, field{0, 20})
)

// rawABC is a section of the literals a, b and c.
const rawABC = "\x18abc"

// handCases are frames made by hand. The codes of literals up to 15 and of matches
// up to 31 are the lengths, less 3 for matches; those of offsets are numbers of bits.
var handCases = []struct {
	name   string
	blocks [][]byte
	want   string // "!" for a corrupt frame
}{
	{"nothing", [][]byte{handRaw("")}, ""},
	{"raw", [][]byte{handRaw("abc")}, "abc"},
	{"one byte", [][]byte{handBlock(blockRLE, 5, "z")}, "zzzzz"},
	{"several", [][]byte{handRaw("a"), handBlock(blockRLE, 0, "z"), handBlock(blockRLE, 2, "b"), handRaw("c")}, "abbc"},
	{"reserved", [][]byte{handRaw("a"), handBlock(3, 1, "b")}, "!"},
	{"block too short", [][]byte{handBlock(blockRaw, 4, "abc")}, "!"},
	{"no byte to repeat", [][]byte{handBlock(blockRLE, 4, "")}, "!"},
	{"no content", [][]byte{handBlock(blockCompressed, 0, "")}, "!"},

	{"literals", [][]byte{handBlock(blockCompressed, 5, rawABC+"\x00")}, "abc"},
	{"literals, size of 12 bits", [][]byte{handBlock(blockCompressed, 6, "\x34\x00abc\x00")}, "abc"},
	{"literals, size of 20 bits", [][]byte{handBlock(blockCompressed, 7, "\x3c\x00\x00abc\x00")}, "abc"},
	{"one literal", [][]byte{handBlock(blockCompressed, 3, "\x49x\x00")}, "xxxxxxxxx"},
	{"one literal, size of 12 bits", [][]byte{handBlock(blockCompressed, 4, "\x25\x01x\x00")}, strings.Repeat("x", 18)},
	{"one literal, size of 20 bits", [][]byte{handBlock(blockCompressed, 5, "\x2d\x01\x00x\x00")},
		strings.Repeat("x", 18)},
	{"literals too short", [][]byte{handBlock(blockCompressed, 4, "\x18ab\x00")}, "!"},
	{"no number of sequences", [][]byte{handBlock(blockCompressed, 4, rawABC)}, "!"},
	{"more than no sequences", [][]byte{handBlock(blockCompressed, 6, rawABC+"\x00\x00")}, "!"},
	{"no modes", [][]byte{handBlock(blockCompressed, 5, rawABC+"\x01")}, "!"},
	{"reserved modes", [][]byte{handBlock(blockCompressed, 10, rawABC+"\x01\x55\x03\x02\x01\x06")}, "!"},

	{"coded literals", [][]byte{handLiterals(3, handStream(bit0, bit1, bit1))}, "\x00\x01\x01"},
	{"coded literals, a bit too many", [][]byte{handLiterals(3, handStream(bit0, bit1, bit1, bit0))}, "!"},
	{"coded literals, a bit too few", [][]byte{handLiterals(3, handStream(bit0, bit1))}, "!"},
	{"coded literals, no end", [][]byte{handLiterals(3, "\x00")}, "!"},
	{"four streams", [][]byte{handLiterals(8, twoBits, twoBits, twoBits, twoBits)}, "\x00\x01\x00\x01\x00\x01\x00\x01"},
	{"four streams, the last one shorter", [][]byte{handLiterals(7, twoBits, twoBits, twoBits, oneBit)},
		"\x00\x01\x00\x01\x00\x01\x00"},
	{"four streams, a bit too few in the first", [][]byte{handLiterals(8, oneBit, twoBits, twoBits, twoBits)}, "!"},
	{"four streams, a bit too many in the second", [][]byte{handLiterals(8, twoBits, manyBits, twoBits, twoBits)}, "!"},
	{"four streams, many too many in the third", [][]byte{handLiterals(8, twoBits, twoBits, manyBits, twoBits)}, "!"},
	{"four streams, a bit too many in the fourth", [][]byte{handLiterals(7, twoBits, twoBits, twoBits, twoBits)}, "!"},
	{"four streams, far too short", [][]byte{handLiterals(1000, manyBits, twoBits, twoBits, twoBits)}, "!"},
	{"four streams, none empty", [][]byte{handLiterals(8, twoBits, twoBits, twoBits, "")}, "!"},
	{"far too many coded literals", [][]byte{handBlock(blockCompressed, 18, "\x0e\xd4\x30\x03\x00\x80\x10"+
		"\x01\x00\x01\x00\x01\x00\x01\x01\x01\x01\x00")}, "!"},
	{"far too many of one literal", [][]byte{handBlock(blockCompressed, 5, "\xfd\xff\xffx\x00")}, "!"},
	{"no tree", [][]byte{handBlock(blockCompressed, 5, "\x33\x40\x00\x0e\x00")}, "!"},
	{"tree again", [][]byte{handLiterals(3, handStream(bit0, bit1, bit1)),
		handBlock(blockCompressed, 5, "\x33\x40\x00\x0e\x00")}, "\x00\x01\x01\x01\x01\x00"},

	{"new offset", [][]byte{handSequence(rawABC, "\x03\x02\x01", handStream(field{2, 2}))}, "abcabca"},
	{"overlap", [][]byte{handSequence(rawABC, "\x02\x02\x0a", handStream(field{0, 2}))},
		"a" + strings.Repeat("b", 14) + "c"},
	{"first repeat", [][]byte{handSequence(rawABC, "\x01\x00\x00", handStream())}, "aaaabc"},
	{"second repeat", [][]byte{handRaw("12345678"),
		handSequence(rawABC, "\x01\x01\x00", handStream(field{0, 1}))}, "12345678a678bc"},
	{"third repeat", [][]byte{handRaw("12345678"),
		handSequence(rawABC, "\x01\x01\x00", handStream(field{1, 1}))}, "12345678a234bc"},
	{"second repeat, no literals", [][]byte{handRaw("12345678"),
		handSequence(rawABC, "\x00\x00\x00", handStream())}, "12345678567abc"},
	{"third repeat, no literals", [][]byte{handRaw("12345678"),
		handSequence(rawABC, "\x00\x01\x00", handStream(field{0, 1}))}, "12345678123abc"},
	{"first repeat less one", [][]byte{
		handSequence(rawABC, "\x03\x02\x01", handStream(field{2, 2})),
		handSequence(rawABC, "\x00\x01\x00", handStream(field{1, 1}))}, "abcabca" + "cac" + "abc"},
	{"first repeat less one is nothing", [][]byte{handRaw("12345678"),
		handSequence(rawABC, "\x00\x01\x00", handStream(field{1, 1}))}, "!"},
	{"order of repeats", [][]byte{handRaw("12345678"),
		handSequence(rawABC, "\x01\x01\x00", handStream(field{1, 1})), // the last offsets are 8, 1 and 4 now
		handSequence(rawABC, "\x01\x01\x00", handStream(field{1, 1}))}, "12345678a234bc" + "a" + "4bc" + "bc"},
	{"tables again", [][]byte{
		handSequence(rawABC, "\x03\x02\x01", handStream(field{2, 2})), handRaw("-"),
		handSequence(rawABC, "", handStream(field{2, 2}))}, "abcabca-abcabca"},
	{"no tables yet", [][]byte{handSequence(rawABC, "", handStream(field{2, 2}))}, "!"},
	{"long", [][]byte{
		handSequence("\x0d\xc4\x09y", "\x22\x0e\x32", handStream(field{9, 14}, field{5, 14}, field{100, 15}))},
		strings.Repeat("y", 40000+16387+5)},
	{"too far back", [][]byte{handSequence(rawABC, "\x03\x02\x01", handStream(field{3, 2}))}, "!"},
	{"much too far back", [][]byte{handSequence(rawABC, "\x03\x1f\x01", handStream(field{1, 31}))}, "!"},
	{"too many literals", [][]byte{handSequence(rawABC, "\x04\x02\x01", handStream(field{0, 2}))}, "!"},
	{"unknown literals code", [][]byte{handSequence(rawABC, "\x24\x02\x01", handStream(field{0, 2}))}, "!"},
	{"unknown offset code", [][]byte{handSequence(rawABC, "\x03\x20\x01", handStream(field{0, 32}))}, "!"},
	{"unknown match code", [][]byte{handSequence(rawABC, "\x03\x02\x35", handStream(field{0, 2}))}, "!"},
	{"many sequences too many", [][]byte{handBlock(blockCompressed, 10, rawABC+"\x64\x54\x00\x1f\x00\x01")}, "!"},
	{"many long ones too many", [][]byte{handBlock(blockCompressed, 10, rawABC+"\x64\x54\x00\x00\x34\x01")}, "!"},
	{"a bit too many", [][]byte{handSequence(rawABC, "\x03\x02\x01", handStream(field{2, 2}, field{0, 1}))}, "!"},
	{"a bit too few", [][]byte{handSequence(rawABC, "\x03\x02\x01", handStream(field{1, 1}))}, "!"},
	{"no end", [][]byte{handSequence(rawABC, "\x03\x02\x01", "\x00")}, "!"},
}

// TestZstdDecoder_Hand reads frames made by hand, each into pages that are too
// small or too large as well, from and to memory with walls around it.
func TestZstdDecoder_Hand(t *testing.T) {
	d := newTestDecoder(t, nil)
	r := newWalledReader(t, d)
	for _, c := range handCases {
		src := handFrame(c.blocks...)
		sizes := []int{100, 1000, maxPage} // that a corrupt frame could have
		for n := max(0, len(c.want)-20); n < len(c.want)+20; n++ {
			sizes = append(sizes, n)
		}
		for _, n := range sizes {
			page, err := r.read(n, src)
			switch good := c.want != "!" && n == len(c.want); {
			case good && (err != nil || string(page) != c.want):
				t.Errorf("%s: %.40q, %v, want %.40q", c.name, page, err, c.want)
			case !good && !errors.Is(err, ErrCorrupt):
				t.Errorf("%s, page of %d bytes: %v", c.name, n, err)
			}
		}
	}
}

// TestZstdDecoder_Header tries frame headers around one raw block.
func TestZstdDecoder_Header(t *testing.T) {
	const body = "\x19\x00\x00abc"
	trained := newTestDecoder(t, trainedDict())
	plain := newTestDecoder(t, nil)
	for _, c := range []struct {
		name  string
		frame string
		good  bool
	}{
		{"window", "\x28\xb5\x2f\xfd\x00\x30" + body, true},
		{"huge window", "\x28\xb5\x2f\xfd\x00\xff" + body, true},
		{"single segment", "\x28\xb5\x2f\xfd\x20\x03" + body, true},
		{"unused bit", "\x28\xb5\x2f\xfd\x30\x03" + body, true},
		{"reserved bit", "\x28\xb5\x2f\xfd\x28\x03" + body, false},
		{"other size", "\x28\xb5\x2f\xfd\x20\x04" + body, false},
		{"size of 2 bytes", "\x28\xb5\x2f\xfd\x40\x30\x00\x00" + body, false},
		{"size of 4 bytes", "\x28\xb5\x2f\xfd\x80\x30\x03\x00\x00\x00" + body, true},
		{"size of 8 bytes", "\x28\xb5\x2f\xfd\xe0\x03\x00\x00\x00\x00\x00\x00\x00" + body, true},
		{"other size of 8 bytes", "\x28\xb5\x2f\xfd\xe0\x03\x00\x00\x00\x00\x00\x00\x01" + body, false},
		{"dictionary", "\x28\xb5\x2f\xfd\x21\x07\x03" + body, false},
		{"no dictionary", "\x28\xb5\x2f\xfd\x23\x00\x00\x00\x00\x03" + body, true},
		{"checksum", "\x28\xb5\x2f\xfd\x24\x03" + body + "1234", true},
		{"short checksum", "\x28\xb5\x2f\xfd\x24\x03" + body + "123", false},
		{"one byte more", "\x28\xb5\x2f\xfd\x20\x03" + body + "1", false},
		{"two frames", "\x28\xb5\x2f\xfd\x20\x03" + body + "\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00", false},
		{"skippable frame", "\x50\x2a\x4d\x18\x03\x00\x00\x00abc", false},
		{"skippable frame before", "\x50\x2a\x4d\x18\x01\x00\x00\x00a" + "\x28\xb5\x2f\xfd\x20\x03" + body, false},
		{"nothing", "", false},
		{"magic", "\x28\xb5\x2f\xfd", false},
	} {
		page := make([]byte, 3)
		err := plain.Decompress(page, []byte(c.frame))
		if good := err == nil && string(page) == "abc"; good != c.good || err != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %q, %v", c.name, page, err)
		}
	}
	for id, good := range map[byte]bool{0: true, 7: true, 8: false} {
		frame := append([]byte("\x28\xb5\x2f\xfd\x21"), id, 3)
		page := make([]byte, 3)
		err := trained.Decompress(page, append(frame, body...))
		if (err == nil && bytes.Equal(page, []byte("abc"))) != good {
			t.Errorf("dictionary %d: %v", id, err)
		}
	}
}
