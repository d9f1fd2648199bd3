package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestDeviceNumber(t *testing.T) {
	for name, want := range map[string]int{"zram0": 0, "zram12": 12, "zram": -1, "zram01": -1, "zram-1": -1, "zram1x": -1, "loop1": -1, "zram99999999999": -1} {
		got, ok := deviceNumber(name)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

func TestNumbersIn(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"zram10", "zram2", "zram0", "loop0", "zramx"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := numbersIn(dir); err != nil || !slices.Equal(got, []int{0, 2, 10}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := numbersIn(filepath.Join(dir, "none")); err != nil || got != nil {
		t.Errorf("where nothing is: %v, %v", got, err)
	}
}

func TestOnceEach(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "a", "disksize"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "a", "disksize"), filepath.Join(dir, "b", "disksize")); err != nil {
		t.Fatal(err)
	}
	list := []listedDevice{uzramDevice(dir + "/a"), uzramDevice(dir + "/b"), uzramDevice(dir + "/gone")}
	if got := onceEach(list); len(got) != 2 || got[0].name != dir+"/a" || got[1].name != dir+"/gone" {
		t.Errorf("%+v", got)
	}
}
