package compress

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func Test842_Vectors(t *testing.T) {
	s := variant{codec: "842"}.open(t)
	checkVectors(t, "842.txt", s)
	checkCorruptAtEveryLength(t, "842.txt", s)
}

// Test842_Templates reads each ordinary template as the format's table has it.
func Test842_Templates(t *testing.T) {
	templates := []string{
		"D8", "D4 D2 I2", "D4 I2 D2", "D4 I2 I2", "D4 I4", "D2 I2 D4", "D2 I2 D2 I2", "D2 I2 I2 D2", "D2 I2 I2 I2",
		"D2 I2 I4", "I2 D2 D4", "I2 D4 I2", "I2 D2 I2 D2", "I2 D2 I2 I2", "I2 D2 I4", "I2 I2 D4", "I2 I2 D2 I2",
		"I2 I2 I2 D2", "I2 I2 I2 I2", "I2 I2 I4", "I4 D4", "I4 D2 I2", "I4 I2 D2", "I4 I2 I2", "I4 I4", "I8",
	}
	indexBits := map[int]int{2: 8, 4: 9, 8: 8}
	s := variant{codec: "842"}.open(t)
	r := rand.New(rand.NewPCG(34, 0))
	for number, actions := range templates {
		var bits strings.Builder
		var page []byte
		for range 4 { // a history of data
			fmt.Fprintf(&bits, "%05b", 0)
			page = appendData(&bits, page, 8, r)
		}
		history := len(page)
		fmt.Fprintf(&bits, "%05b", number)
		for action := range strings.FieldsSeq(actions) {
			size := int(action[1] - '0')
			if action[0] == 'D' {
				page = appendData(&bits, page, size, r)
				continue
			}
			index := r.IntN(history / size)
			fmt.Fprintf(&bits, "%0*b", indexBits[size], index)
			page = append(page, page[index*size:][:size]...)
		}
		fmt.Fprintf(&bits, "%05b", 0x1e)
		got := make([]byte, len(page))
		if err := s.Decompress(got, packBits(t, bits.String())); err != nil || !bytes.Equal(got, page) {
			t.Errorf("template %#x, %s: %v, page % x, want % x", number, actions, err, got, page)
		}
	}
}

func appendData(bits *strings.Builder, page []byte, n int, r *rand.Rand) []byte {
	for range n {
		b := byte(r.Uint32())
		fmt.Fprintf(bits, "%08b", b)
		page = append(page, b)
	}
	return page
}

// Test842_Rings holds the place of a unit to the format's rule, and the encoder's
// idea of what a ring holds to the decoder's.
func Test842_Rings(t *testing.T) {
	for _, c := range []struct{ unit, ring int }{{2, sw842Ring2}, {4, sw842Ring4}, {8, sw842Ring8}} {
		for total := 0; total < 3*c.ring; total += 8 {
			d := sw842Decoder{o: total}
			for offset := 0; offset < c.ring; offset += c.unit {
				want := offset
				if total > c.ring {
					section := total / c.ring * c.ring
					if offset >= total%c.ring {
						section -= c.ring
					}
					want += section
				}
				if want+c.unit > total {
					want = -1
				}
				if got := d.place(offset, c.ring); max(got, -1) != want {
					t.Fatalf("%d bytes written, unit at %d of %d: at %d, want %d", total, offset, c.ring, got, want)
				}
				if want >= 0 && !sw842Holds(total, want, c.ring) {
					t.Fatalf("%d bytes written: the encoder finds nothing at %d in %d", total, want, c.ring)
				}
			}
			if total >= c.ring && sw842Holds(total, total-c.ring-c.unit, c.ring) || sw842Holds(total, total, c.ring) {
				t.Fatalf("%d bytes written: the encoder finds what a ring of %d does not hold", total, c.ring)
			}
		}
	}
}

// Test842_Sum holds the checksum to one made bit by bit.
func Test842_Sum(t *testing.T) {
	bitwise := func(page []byte) (sum uint32) {
		for _, b := range page {
			sum ^= uint32(b) << 24
			for range 8 {
				carry := sum >> 31
				sum = sum<<1 ^ carry*0x04c11db7
			}
		}
		return sum
	}
	var s sw842Sum
	// What cksum would begin with if it did not invert, and leave the length out.
	if got := s.of([]byte("123456789")); got != 0x89a1897f {
		t.Errorf("%#x, want 0x89a1897f", got)
	}
	for n := 0; n < 2000; n++ {
		page := makePage(kindRandom, n, 35)
		if got, want := s.of(page), bitwise(page); got != want {
			t.Fatalf("%d bytes: %#x, want %#x", n, got, want)
		}
	}
}

// Test842_WrongSum changes a page's data, and not its checksum.
func Test842_WrongSum(t *testing.T) {
	s := variant{codec: "842"}.open(t)
	page := makePage(kindRandom, PageSize, 36)
	dst := make([]byte, DstSize(PageSize))
	n, err := s.Compress(dst, page)
	if err != nil {
		t.Fatal(err)
	}
	dst[1] ^= 1 // within the data of the first group
	if err := s.Decompress(page, dst[:n]); err == nil {
		t.Error("no complaint")
	}
}

// Test842_UnitsNotYetWritten names every one of them.
func Test842_UnitsNotYetWritten(t *testing.T) {
	s := variant{codec: "842"}.open(t)
	for _, c := range []struct {
		unit, bits int
		template   int // of such indices only
	}{{2, sw842Bits2, 0x12}, {4, sw842Bits4, 0x18}, {8, sw842Bits8, sw842Whole}} {
		for index := 0; index < 1<<c.bits; index++ {
			row := fmt.Sprintf("%05b%064b%05b", 0, uint64(0x4142434445464748), c.template)
			row += strings.Repeat(fmt.Sprintf("%0*b", c.bits, index), 8/c.unit) + fmt.Sprintf("%05b", sw842End)
			err := s.Decompress(make([]byte, 16), packBits(t, row))
			if written := index < 8/c.unit; written != (err == nil) {
				t.Errorf("unit %d of %d bytes after 8: %v", index, c.unit, err)
			}
		}
	}
}

func Test842_EveryLength(t *testing.T) { checkEveryLength(t, variant{codec: "842"}.open(t)) }
