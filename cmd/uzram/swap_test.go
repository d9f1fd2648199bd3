package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"uzram/internal/guard"
	"uzram/internal/status"
)

// TestSwapLacks: what is missing is named with how to get it, and what this process has no right to is done without.
func TestSwapLacks(t *testing.T) {
	keeper := 7
	state := func(name string, s status.GuardState) status.Guard { return status.Guard{Name: name, State: s} }
	for _, c := range []struct {
		name     string
		change   func(*status.Status)
		resource bool
		want     string // of all that is lacking; "" = nothing
	}{
		{"nothing", func(*status.Status) {}, true, ""},
		{"memory is not locked", func(s *status.Status) { s.Guards[0].State = status.GuardRefused }, false, "LimitMEMLOCK"},
		{"no flusher, no right to it", func(s *status.Status) { s.Guards[1].State = status.GuardRefused }, false, ""},
		{"no flusher, though it may", func(s *status.Status) { s.Guards[1].State = status.GuardRefused }, true, "flusher"},
		{"no score, no right to it", func(s *status.Status) { s.Guards[2].State = status.GuardRefused }, false, ""},
		{"no score, though it may", func(s *status.Status) { s.Guards[2].State = status.GuardRefused }, true, "out-of-memory"},
		{"no keeper", func(s *status.Status) { s.KeeperPID = nil }, true, "--keeper"},
		{"no standby", func(s *status.Status) { s.Standby = false }, true, "--standby"},
		{"no guards", func(s *status.Status) { s.Guards = nil }, false, "locked memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := status.Status{KeeperPID: &keeper, Standby: true, Guards: []status.Guard{
				state(guard.Mlock, status.GuardActive), state(guard.IOFlusher, status.GuardActive), state(guard.OOMScore, status.GuardActive),
			}}
			c.change(&st)
			lacks := swapLacks(st, c.resource)
			if text := strings.Join(lacks, ""); (c.want == "") != (len(lacks) == 0) || len(lacks) > 1 || !strings.Contains(text, c.want) {
				t.Errorf("lacks %q, want one with %q", lacks, c.want)
			}
		})
	}
}

// TestSwapSignature: it is what mkswap writes, but for the identifier.
func TestSwapSignature(t *testing.T) {
	mkswap, err := exec.LookPath("mkswap")
	if err != nil {
		mkswap = "/usr/sbin/mkswap"
	}
	const pages = 20
	name := filepath.Join(t.TempDir(), "area")
	if err := os.WriteFile(name, make([]byte, pages*os.Getpagesize()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(mkswap, name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got := swapSignature(pages, [16]byte(want[1036:]), os.Getpagesize())
	if want = want[:len(got)]; !bytes.Equal(got, want) {
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("byte %d is %#x, mkswap writes %#x", i, got[i], want[i])
			}
		}
	}
}

func TestNewUUID(t *testing.T) {
	a, b := newUUID(), newUUID()
	if a == b || a[6]>>4 != 4 || a[8]>>6 != 2 {
		t.Errorf("%x, %x", a, b)
	}
}

// TestApplyArgs: the child of a confined worker is told that the mount had the right to all guards.
func TestApplyArgs(t *testing.T) {
	for _, resource := range []bool{true, false} {
		args := applyArgs(mountOptions{dir: "/d", swap: swapSafe, resource: resource})
		if slices.Contains(args, "--resource") != resource || args[len(args)-1] != "/d" {
			t.Errorf("resource %v: %q", resource, args)
		}
	}
}

func TestSwapMode_Args(t *testing.T) {
	if swapNone.args() != nil || swapSafe.args()[0] != "--swap" || swapBesteffort.args()[0] != "--swap-besteffort" {
		t.Errorf("%q %q %q", swapNone.args(), swapSafe.args(), swapBesteffort.args())
	}
}
