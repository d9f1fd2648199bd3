package fusefs

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"uzram/internal/snapshot"
)

// snapshot is a snapshot as a program reads it, in pieces of size bytes.
func (s *server) snapshot(size int) []byte {
	s.t.Helper()
	fd := s.open("debug/snapshot", unix.O_RDONLY)
	defer unix.Close(fd)
	var file []byte
	buf := make([]byte, size)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil {
			s.t.Fatal(err)
		}
		if n == 0 {
			return file
		}
		file = append(file, buf[:n]...)
	}
}

// restore writes a snapshot in pieces of size bytes and returns the first error:
// of a write, or else of close.
func (s *server) restore(file []byte, size int) (written int, err error) {
	s.t.Helper()
	fd := s.open("debug/restore", unix.O_WRONLY)
	for len(file) > 0 && err == nil {
		var n int
		n, err = unix.Write(fd, file[:min(size, len(file))])
		file = file[max(n, 0):]
		written += max(n, 0)
	}
	if cerr := unix.Close(fd); err == nil {
		err = cerr
	}
	return written, err
}

// writtenMount is a mount with a disk of 8 MiB and data on the first 3.
func writtenMount(t *testing.T) (s *server, data []byte) {
	t.Helper()
	s = mountedHere(t)
	s.set("disksize", "8M")
	data = pages(t, 3<<20)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	fillData(rand.New(rand.NewPCG(seed, 1)), data)
	fd := s.open("image", unix.O_WRONLY|unix.O_DIRECT)
	defer unix.Close(fd)
	if n, err := unix.Pwrite(fd, data, 0); n != len(data) || err != nil {
		t.Fatalf("%d bytes written, %v", n, err)
	}
	return s, data
}

func (s *server) wantData(data []byte) {
	s.t.Helper()
	fd := s.open("image", unix.O_RDONLY|unix.O_DIRECT)
	defer unix.Close(fd)
	got := pages(s.t, len(data))
	if n, err := unix.Pread(fd, got, 0); n != len(got) || err != nil || !bytes.Equal(got, data) {
		s.t.Errorf("%d bytes, %v; not what was written", n, err)
	}
}

func TestMount_SnapshotAndRestore(t *testing.T) {
	s, data := writtenMount(t)
	for _, size := range []int{4 << 20, 100000, 4097} {
		file := s.snapshot(size)
		if h, err := snapshot.Verify(bytes.NewReader(file), nil); err != nil || h.Disksize != 8<<20 || h.Program != "test" {
			t.Fatalf("read by %d bytes: %+v, %v", size, h, err)
		}
		other := mountedHere(t)
		waiting := other.open("image", unix.O_RDONLY) // as a loop device has it
		defer unix.Close(waiting)
		if n, err := other.restore(file, size); n != len(file) || err != nil {
			t.Fatalf("written by %d bytes: %d of %d, %v", size, n, len(file), err)
		}
		other.checkSize(waiting, 8<<20)
		other.wantData(data)
		if text := other.read("debug/check"); !bytes.Contains([]byte(text), []byte(`"findings":[]`)) {
			t.Error(text)
		}
		unix.Close(waiting)
	}
	s.wantData(data)
}

