package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"uzram/alloc"
	"uzram/test/bench/internal/directio"
	"uzram/test/internal/zramdev"
)

const testSeed = 3

// testData is pages of noise at the front and zeros behind: objects of all
// sizes, some huge, some same-filled.
func testData(t *testing.T) []byte {
	t.Helper()
	data, err := directio.Alloc(2 * directio.Chunk)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(testSeed, testSeed))
	for off := 0; off < len(data); off += alloc.PageSize {
		for i := range max(0, random.IntN(alloc.PageSize+256)-256) {
			data[off+i] = byte(random.Uint32())
		}
	}
	return data
}

// What the paper says is what the engine takes, at each step of a store's life.
func TestPaperIsThePool(t *testing.T) {
	data := testData(t)
	used, err := inUse()
	if err != nil {
		t.Fatal(err)
	}
	sizes, err := sizesOf(data, "lz4")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newEngineSide(1)
	if err != nil {
		t.Fatal(err)
	}
	o := options{free: 70, seed: testSeed}
	l := life{algorithm: "lz4", name: "uzram"}
	if err := l.live(context.Background(), s, o, data, make([]byte, alloc.PageSize)); err != nil {
		t.Fatal(err)
	}
	kept := keep(len(sizes), o.free, o.seed)
	var all, rest objects
	for i, size := range sizes {
		all.add(size, 1)
		if kept[i] {
			rest.add(size, 1)
		}
	}
	if rest.count[alloc.PageSize] == 0 || all.bytes == rest.bytes {
		t.Fatalf("seed %d: too plain a store: %d huge objects left", testSeed, rest.count[alloc.PageSize])
	}
	if got, want := l.storedWaste, used.store(&all); got != want {
		t.Errorf("seed %d: stored %+v, on paper %+v", testSeed, got, want)
	}
	if got, want := l.leftWaste, used.store(&rest); got != want {
		t.Errorf("seed %d: compacted %+v, on paper %+v", testSeed, got, want)
	}
	for name, pair := range map[string][2]int{
		"stored":      {int(l.stored.MemUsedTotal), l.storedWaste.bytes()},
		"freed":       {int(l.freed.MemUsedTotal), used.freed(sizes, kept).bytes()},
		"compacted":   {int(l.compacted.MemUsedTotal), l.leftWaste.bytes()},
		"stored anew": {int(l.fresh.MemUsedTotal), used.store(&rest).bytes()},
	} {
		if pair[0] != pair[1] || pair[0]%alloc.PageSize != 0 {
			t.Errorf("seed %d: %s, %d bytes used, on paper %d", testSeed, name, pair[0], pair[1])
		}
	}
}

// Each table of the study has room for every object that is not huge.
func TestTablesHoldEveryObject(t *testing.T) {
	used, err := inUse()
	if err != nil {
		t.Fatal(err)
	}
	tables := []*table{kernelRule.derive(), used}
	for _, r := range append(append([]rule(nil), rivals...), spacings...) {
		for _, r.chain = range chains {
			tables = append(tables, r.derive())
		}
	}
	for _, x := range tables {
		for size := 1; size < alloc.HugeThreshold; size++ {
			need := size + x.header
			i := x.of[need]
			c := x.classes[i]
			if c.size < need || i > 0 && x.classes[i-1].size >= need || c.objs != c.pages*alloc.PageSize/c.size {
				t.Fatalf("%s: %d bytes go to class %+v, number %d", x.name, size, c, i)
			}
		}
	}
}

// The kernel's classes, as its classes file shows them: 119 of them, and a few
// taken at random.
func TestKernelRule(t *testing.T) {
	k := kernelRule.derive()
	if n := len(k.classes) + 1; n != 119 {
		t.Errorf("%d classes, want 119", n)
	}
	for _, want := range []class{{48, 3, 256}, {1488, 4, 11}, {2048, 1, 2}, {3408, 5, 6}, {3632, 8, 9}} {
		if got := k.classes[k.of[want.size]]; got != want {
			t.Errorf("class of %d bytes is %+v, want %+v", want.size, got, want)
		}
	}
}

func TestWasteOfFewObjects(t *testing.T) {
	x := &table{header: 8, classes: []class{{64, 1, 64}, {1488, 4, 11}}}
	x.index()
	var o objects
	o.add(0, 5)
	o.add(50, 65)            // 2 zspages, 63 free objects
	o.add(1400, 1)           // 1 zspage, 10 free objects, a tail of 16
	o.add(alloc.PageSize, 2) // huge
	want := waste{
		objects: 65*50 + 1400 + 2*alloc.PageSize, headers: 66 * 8, internal: 65*6 + 80, tail: 16, partial: 63*64 + 10*1488,
	}
	if got := x.store(&o); got != want || got.pages() != 2+4+2 {
		t.Errorf("waste %+v of %d pages, want %+v of 8", got, got.pages(), want)
	}
}

