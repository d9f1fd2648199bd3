package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"reflect"
	"slices"
	"testing"
	"testing/iotest"
	"time"
)

var (
	level      = int32(3)
	sampleHead = Head{
		Program:    "v1",
		Taken:      time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Disksize:   1 << 20,
		MemLimit:   4096,
		Algorithms: []Algorithm{{Name: "lz4"}, {Priority: 1, Name: "zstd", Level: &level, Dict: []byte{1, 2, 0}}},
		Writeback:  Writeback{BackingDev: "/b", Limited: true, Limit: 7, Batch: 32, Pack: true},
		Stats:      map[string]uint64{"notify_free": 5},
	}
	samplePages = []Page{
		{Slot: 9, Kind: Same, Data: []byte("samesame"), Seconds: 77},
		{Slot: 1 << 40, Kind: Object, Priority: 3, Idle: true, Incompressible: true, Data: []byte("object")},
		{Slot: 0, Kind: Huge, OnBacking: true, Data: bytes.Repeat([]byte("h"), PageSize)},
		{Slot: 3, Kind: Plain, Data: bytes.Repeat([]byte("p"), PageSize)},
		{Slot: 5, Kind: Lost, Data: []byte{}},
	}
)

func headOf(pages int) Head {
	h := sampleHead
	h.Pages = uint64(pages)
	return h
}

