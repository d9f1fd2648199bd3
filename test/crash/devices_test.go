package crash

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"uzram/internal/failpoint"
	"uzram/internal/loopdev"
	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// hookScript notes what it is told.
const hookScript = `#!/bin/sh
echo "$1 $2 $(cat /sys/dev/block/$3:$4/loop/backing_file)" >>"$(dirname "$0")/told"
`

// TestDevices: devices come and go, each with a loop device and a hook that is told of it, while the worker dies at every
// step of that. Whoever asks for a device gets one, and exactly one; nothing is left of those that were removed.
func TestDevices(t *testing.T) {
	hook := filepath.Join(harness.Dir(t), "hook")
	if err := os.WriteFile(hook, []byte(hookScript), 0o755); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, harness.Options{Loop: true, Args: []string{"--multi", "--hook", hook, "--log-level", "debug"}})
	held := len(descriptors(t, r.keeper))
	seed := newSeed(t)
	stop := all(comeAndGo(t, r), comeAndGo(t, r))
	random := rand.New(rand.NewPCG(seed, 5))
	for round, end := 0, time.Now().Add(share(10)); round == 0 || time.Now().Before(end); round++ {
		for _, s := range failpoint.Steps() {
			if s.Path != "hot_add" && s.Path != "hot_remove" {
				continue
			}
			r.ready()
			r.killAt(s.Point, 1+random.Int64N(2), nil)
			r.takenOver()
			results.held(s.Point)
		}
	}
	stop()
	r.board.Disarm()
	if names := list(t, r.Path("block")); !slices.Equal(names, []string{"zram0"}) {
		t.Errorf("devices after %d deaths: %v", r.deaths, names)
	}
	if found, err := loopdev.FindInside(r.Dir); err != nil || len(found) != 1 {
		t.Errorf("loop devices after %d deaths: %v, %v", r.deaths, found, err)
	}
	r.ready()
	if now := descriptors(t, r.keeper); len(now) > held {
		t.Errorf("after %d deaths the keeper has %d descriptors, %d before: %v", r.deaths, len(now), held, now)
	}
	told := lastTold(t, filepath.Join(filepath.Dir(hook), "told"))
	for name, action := range told {
		if want := map[bool]string{true: "add", false: "remove"}[name == "zram0"]; action != want {
			t.Errorf("the hook was last told %s %s", action, name)
		}
	}
	r.Umount()
	if !harness.WaitGone(r.keeper, patience) {
		t.Errorf("keeper %d still runs after the unmount", r.keeper)
	}
	r.readLog()
	t.Logf("%d deaths, %d devices", r.deaths, len(told))
}

// comeAndGo adds a device, uses it and removes it, over and over.
func comeAndGo(t *testing.T, r *rig) (stop func()) {
	return again(t, func(i int) error {
		text, err := harness.ReadFile(r.Path("class/zram-control/hot_add"))
		if err != nil {
			return fmt.Errorf("hot_add: %w", err)
		}
		number, err := strconv.Atoi(strings.TrimSuffix(text, "\n"))
		if err != nil || number == 0 {
			return fmt.Errorf("hot_add shows %q", text)
		}
		if err := useDevice(r, number, byte(i)); err != nil {
			return fmt.Errorf("device %d: %w", number, err)
		}
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			_, err := harness.WriteFile(r.Path("class/zram-control/hot_remove"), strconv.Itoa(number), 0)
			if err == nil {
				return nil
			}
			if !errors.Is(err, unix.EBUSY) || time.Now().After(end) { // EBUSY: device managers look at it
				return fmt.Errorf("hot_remove %d: %w", number, err)
			}
		}
	})
}

// useDevice sets a new device up and stores a page on it.
func useDevice(r *rig, number int, content byte) error {
	dir := r.Path(fmt.Sprintf("block/zram%d", number))
	if state, err := harness.ReadFile(dir + "/initstate"); err != nil || state != "0\n" {
		return fmt.Errorf("a new device has initstate %q, %w", state, err)
	}
	if dev, err := harness.ReadFile(dir + "/dev"); err != nil || !strings.HasPrefix(dev, "7:") {
		return fmt.Errorf("dev is %q, %w", dev, err)
	}
	if _, err := harness.WriteFile(dir+"/disksize", "1M", 0); err != nil {
		return err
	}
	fd, err := unix.Open(r.Path(fmt.Sprintf("dev/zram%d", number)), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	want, got := bytes.Repeat([]byte{content, 1, 2, 3, 4}, page)[:page], make([]byte, page)
	_, err = unix.Pwrite(fd, want, 7*page)
	if err == nil {
		_, err = unix.Pread(fd, got, 7*page)
	}
	if err == nil && !bytes.Equal(got, want) {
		err = errors.New("wrong data")
	}
	return errors.Join(err, unix.Close(fd))
}

// lastTold is what the hook was told last of each device.
func lastTold(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 2 && f[0] == "remove" { // once more, or at the end: the loop device is gone
			f = append(f, f[1]+"/image")
		}
		if len(f) != 3 || !strings.HasSuffix(f[2], f[1]+"/image") {
			t.Errorf("the hook was told %q", line)
			continue
		}
		told[f[1]] = f[0]
	}
	return told
}

// list is what is in a directory.
func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// descriptors are what a process has open.
func descriptors(t *testing.T, pid int) (all []string) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	for _, name := range list(t, dir) {
		if to, err := os.Readlink(filepath.Join(dir, name)); err == nil {
			all = append(all, to)
		}
	}
	return all
}
