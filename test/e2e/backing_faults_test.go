package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uzram/internal/status"
	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// faultPages is how many pages the disks of these stories have in use, each of which takes a block when written back.
const faultPages = 256

// TestBackingFaults: what users see of a backing device that fails, and that no page is lost but those whose blocks are.
func TestBackingFaults(t *testing.T) {
	var doc faultDoc
	for _, story := range []struct {
		name string
		tell func(*testing.T, *faultDoc)
	}{
		{"full", backingFull},
		{"full file system", backingOnFullFS},
		{"read-only", backingReadOnly},
		{"lost blocks", backingLosesBlocks},
		{"shorter file", backingCutOff},
		{"spoilt block", backingSpoilt},
		{"gone", backingGone},
		{"killed", killedWhileWritingBack},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(t, &doc) })
	}
	if !t.Failed() {
		compareDocument(t, "backing-faults.md", doc.String(), "TestBackingFaults")
	}
}

// backingFull: more pages than blocks.
func backingFull(t *testing.T, doc *faultDoc) {
	doc.story("The backing device is full", "A file of 32 blocks for 256 pages.")
	s := newFaultStory(t, doc, backingFile(t, 32*page), nil)
	s.writeBack("type=idle", "write more pages back than there are blocks", unix.ENOSPC)
	s.wantUsed(32)
	s.wantLost("read all pages", 0)
	s.discard(0, faultPages/2)
	s.writeBack("type=idle", "write back once some of the pages there were discarded", unix.ENOSPC)
	s.wantUsed(32)
	s.wantLost("", 0)
}

// backingOnFullFS: the file is sparse, and what it would take is not there.
func backingOnFullFS(t *testing.T, doc *faultDoc) {
	doc.story("The file system of the backing file is full", "A sparse file of 8 MiB on a file system with room for 32 blocks.")
	dir := filepath.Join(harness.Dir(t), "small")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	harness.Undo(t, "mount", dir)
	harness.Run(t, "mount", "-t", "tmpfs", "-o", "size=128K", "none", dir)
	file := filepath.Join(dir, "backing")
	harness.Run(t, "truncate", "-s", "8M", file)
	s := newFaultStory(t, doc, file, nil)
	s.writeBack("type=idle", "write more pages back than there is room for", unix.ENOSPC)
	s.wantUsed(32)
	s.wantLost("read all pages", 0)
	harness.Run(t, "mount", "-o", "remount,size=16M", dir)
	s.writeBack("type=idle", "write back once there is room", 0)
	s.wantUsed(faultPages)
	s.wantLost("", 0)
}

// backingReadOnly: all writes fail, reads do not.
func backingReadOnly(t *testing.T, doc *faultDoc) {
	doc.story("The backing device takes no more writes", "A block device that becomes read-only while half of the pages are on it.")
	loop := attachedLoop(t, backingFile(t, 8*mib))
	s := newFaultStory(t, doc, loop, nil)
	s.dev.Set("writeback", "page_indexes=0-127")
	harness.Run(t, "blockdev", "--setro", loop)
	s.writeBack("type=idle", "write back", unix.EPERM)
	s.wantUsed(faultPages / 2)
	s.wantLost("read all pages", 0)
	harness.Run(t, "blockdev", "--setrw", loop)
	s.writeBack("type=idle", "write back once it takes writes again", 0)
	s.wantUsed(faultPages)
	s.wantLost("", 0)
}