// TestMount_SnapshotIsReadInTurn: a reader that jumps, or a second one, gets an
// error; one that goes away keeps nobody else from it.
func TestMount_SnapshotIsReadInTurn(t *testing.T) {
	s := mountedHere(t)
	s.set("disksize", "8M")
	data := pages(t, 8<<20)
	rand.NewChaCha8([32]byte{}).Read(data)
	image := s.open("image", unix.O_WRONLY|unix.O_DIRECT)
	if n, err := unix.Pwrite(image, data, 0); n != len(data) || err != nil {
		t.Fatalf("%d bytes written, %v", n, err)
	}
	unix.Close(image)
	fd := s.open("debug/snapshot", unix.O_RDONLY)
	buf := make([]byte, 1000) // far less than the whole, which is not made yet then
	if n, err := unix.Read(fd, buf); n != len(buf) || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	second := s.open("debug/snapshot", unix.O_RDONLY)
	if _, err := unix.Read(second, buf); err != unix.EBUSY {
		t.Errorf("a second reader: %v", err)
	}
	unix.Close(second)
	if _, err := unix.Pread(fd, buf, 5000); err != unix.EIO {
		t.Errorf("a read elsewhere: %v", err)
	}
	unix.Close(fd)
	eventually(t, "the first reader is forgotten", func() bool {
		fd := s.open("debug/snapshot", unix.O_RDONLY)
		defer unix.Close(fd)
		_, err := unix.Read(fd, buf)
		return err == nil
	})
	unset := mountedHere(t).open("debug/snapshot", unix.O_RDONLY)
	defer unix.Close(unset)
	if n, err := unix.Read(unset, buf); err != unix.EINVAL {
		t.Errorf("before set-up: %d bytes, %v", n, err)
	}
}

// TestMount_RestoreJudges: what is wrong with a snapshot is an error of a write or
// of close, and the device is not set up. Then a right one is taken.
func TestMount_RestoreJudges(t *testing.T) {
	from, data := writtenMount(t)
	file := from.snapshot(1 << 20)
	flipped := bytes.Clone(file)
	flipped[len(file)/2] ^= 1
	newer := bytes.Clone(file)
	newer[8]++
	s := mountedHere(t)
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"nothing":          {nil, unix.ENODATA},
		"half":             {file[:len(file)/2], unix.ENODATA},
		"all but a byte":   {file[:len(file)-1], unix.ENODATA},
		"one flipped bit":  {flipped, unix.EBADMSG},
		"one byte more":    {append(bytes.Clone(file), 0), unix.EBADMSG},
		"twice":            {append(bytes.Clone(file), file...), unix.EBADMSG},
		"something else":   {data, unix.EINVAL},
		"of a newer uzram": {newer, unix.EOPNOTSUPP},
	} {
		if _, err := s.restore(c.file, 1<<20); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		eventually(t, "the attempt is forgotten", func() bool { return s.try("comp_algorithm", "lz4") == nil })
		if text := s.read("initstate"); text != "0\n" {
			t.Fatalf("%s: initstate %q", name, text)
		}
	}
	fd := s.open("debug/restore", unix.O_WRONLY)
	if _, err := unix.Pwrite(fd, file, 1); err != unix.EIO {
		t.Errorf("a write elsewhere: %v", err)
	}
	unix.Close(fd)
	if _, err := s.restore(file, 1<<20); err != nil {
		t.Fatal(err)
	}
	s.wantData(data)
	if _, err := s.restore(file, 1<<20); err != unix.EBUSY {
		t.Errorf("over a disk that is there: %v", err)
	}
}

// TestMount_RestoreThroughSharedDescriptors: a close by one of those who share the
// open, before the end has come, ends nothing; as when a shell redirects.
func TestMount_RestoreThroughSharedDescriptors(t *testing.T) {
	from, data := writtenMount(t)
	file := from.snapshot(1 << 20)
	s := mountedHere(t)
	fd := s.open("debug/restore", unix.O_WRONLY)
	for _, part := range [][]byte{nil, file[:1000], file[1000 : len(file)/2], file[len(file)/2:]} {
		if _, err := unix.Write(fd, part); err != nil && len(part) > 0 {
			t.Fatal(err)
		}
		other, err := unix.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		err = unix.Close(other)
		if last := len(part) > 2000 && bytes.HasSuffix(file, part); (err == nil) != last || !last && err != unix.ENODATA {
			t.Errorf("a close after %d bytes: %v", len(part), err)
		}
	}
	s.wantData(data)
	if _, err := unix.Write(fd, file[:1]); err != unix.EINVAL {
		t.Errorf("a write after the verdict: %v", err)
	}
	if err := unix.Close(fd); err != nil {
		t.Error(err)
	}
}