// A zspage goes with its last object, and with that only.
func TestFreedGivesEmptyZspagesBack(t *testing.T) {
	x := &table{classes: []class{{64, 1, 64}, {1488, 4, 11}}}
	x.index()
	sizes := make([]int, 3*64)
	for i := range sizes {
		sizes[i] = 50
	}
	for want, kept := range map[int][]int{0: {}, 1: {64, 127}, 2: {63, 64}, 3: {0, 100, 128}} {
		still := make([]bool, len(sizes))
		for _, i := range kept {
			still[i] = true
		}
		if got := x.freed(sizes, still); got.pages() != want || got.objects != 50*len(kept) {
			t.Errorf("%d pages and %d bytes of objects with %v kept, want %d pages", got.pages(), got.objects, kept, want)
		}
	}
}

// What a side keeps of what was discarded, or loses of what was not, is noticed.
func TestCheckNotices(t *testing.T) {
	data := testData(t)
	s, err := newEngineSide(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.fresh("lz4", int64(len(data))); err != nil {
		t.Fatal(err)
	}
	defer s.done()
	if err := directio.Fill(s, data, int64(len(data))); err != nil {
		t.Fatal(err)
	}
	kept := make([]bool, len(data)/alloc.PageSize)
	buf := make([]byte, alloc.PageSize)
	for i := range kept {
		kept[i] = true
	}
	if err := check(s, data, buf, kept); err != nil {
		t.Fatal(err)
	}
	filled := 0
	for data[filled*alloc.PageSize] == 0 {
		filled++
	}
	kept[filled] = false
	if check(s, data, buf, kept) == nil {
		t.Error("a page that should be empty is not, and nobody noticed")
	}
	kept[filled] = true
	if err := s.discard(int64(filled)*alloc.PageSize, alloc.PageSize); err != nil {
		t.Fatal(err)
	}
	if check(s, data, buf, kept) == nil {
		t.Error("a page was lost, and nobody noticed")
	}
}

func TestKeepIsTheRestOfOrder(t *testing.T) {
	const n = 1000
	kept, left := keep(n, 70, testSeed), 0
	for _, ok := range kept {
		if ok {
			left++
		}
	}
	for _, i := range order(n, testSeed)[:700] {
		if kept[i] {
			t.Fatalf("page %d is both freed and kept", i)
		}
	}
	if left != 300 {
		t.Errorf("%d of %d pages kept, want 300", left, n)
	}
}

func TestResidentArenas(t *testing.T) {
	fd, err := unix.MemfdCreate("uzram-a_test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Pwrite(fd, make([]byte, 100), 3*alloc.PageSize); err != nil {
		t.Fatal(err)
	}
	if got := residentArenas()["a_test"]; got != alloc.PageSize {
		t.Errorf("an arena with one page written takes %d bytes", got)
	}
}

// Other tools read these lines; less memory is a higher ratio.
func TestLifeLines(t *testing.T) {
	at := func(stored, compacted, fresh uint64) life {
		return life{stored: zramdev.Memory{MemUsedTotal: stored}, compacted: zramdev.Memory{MemUsedTotal: compacted},
			fresh: zramdev.Memory{MemUsedTotal: fresh}}
	}
	ours, theirs, alone := at(100, 50, 40), at(200, 25, 25), at(300, 80, 60)
	ours.algorithm, theirs.algorithm, alone.algorithm = "lz4", "lz4", "zstd"
	ours.name, theirs.name, alone.name = "uzram", "kernel", "uzram"
	var lines strings.Builder
	lifeLines(&lines, []*life{&ours, &theirs, &alone}, map[string]string{"zstd": errors.New("not there").Error()})
	want := `ratio engine_memory_lz4 2.000
ratio memory_compacted_lz4 0.500
ratio memory_after_compaction_kernel_lz4 1.000
ratio memory_after_compaction_lz4 0.800
figure engine_memory_zstd 300.0 bytes
missing engine_memory_zstd not there
ratio memory_after_compaction_zstd 0.750
`
	if lines.String() != want {
		t.Errorf("lines:\n%s\nwant:\n%s", lines.String(), want)
	}
}

func TestStudyPrints(t *testing.T) {
	o := options{algorithms: []string{"lz4"}, free: 70, seed: testSeed}
	var out strings.Builder
	if err := study(context.Background(), &out, o, testData(t)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| zsmalloc ", "| in use ", "| chain 16 ", "1024 MiB", "70 % freed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in the study", want)
		}
	}
	if n := strings.Count(out.String(), "NaN"); n > 0 {
		t.Errorf("%d figures are not numbers", n)
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-algorithms", "lz4", "-seed", "9", "-free", "50", "-classes"})
	if err != nil || len(o.algorithms) != 1 || o.seed != 9 || o.free != 50 || !o.classes {
		t.Errorf("options %+v, %v", o, err)
	}
	for _, bad := range [][]string{{"-algorithms", "lz5"}, {"-free", "0"}, {"-free", "100"}, {"-mib", "0"}, {"-workers", "0"}} {
		if o, err := parse(bad); err == nil {
			t.Errorf("%q gave %+v, want an error", bad, o)
		}
	}
}