func write(t testing.TB, h Head, pages []Page) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, h)
	for i := range pages {
		if err == nil {
			err = w.Page(&pages[i])
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// small is a snapshot with a page of each kind but the long ones.
func small(t testing.TB) []byte { return write(t, headOf(2), samplePages[:2]) }

func read(in io.Reader) (h Head, pages []Page, err error) {
	r, err := NewReader(in)
	if err != nil {
		return Head{}, nil, err
	}
	for {
		p, err := r.Next()
		if err == io.EOF {
			return r.Head(), pages, r.Rest()
		}
		if err != nil {
			return Head{}, nil, err
		}
		p.Data = bytes.Clone(p.Data)
		pages = append(pages, p)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	many := slices.Repeat(samplePages, 600) // more than fits one section
	for _, pages := range [][]Page{nil, samplePages[:1], samplePages, many} {
		file := write(t, headOf(len(pages)), pages)
		for name, in := range map[string]io.Reader{
			"at once": bytes.NewReader(file), "bit by bit": iotest.HalfReader(bytes.NewReader(file)),
			"with the end in the last read": iotest.DataErrReader(bytes.NewReader(file)),
		} {
			h, got, err := read(in)
			if err != nil || !reflect.DeepEqual(h, headOf(len(pages))) || !reflect.DeepEqual(got, pages) {
				t.Errorf("%d pages %s: %v; head %+v, %d pages", len(pages), name, err, h, len(got))
			}
		}
		if _, err := Verify(bytes.NewReader(file), nil); err != nil {
			t.Errorf("%d pages: %v", len(pages), err)
		}
	}
}

// TestEveryCutAndEveryFlippedByte: none of them passes, and each is called by its
// name.
func TestEveryCutAndEveryFlippedByte(t *testing.T) {
	file := small(t)
	for n := range file {
		want := ErrTruncated
		if n < len(magic) {
			want = ErrForeign
		}
		if _, _, err := read(bytes.NewReader(file[:n])); !errors.Is(err, want) {
			t.Errorf("cut to %d of %d bytes: %v", n, len(file), err)
		}
	}
	for i := range file {
		for bit := range 8 {
			bad := bytes.Clone(file)
			bad[i] ^= 1 << bit
			_, _, err := read(bytes.NewReader(bad))
			switch {
			case err == nil:
				t.Errorf("bit %d of byte %d flipped: accepted", bit, i)
			case i < len(magic) && !errors.Is(err, ErrForeign),
				i >= 12 && !errors.Is(err, ErrDamaged):
				t.Errorf("bit %d of byte %d flipped: %v", bit, i, err)
			}
		}
	}
}

func TestWhatFollowsTheEndIsRefused(t *testing.T) {
	if _, _, err := read(bytes.NewReader(append(small(t), 0))); !errors.Is(err, ErrDamaged) {
		t.Errorf("a byte more: %v", err)
	}
	twice := append(small(t), small(t)...)
	if _, err := Verify(bytes.NewReader(twice), nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("two snapshots in one file: %v", err)
	}
}

// TestPartsOfTwoSnapshots: each section is whole, and of the right number, but
// they do not belong together.
func TestPartsOfTwoSnapshots(t *testing.T) {
	ours := write(t, headOf(1), samplePages[:1])
	other := samplePages[0]
	other.Data = []byte("changed!")
	theirs := write(t, headOf(1), []Page{other})
	end := len(ours) - sectionSize - endSize
	records := end - sectionSize - RecordHeader - 8
	for name, file := range map[string][]byte{
		"pages": slices.Concat(ours[:records], theirs[records:end], ours[end:]),
		"end":   slices.Concat(ours[:end], theirs[end:]),
		"order": slices.Concat(ours[:records], ours[end:], ours[records:end]),
		"gap":   slices.Concat(ours[:records], ours[end:]),
	} {
		if _, _, err := read(bytes.NewReader(file)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewerFormat(t *testing.T) {
	file := small(t)
	binary.LittleEndian.PutUint32(file[8:], Version+1)
	if _, err := NewReader(bytes.NewReader(file)); !errors.Is(err, ErrNewer) {
		t.Errorf("version %d: %v", Version+1, err)
	}
}

// forge makes a snapshot out of sections that a writer would never write, with
// right checksums.
func forge(sections ...[]byte) []byte {
	file := make([]byte, preambleSize)
	copy(file, magic)
	binary.LittleEndian.PutUint32(file[8:], Version)
	sum := uint32(0)
	for i, s := range sections {
		sum = crc32.Update(sum, castagnoli, s[1:])
		h := make([]byte, sectionSize)
		section{uint32(s[0]), uint32(len(s) - 1), uint32(i), sum}.put(h)
		file = append(append(file, h...), s[1:]...)
	}
	return file
}

// TestForgeries: checksums are right, what they cover is not.
func TestForgeries(t *testing.T) {
	head := append([]byte{headSection}, `{"pages":1}`...)
	page := (&Page{Slot: 1, Kind: Object, Data: []byte("x")}).appendTo([]byte{pagesSection})
	end := append([]byte{endSection}, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)
	if _, _, err := read(bytes.NewReader(forge(head, page, end))); err != nil {
		t.Fatalf("a right one: %v", err)
	}
	with := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[1+at] = v
		return b
	}
	for name, file := range map[string][]byte{
		"no head":          forge(page, end),
		"two heads":        forge(head, head, page, end),
		"no JSON":          forge([]byte("\x01{"), page, end),
		"no pages":         forge(head, []byte{pagesSection}, end),
		"unknown section":  forge(head, []byte{9, 1}, page, end),
		"short end":        forge(head, page, end[:9]),
		"too few pages":    forge(head, with(end, 0, 0)),
		"too many pages":   forge(head, page, page, end),
		"other length":     forge(head, page, with(end, 8, 2)),
		"kind 0":           forge(head, with(page, 10, 0), end),
		"kind 6":           forge(head, with(page, 10, 6), end),
		"unknown flag":     forge(head, with(page, 10, 0x82), end),
		"priority":         forge(head, with(page, 11, 4), end),
		"length 0":         forge(head, with(page, 8, 0), end),
		"length too great": forge(head, with(page, 8, 2), end),
		"half a record":    forge(head, page[:10], end),
	} {
		if _, _, err := read(bytes.NewReader(file)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWriterCounts: a snapshot that lacks pages is never ended.
func TestWriterCounts(t *testing.T) {
	w, err := NewWriter(io.Discard, headOf(2))
	if err == nil {
		err = w.Page(&samplePages[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	if w.Close() == nil {
		t.Error("one page of two, and an end")
	}
}

func TestErrorsOfTheStream(t *testing.T) {
	broken := errors.New("broken")
	file := small(t)
	for n := range file {
		in := io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(broken))
		if _, _, err := read(in); !errors.Is(err, broken) {
			t.Errorf("an error after %d bytes: %v", n, err)
		}
	}
	out := &limited{err: broken}
	for out.left = 0; out.left < len(file); out.left++ {
		o := *out
		w, err := NewWriter(&o, headOf(2))
		for i := range 2 {
			if err == nil {
				err = w.Page(&samplePages[i])
			}
		}
		if err == nil {
			err = w.Close()
		}
		if !errors.Is(err, broken) {
			t.Errorf("no room after %d bytes: %v", out.left, err)
		}
	}
}

// limited takes so many bytes.
type limited struct {
	left int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, l.err
	}
	l.left -= len(p)
	return len(p), nil
}

// FuzzReader: whatever the bytes are, reading them ends without a panic; what is
// accepted is exactly what a writer makes of what was read.
func FuzzReader(f *testing.F) {
	f.Add(small(f))
	f.Add(write(f, headOf(0), nil))
	f.Add(write(f, headOf(5), samplePages))
	f.Add([]byte(magic))
	f.Add(forge(append([]byte{headSection}, `{"pages":0}`...), make([]byte, 1+endSize)))
	f.Fuzz(func(t *testing.T, file []byte) {
		for n := range 3 {
			in := bytes.Clone(file)
			if n > 0 { // damage of one byte to what may be a right one
				if len(in) == 0 {
					return
				}
				in[(len(in)*n/3)%len(in)] ^= byte(0x11 * n)
			}
			h, pages, err := read(bytes.NewReader(in))
			if err != nil {
				continue
			}
			if int(h.Pages) != len(pages) {
				t.Fatalf("%d pages, the head says %d", len(pages), h.Pages)
			}
			if _, again, err := read(bytes.NewReader(write(t, h, pages))); err != nil || !reflect.DeepEqual(again, pages) {
				t.Fatalf("written again: %v", err)
			}
			if n > 0 && !bytes.Equal(in, file) {
				if _, _, err := read(bytes.NewReader(file)); err == nil {
					t.Fatalf("a flipped byte of a right snapshot is accepted")
				}
			}
		}
	})
}

// FuzzRecords: bytes under right checksums do not make the reader panic either.
func FuzzRecords(f *testing.F) {
	for i := range samplePages {
		f.Add([]byte(`{"pages":1}`), samplePages[i].appendTo(nil), []byte{1})
	}
	f.Fuzz(func(t *testing.T, head, records, end []byte) {
		file := forge(append([]byte{headSection}, head...), append([]byte{pagesSection}, records...), append([]byte{endSection}, end...))
		h, pages, err := read(bytes.NewReader(file))
		if err == nil && int(h.Pages) != len(pages) {
			t.Fatalf("%d pages, the head says %d", len(pages), h.Pages)
		}
	})
}
