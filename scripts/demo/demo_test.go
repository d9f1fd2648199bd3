package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sample makes a source tree: nested directories, an empty file, one larger
// than the copy buffer, and a link, which is left out.
func sample(t *testing.T) *tree {
	t.Helper()
	root := t.TempDir()
	for name, content := range map[string]string{
		"a":          "first",
		"empty":      "",
		"d/e/nested": "second",
		"d/large":    strings.Repeat("0123456789abcdef", bufSize/16+100),
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	tree, err := scan(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// devices gives both kinds of device on plain files.
func devices(t *testing.T) map[string]device {
	t.Helper()
	p := place(t.TempDir())
	if err := os.Mkdir(p.device(), 0o755); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(p.device(), "image")
	if err := os.WriteFile(image, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 4*bufSize); err != nil {
		t.Fatal(err)
	}
	var undo undoList
	pack, err := newPack(p, &undo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(undo.run)
	return map[string]device{"pack": pack, "disk": unsettled{disk{t.TempDir()}}}
}

// unsettled leaves the machine's caches alone.
type unsettled struct{ disk }

func (unsettled) settle() error { return nil }

func TestScan(t *testing.T) {
	tree := sample(t)
	if got, want := strings.Join(tree.dirs, " "), "d d/e"; got != want {
		t.Errorf("directories %q, want %q", got, want)
	}
	if len(tree.files) != 4 || tree.bytes != 5+6+bufSize+1600 {
		t.Errorf("%d files, %d bytes; want 4 and %d", len(tree.files), tree.bytes, 5+6+bufSize+1600)
	}
	if _, err := scan(context.Background(), t.TempDir()); err == nil {
		t.Error("an empty tree was accepted")
	}
}

func TestCopyAndVerify(t *testing.T) {
	tree := sample(t)
	for name, dev := range devices(t) {
		t.Run(name, func(t *testing.T) {
			if err := dev.fits(tree, config{size: "4M"}); err != nil {
				t.Fatal(err)
			}
			if _, err := copyIn(context.Background(), tree, dev); err != nil {
				t.Fatal(err)
			}
			if _, err := verify(context.Background(), tree, dev); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerifyFindsDamage(t *testing.T) {
	tree := sample(t)
	for name, dev := range devices(t) {
		t.Run(name, func(t *testing.T) {
			if _, err := copyIn(context.Background(), tree, dev); err != nil {
				t.Fatal(err)
			}
			damage(t, dev)
			if _, err := verify(context.Background(), tree, dev); err == nil || !strings.Contains(err.Error(), "large") {
				t.Errorf("error %v, want one that names the damaged file", err)
			}
		})
	}
}

// damage changes one byte of d/large behind the device's back.
func damage(t *testing.T, dev device) {
	t.Helper()
	path, off := "", int64(100)
	switch d := dev.(type) {
	case *pack:
		path, off = d.image.Name(), d.index["d/large"].off+off
	case unsettled:
		path = d.path("d/large")
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{0}, off); err != nil {
		t.Fatal(err)
	}
}

func TestTooLargeATree(t *testing.T) {
	tree := sample(t)
	tree.bytes, tree.files[0].size = 1<<50, 1<<50
	for name, dev := range devices(t) {
		err := dev.fits(tree, config{size: "4M"})
		if err == nil || !strings.Contains(err.Error(), "SIZE=4M") {
			t.Errorf("%s: error %v, want one that names SIZE=", name, err)
		}
	}
}

func TestInterrupt(t *testing.T) {
	tree := sample(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, dev := range devices(t) {
		if _, err := copyIn(ctx, tree, dev); err == nil {
			t.Errorf("%s: the copy went on", name)
		}
	}
}

func TestReport(t *testing.T) {
	p := place(t.TempDir())
	if err := os.Mkdir(p.device(), 0o755); err != nil {
		t.Fatal(err)
	}
	stat := filepath.Join(p.device(), "mm_stat")
	if err := os.WriteFile(stat, []byte(" 4096000 1000000  2048000        0  2048000 0 0 0 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	tree := &tree{root: "/src", files: make([]source, 3), bytes: 8e6}
	if err := report(&out, config{algorithm: "zstd"}, p, tree, time.Second, 2*time.Second); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 files", "algorithm    zstd", "ratio        2.00", "write        8 MB/s", "read         4 MB/s", "make stop DIR="} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if err := os.WriteFile(stat, []byte("0 0 0 0 0 0 0 0 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := report(io.Discard, config{}, p, tree, time.Second, time.Second); err == nil {
		t.Error("a device that holds nothing was reported as a success")
	}
}

func TestPlace(t *testing.T) {
	parent := t.TempDir()
	made, found := filepath.Join(parent, "made"), filepath.Join(parent, "found")
	if err := os.Mkdir(found, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir, stays := range map[string]bool{made: false, found: true} {
		var undo undoList
		p, err := makePlace(dir, &undo)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(p.device()); err != nil {
			t.Error(err)
		}
		for range 2 { // the second finds nothing to do
			if err := stop(config{dir: dir}); err != nil {
				t.Error(err)
			}
		}
		if _, err := os.Stat(p.device()); err == nil {
			t.Errorf("%s is left", p.device())
		}
		if _, err := os.Stat(dir); (err == nil) != stays {
			t.Errorf("%s: %v after stop; stays should be %v", dir, err, stays)
		}
	}
	link := filepath.Join(parent, "link")
	if err := os.Symlink(found, link); err != nil {
		t.Fatal(err)
	}
	if _, err := makePlace(link, new(undoList)); err == nil {
		t.Error("a symbolic link was taken as DIR")
	}
	if err := stop(config{dir: filepath.Join(parent, "no", "such")}); err != nil {
		t.Errorf("stop of nothing: %v", err)
	}
}