// backingLosesBlocks: a block device whose file is cut gives errors for what was cut off, and takes writes.
func backingLosesBlocks(t *testing.T, doc *faultDoc) {
	doc.story("The backing device cannot read some of its blocks",
		"A block device, with `writeback_checksum`. All 256 pages are on it; then 192 blocks are lost.")
	file := backingFile(t, 8*mib)
	s := newFaultStory(t, doc, attachedLoop(t, file), map[string]string{"writeback_checksum": "1"})
	s.dev.Set("writeback", "page_indexes=0-255")
	harness.Run(t, "truncate", "-s", "256K", file)
	lost := s.wantLost("read all pages", 192)
	if len(lost) < 8 {
		t.FailNow()
	}
	// What is written to the lowest free block makes the file almost as long as it was.
	anew, gone := lost[len(lost)-2], lost[len(lost)-1]
	s.call("write a part of a lost page", unix.EIO, func(fd int) error {
		_, err := unix.Pwrite(fd, []byte("part"), anew*page)
		return err
	})
	s.call("write all of a lost page", 0, func(fd int) error {
		_, err := unix.Pwrite(fd, s.page(anew), anew*page)
		return err
	})
	s.call("discard a lost page", 0, func(fd int) error {
		clear(s.page(gone))
		return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, gone*page, page)
	})
	s.wantLost("read all pages again", 190)
	// The file grows again, and what was lost reads as zeros.
	s.writeBack("page_indexes=0-255", "write back the page that was written anew", 0)
	s.wantLost("read all pages; the device now gives zeros for what it lost", 190)
	if bad := s.dev.Status().Stats["backing_bad"]; bad == 0 {
		t.Error("no bad block was counted")
	}
}

// backingCutOff: somebody empties the backing file.
func backingCutOff(t *testing.T, doc *faultDoc) {
	doc.story("The backing file is emptied", "By `truncate`, while half of the pages are in it.")
	file := backingFile(t, 8*mib)
	s := newFaultStory(t, doc, file, nil)
	s.dev.Set("writeback", "page_indexes=0-127")
	harness.Run(t, "truncate", "-s", "0", file)
	s.wantLost("read all pages", 128)
	s.writeBack("type=idle", "write the other half back", unix.EIO)
	s.wantLost("read all pages again", 128)
	if st, err := os.Stat(file); err != nil || st.Size() != 0 {
		t.Errorf("the file has %d bytes again, %v: what was lost would read as zeros", st.Size(), err)
	}
	s.rewrite(0, 128)
	s.wantLost("write the lost pages anew, and read all", 0)
}

// backingSpoilt: a block is not what was written there.
func backingSpoilt(t *testing.T, doc *faultDoc) {
	for _, seal := range []string{"writeback_checksum", "writeback_encryption"} {
		doc.story("A block is not what was written there, with `"+seal+"`", "One bit of the backing file changes.")
		file := backingFile(t, 8*mib)
		s := newFaultStory(t, doc, file, map[string]string{seal: "1"})
		s.dev.Set("writeback", "page_indexes=0-255")
		fd := open(t, file, unix.O_RDWR)
		block := pread(t, fd, page, 100*page)
		block[1234] ^= 4
		pwrite(t, fd, block, 100*page)
		s.wantLost("read all pages", 1)
		if bad := s.dev.Status().Stats["backing_bad"]; bad != 1 {
			t.Errorf("%d bad blocks counted, want 1", bad)
		}
		block[1234] ^= 4
		pwrite(t, fd, block, 100*page)
		s.wantLost("read all pages once the bit is as it was", 0)
		shut(t, fd)
	}
}

