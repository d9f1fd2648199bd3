package fusefs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// inFlight starts f beside the test and returns how it ended.
func inFlight(f func() error) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- f() }()
	return ended
}

// taken waits until the server has taken n requests that it will not answer.
func (s *server) taken(n int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%d requests are taken", n), func() bool {
		got, err := strconv.Atoi(s.command("taken"))
		if err != nil {
			s.t.Fatal(err)
		}
		return got >= n
	})
}

// pageOf is a page of text that tells its number and its version.
func pageOf(number, version int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "page %6d version %d.", number, version), 200)[:4096]
}

func pwrite(fd int, page, version int) error {
	_, err := unix.Pwrite(fd, pageOf(page, version), int64(page)*4096)
	return err
}

func checkPage(t *testing.T, fd int, page, version int) {
	t.Helper()
	if got := pread(t, fd, 4096, int64(page)*4096); got != string(pageOf(page, version)) {
		t.Errorf("page %d is %.40q, want version %d", page, got, version)
	}
}

// Another crew of the same process takes over from one that holds its requests.
// This is all that can be tried where memory cannot be handed over.
func TestAdopt_RequestsThatWereTaken(t *testing.T) {
	s := mountedHere(t)
	s.set("disksize", "1M")
	image := s.open("image", unix.O_RDWR)
	defer unix.Close(image)
	stat := s.open("stat", unix.O_RDONLY)
	defer unix.Close(stat)
	if err := pwrite(image, 1, 1); err != nil {
		t.Fatal(err)
	}
	pread(t, stat, 10, 0)
	s.command("hold")
	write := inFlight(func() error { return pwrite(image, 2, 1) })
	algorithm := inFlight(func() error { return s.try("mem_limit", "512K") })
	s.taken(2)
	if said := s.command("adopt"); said != "adopted" {
		t.Fatal(said)
	}
	for what, ended := range map[string]<-chan error{"write": write, "mem_limit": algorithm} {
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	checkPage(t, image, 1, 1)
	checkPage(t, image, 2, 1)
	if got := strings.Fields(pread(t, stat, 4096, 0)); got[4] != "2" {
		t.Errorf("writes counted in %q, want 2", got)
	}
	if err := s.try("reset", "1"); err != unix.EBUSY {
		t.Errorf("reset of an image that was opened before: %v", err)
	}
}

func TestOpenTable(t *testing.T) {
	s, err := newConnState()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	opens := 0
	count := func() error { opens++; return nil }
	open := func(unique uint64) uint64 {
		t.Helper()
		h, err := s.openImage(unique, 3, count)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	a, b := open(10), open(12)
	if again := open(10 | resent); again != a || opens != 2 {
		t.Errorf("an open that comes again has handle %d, not %d; %d opens", again, a, opens)
	}
	if c := open(14 | resent); c == a || c == b || opens != 3 {
		t.Errorf("an open that comes again and was not done has handle %d; %d opens", c, opens)
	}
	if _, err := s.openImage(16, 0, func() error { return unix.EBUSY }); err != unix.EBUSY {
		t.Errorf("an open that is refused: %v", err)
	}
	if !s.releaseImage(a) || s.releaseImage(a) || s.releaseImage(0) || s.releaseImage(999) {
		t.Error("a handle can be released once")
	}
	if d := open(18); d == a {
		t.Error("a handle is used twice")
	}
	s.opens[100].taken.Store(77) // died before it counted
	found := 0
	s.recoverOpens(func(disk uint64) {
		if disk != 3 {
			t.Errorf("an open of disk %d", disk)
		}
		found++
	})
	if found != 3 || s.opens[100].taken.Load() != 0 {
		t.Errorf("%d opens found, want 3", found)
	}
	s.forgetOpen(12 | resent)
	for i := range uint64(imageOpens) {
		if _, err := s.openImage(1000+2*i, 3, count); err != nil {
			if err != unix.ENFILE || i != imageOpens-2 {
				t.Errorf("open %d: %v", i, err)
			}
			return
		}
	}
	t.Error("more opens than places")
}

func TestJournal(t *testing.T) {
	s, err := newConnState()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	begin := func(unique uint64) *journalEntry {
		t.Helper()
		e := s.begin(inHeader{unique: unique, opcode: opWrite}, nil)
		if e == nil {
			t.Fatal("no room")
		}
		return e
	}
	if len(s.verbs()) > 0 {
		t.Error("an empty journal has commands")
	}
	done, plain, sized, other := begin(2), begin(4), begin(6), begin(8)
	done.done(5, unix.EBUSY)
	sized.size.Store(3)
	sized.setUp.Store(1 << 20)
	other.setUp.Store(1 << 30)
	s.journal[9].phase.Store(entryTaken)
	sized.device.Store(7)
	if got := s.verbs(); !slices.Equal(got, []uint64{7}) {
		t.Error("commands under way are not seen")
	}
	found := map[uint64]string{}
	sizeOf := func(device uint64) uint64 { return map[uint64]uint64{7: 1 << 20}[device] }
	never := func(*journalEntry) bool { return false }
	s.recoverJournal(sizeOf, never, func(e *journalEntry) {
		found[e.unique.Load()] = fmt.Sprint(e.size.Load(), e.errno.Load())
	})
	if want := fmt.Sprint(map[uint64]string{2: fmt.Sprint(5, uint64(unix.EBUSY)), 6: "3 0"}); fmt.Sprint(found) != want {
		t.Errorf("done: %v, want %v", found, want)
	}
	if e := begin(4 | resent); e != plain || e.unique.Load() != 4|resent {
		t.Error("a command that comes again has another entry")
	}
	if e := begin(8 | resent); e != other || e.setUp.Load() != 0 {
		t.Error("a set-up that did not come about counts")
	}
	if begin(4) == plain {
		t.Error("another command has the entry of one that was begun")
	}
	for s.begin(inHeader{unique: 100}, nil) != nil {
	}
	done.answered()
	if begin(200) != done {
		t.Error("an entry that ended is not used again")
	}
}

// A directory read in pieces, by requests of any size.
func TestServeListsDirectories(t *testing.T) {
	b := newBench(t)
	for node, want := range map[uint64]int{rootID: len(deviceRows) + len(blockRows) + 8, nodeID(0, debugRow): len(debugRows) + 2} {
		for _, size := range []uint32{56, 100, 4096} {
			var names []string
			for at := uint64(0); ; {
				errno, data := b.do(request(opReaddir, node, uint64(0), at, size, uint32(0), make([]byte, 16)))
				if errno != 0 {
					t.Fatal(errno)
				}
				if len(data) == 0 {
					break
				}
				for len(data) > 0 {
					var name string
					name, at, data = parseEntry(data)
					names = append(names, name)
				}
			}
			if len(names) != want || names[0] != "." || names[1] != ".." {
				t.Errorf("node %d by %d bytes: %d names, want %d: %q", node, size, len(names), want, names)
			}
		}
	}
	for req, want := range map[string]unix.Errno{
		string(request(opOpendir, image, make([]byte, 8))):      unix.ENOTDIR,
		string(request(opReaddir, rootID)):                      unix.EINVAL,
		string(request(opReleasedir, rootID, make([]byte, 24))): 0,
		string(request(opFsyncdir, rootID, make([]byte, 16))):   0,
	} {
		if errno, _ := b.do([]byte(req)); errno != want {
			t.Errorf("%q: %v, want %v", req, errno, want)
		}
	}
}

// parseEntry reads the first entry of a listing, and where the next one is.
func parseEntry(data []byte) (name string, next uint64, rest []byte) {
	n := binary.NativeEndian.Uint32(data[16:])
	return string(data[24 : 24+n]), binary.NativeEndian.Uint64(data[8:]), data[(24+n+7)&^7:]
}

func noteFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
