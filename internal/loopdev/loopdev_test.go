package loopdev

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// image makes a file of the given size; its file system is that of the temporary directory.
func image(t *testing.T, size int64) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "image")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, size); err != nil {
		t.Fatal(err)
	}
	return name
}

// attach attaches a loop device for the length of the test. It needs root.
func attach(t *testing.T, img string) *Device {
	t.Helper()
	d, err := Attach(img, 4096)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Detach(); err != nil {
			t.Errorf("cleanup: %v", err)
		}
	})
	return d
}

// setting reads an attribute of the device from sysfs.
func setting(t *testing.T, d *Device, attr string) string {
	t.Helper()
	text, err := os.ReadFile(d.sysfs(attr))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func TestAttach(t *testing.T) {
	img := image(t, 8<<20)
	d := attach(t, img)
	for attr, want := range map[string]string{
		backingAttr:                img,
		"loop/dio":                 "1",
		"queue/logical_block_size": "4096",
		"size":                     strconv.Itoa(8 << 20 / 512),
		"ro":                       "0",
		"queue/read_ahead_kb":      "256",
		"queue/wbt_lat_usec":       "0",
	} {
		if got := setting(t, d, attr); got != want {
			t.Errorf("%s: %s is %q, want %q", d.Path(), attr, got, want)
		}
	}
	if found, err := FindByBacking(img); err != nil || !slices.Equal(found, []string{d.Path()}) {
		t.Errorf("FindByBacking: %v, %v; want %s", found, err, d.Path())
	}
	if _, err := AttachTo(d.Path(), img, 4096); !errors.Is(err, unix.EBUSY) {
		t.Errorf("AttachTo a taken device: %v, want EBUSY", err)
	}
	if err := d.Detach(); err != nil {
		t.Fatal(err)
	}
	if found, err := FindByBacking(img); err != nil || len(found) != 0 {
		t.Errorf("after Detach: %v, %v; want none", found, err)
	}
}

func TestAttach_Errors(t *testing.T) {
	if _, err := Attach(filepath.Join(t.TempDir(), "none"), 4096); !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EACCES) {
		t.Errorf("missing image: %v, want ENOENT", err)
	}
	if os.Getuid() == 0 {
		if _, err := Attach(image(t, 1<<20), 1000); !errors.Is(err, unix.EINVAL) {
			t.Errorf("sector size 1000: %v, want EINVAL", err)
		}
	}
}

func TestDevice_SetCapacity(t *testing.T) {
	img := image(t, 0)
	d := attach(t, img)
	for _, size := range []int64{1 << 20, 64 << 20, 0} {
		if err := os.Truncate(img, size); err != nil {
			t.Fatal(err)
		}
		if err := d.SetCapacity(); err != nil {
			t.Fatal(err)
		}
		if got, want := setting(t, d, "size"), strconv.FormatInt(size/512, 10); got != want {
			t.Errorf("image of %d bytes: the device has %s sectors, want %s", size, got, want)
		}
	}
}

func TestDevice_Claim(t *testing.T) {
	d := attach(t, image(t, 1<<20))
	claim, err := d.Claim()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Claim(); !errors.Is(err, unix.EBUSY) {
		t.Errorf("second claim: %v, want EBUSY", err)
	}
	claim.Release()
	claim, err = d.Claim()
	if err != nil {
		t.Fatalf("claim after release: %v", err)
	}
	if err := claim.Detach(); err != nil {
		t.Fatal(err)
	}
	if d.attached() {
		t.Error("still attached after its claimer detached it")
	}
}

// TestDevice_NotOurs: a device that somebody detached and attached to something else must be left alone.
func TestDevice_NotOurs(t *testing.T) {
	mine, other := image(t, 1<<20), image(t, 2<<20)
	d := attach(t, mine)
	for name, ours := range map[string]*Device{"attached here": d, "found by name": Attached(d.Path(), mine)} {
		t.Run(name, func(t *testing.T) {
			if err := Attached(d.Path(), setting(t, d, backingAttr)).Detach(); err != nil {
				t.Fatal(err)
			}
			theirs, err := AttachTo(d.Path(), other, 512)
			if err != nil {
				t.Fatal(err)
			}
			if err := ours.SetCapacity(); !errors.Is(err, ErrTaken) {
				t.Errorf("SetCapacity: %v, want ErrTaken", err)
			}
			if _, err := ours.Claim(); !errors.Is(err, ErrTaken) {
				t.Errorf("Claim: %v, want ErrTaken", err)
			}
			if err := ours.Detach(); err != nil {
				t.Errorf("Detach: %v, want nil", err)
			}
			if got := setting(t, d, backingAttr); got != other {
				t.Errorf("the device is attached to %q, want %q untouched", got, other)
			}
			if err := theirs.Detach(); err != nil {
				t.Error(err)
			}
			if d2, err := AttachTo(d.Path(), mine, 4096); err != nil {
				t.Fatal(err)
			} else {
				*d = *d2
			}
		})
	}
}