// backingGone: every request fails. The device is a loop device on the image of another uzram, whose daemon is killed.
func backingGone(t *testing.T, doc *faultDoc) {
	doc.story("The backing device goes away", "All its I/O fails from then on. Half of the pages are on it.")
	under := harness.Mount(t, harness.Options{Disksize: "8M", KernelErrors: true, Args: []string{"--keeper=false"}})
	loop := attachedLoop(t, under.Image)
	s := newFaultStory(t, doc, loop, nil)
	s.dev.Set("writeback", "page_indexes=0-127")
	if err := unix.Kill(under.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.wantLost("read all pages", 128)
	s.writeBack("type=idle", "write the other half back", unix.EIO)
	s.wantLost("read all pages again", 128)
	s.rewrite(0, 128)
	s.wantLost("write the lost pages anew, and read all", 0)
	shut(t, s.fd)
	s.dev.Set("reset", "1")
	doc.row("reset", "ok, and the device is let go")
	harness.Run(t, "losetup", "-d", loop)
	harness.Run(t, harness.Bin(), "umount", under.Dir)
}

// killedWhileWritingBack: without the daemon nothing waits, and the backing file is free.
func killedWhileWritingBack(t *testing.T, doc *faultDoc) {
	doc.story("The daemon is killed while it writes back", "By SIGKILL. The disk's contents go with it, as with its memory.")
	const size = 32 * mib
	file := backingFile(t, 2*size)
	data := mixed(size, newSeed(t))
	for try := 0; ; try++ {
		dev := harness.Mount(t, harness.Options{Disksize: "32M", KernelErrors: true, Args: []string{"--keeper=false", "--backing-dev", file}})
		fd := open(t, dev.Image, unix.O_RDWR)
		pwrite(t, fd, data, 0)
		p := harness.Start(t, "sh", "-c", `echo page_indexes=0-8191 > "$1"`, "sh", dev.Path("writeback"))
		written := int64(0)
		for written == 0 && p.Running() {
			written = dev.Numbers("bd_stat")[2]
		}
		if err := unix.Kill(dev.PID, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		code, stderr := p.Wait(t, patience)
		if !harness.WaitGone(dev.PID, patience) {
			t.Fatal("the daemon does not die")
		}
		_, err := unix.Pread(fd, make([]byte, page), 0)
		if e := harness.Errno(err); e != unix.EIO && e != unix.ENOTCONN && e != unix.ECONNABORTED {
			t.Errorf("read of the image: %v, want EIO or ENOTCONN", err)
		}
		shut(t, fd)
		wantFree(t, file)
		harness.Run(t, harness.Bin(), "umount", dev.Dir)
		if code != 0 {
			if !strings.Contains(stderr, "I/O error") && !strings.Contains(stderr, "abort") && !strings.Contains(stderr, "not connected") {
				t.Errorf("the writer says %q", stderr)
			}
			break
		}
		if try == 5 {
			t.Fatal("the run was over before the kill, each time")
		}
	}
	doc.row("the command that was writing back", "EIO or ECONNABORTED, at once")
	doc.row("read the image", "EIO or ENOTCONN")
	s := newFaultStory(t, doc, file, nil)
	s.writeBack("type=idle", "mount anew with the same backing file, and write back", 0)
	s.wantUsed(faultPages)
	s.wantLost("read all pages", 0)
}

// wantFree fails if a process still has a lock of the file.
func wantFree(t *testing.T, file string) {
	t.Helper()
	fd := open(t, file, unix.O_RDONLY)
	defer shut(t, fd)
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("lock of %s: %v", file, err)
	}
}

func backingFile(t *testing.T, size int64) string {
	t.Helper()
	file := filepath.Join(harness.Dir(t), "backing")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
	return file
}

// attachedLoop attaches a loop device to a file until the test ends.
func attachedLoop(t *testing.T, file string) string {
	t.Helper()
	loop := strings.TrimSpace(harness.Run(t, "losetup", "--find", "--show", "--sector-size", "4096", file))
	harness.Undo(t, "loop", loop)
	return loop
}

// faultStory is a disk with a backing device that will fail.
type faultStory struct {
	t    *testing.T
	doc  *faultDoc
	dev  *harness.Dev
	fd   int // of the image, past all caches
	data []byte
}

func newFaultStory(t *testing.T, doc *faultDoc, backing string, set map[string]string) *faultStory {
	t.Helper()
	dev := harness.Mount(t, harness.Options{})
	dev.Set("backing_dev", backing)
	for attr, value := range set {
		dev.Set(attr, value)
	}
	dev.Set("disksize", "16M")
	s := &faultStory{t, doc, dev, open(t, dev.Image, unix.O_RDWR|unix.O_DIRECT), aligned(t, faultPages*page)}
	t.Cleanup(func() {
		shut(t, s.fd)
		s.check()
	})
	seed := newSeed(t)
	for i := range int64(faultPages) {
		harness.FillPage(s.page(i), []harness.Content{harness.Half, harness.Random, harness.Text}[i%3], seed+uint64(i))
	}
	pwrite(t, s.fd, s.data, 0)
	return s
}

func (s *faultStory) page(i int64) []byte { return s.data[i*page:][:page] }

// writeBack gives a command to writeback, which must answer so. All pages are idle.
func (s *faultStory) writeBack(command, done string, want unix.Errno) {
	s.t.Helper()
	s.dev.Set("idle", "all")
	if got := harness.Errno(s.dev.Write("writeback", command)); got != want {
		s.t.Errorf("writeback <- %s (%s): %v, want %v", command, done, got, want)
	}
	s.doc.row(done, harness.ErrnoName(want))
	s.check()
}

// call does something to the image, by a descriptor with caches, which must answer so.
func (s *faultStory) call(done string, want unix.Errno, f func(fd int) error) {
	s.t.Helper()
	fd := open(s.t, s.dev.Image, unix.O_RDWR)
	defer shut(s.t, fd)
	if got := harness.Errno(f(fd)); got != want {
		s.t.Errorf("%s: %v, want %v", done, got, want)
	}
	s.doc.row(done, harness.ErrnoName(want))
}

func (s *faultStory) discard(from, to int64) {
	s.t.Helper()
	if err := unix.Fallocate(s.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, from*page, (to-from)*page); err != nil {
		s.t.Error(err)
	}
	clear(s.data[from*page : to*page])
}

func (s *faultStory) rewrite(from, to int64) {
	s.t.Helper()
	pwrite(s.t, s.fd, s.data[from*page:to*page], from*page)
}

// wantLost reads each page. So many give EIO, all others are what was written.
func (s *faultStory) wantLost(done string, want int) (lost []int64) {
	s.t.Helper()
	got := aligned(s.t, page)
	for i := range int64(faultPages) {
		n, err := unix.Pread(s.fd, got, i*page)
		switch {
		case err == unix.EIO:
			lost = append(lost, i)
		case err != nil || n != page || !bytes.Equal(got, s.page(i)):
			s.t.Errorf("%s: page %d: %d bytes, %v; it is not what was written", done, i, n, err)
		}
	}
	if len(lost) != want {
		s.t.Errorf("%s: EIO for %d pages, want %d", done, len(lost), want)
	}
	s.check()
	switch {
	case done == "":
	case want == 0:
		s.doc.row(done, "all as written")
	default:
		s.doc.row(done, fmt.Sprintf("EIO for %d of %d pages, those on lost blocks; all others as written", want, faultPages))
	}
	return lost
}

func (s *faultStory) wantUsed(blocks int64) {
	s.t.Helper()
	if bd := s.dev.Numbers("bd_stat"); bd[0] != blocks {
		s.t.Errorf("%d blocks are in use, want %d", bd[0], blocks)
	}
}

// check has the device check itself and do some ordinary work, on pages that the story does not use.
func (s *faultStory) check() {
	s.t.Helper()
	if !s.dev.Mounted() || s.dev.Get("initstate") == "0" {
		return
	}
	res := harness.Uzram(s.t, "check", "--json", s.dev.Dir)
	var r status.Check
	if err := json.Unmarshal([]byte(res.Stdout), &r); err != nil || res.Err != nil || len(r.Findings) > 0 {
		s.t.Errorf("check: %v, %v: %s%s", res.Err, err, res.Stdout, res.Stderr)
	}
	fd := open(s.t, s.dev.Image, unix.O_RDWR)
	defer shut(s.t, fd)
	work := mixed(8*page, uint64(time.Now().UnixNano()))
	pwrite(s.t, fd, work, 2*faultPages*page+100)
	expectBytes(s.t, "other pages", pread(s.t, fd, len(work), 2*faultPages*page+100), work)
}
