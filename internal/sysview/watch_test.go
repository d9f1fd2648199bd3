package sysview

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWatch: a view is told of devices that come and go, and to go itself.
func TestWatch(t *testing.T) {
	if !inside(t) {
		return
	}
	s := newStandIn(t)
	if err := Tell(s.dir, ActionAdd, "zram0", 7, 0); err != nil {
		t.Errorf("without a view: %v", err)
	}
	o := Options{Dir: s.dir, CopyDev: true, HideLoops: true, Exe: "/bin/true"}
	first, firstLoop := s.add("zram3")
	w, err := Start(o, true, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	checkShown(t, first, firstLoop)
	if _, err := Start(o, true, func(error) {}); err == nil {
		t.Error("two views for the whole machine")
	}
	if who := Viewers(s.dir); len(who) != 1 {
		t.Errorf("viewers: %q", who)
	}
	d, loop := s.add("zram4")
	if err := Tell(s.dir, ActionAdd, d.Name, d.Major, d.Minor); err != nil {
		t.Error(err)
	}
	checkShown(t, d, loop)
	if err := Tell(s.dir, ActionAdd, "zram5", 7, 4000); err == nil || !strings.Contains(err.Error(), "zram5") {
		t.Errorf("a device that the mount has not: %v", err)
	}
	if err := Tell(s.dir, "dance", d.Name, d.Major, d.Minor); err == nil {
		t.Error("an order that does not exist is obeyed")
	}
	if err := Tell(s.dir, ActionRemove, d.Name, d.Major, d.Minor); err != nil {
		t.Error(err)
	}
	checkGone(t, d, loop)
	if err := TellLeave(s.dir); err != nil {
		t.Error(err)
	}
	checkGone(t, first, firstLoop)

	ended := make(chan error, 1)
	go func() { <-w.Ordered(); ended <- w.Close() }()
	if told, err := Stop(s.dir); !told || err != nil {
		t.Errorf("Stop: %v, %v", told, err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the view did not end")
	}
	if told, err := Stop(s.dir); told || err != nil {
		t.Errorf("Stop again: %v, %v", told, err)
	}
}

// TestTell_Dead: a view whose process was killed is forgotten, and its place can be taken.
func TestTell_Dead(t *testing.T) {
	if !inside(t) {
		return
	}
	s := newStandIn(t)
	dead := filepath.Join(RunDir(s.dir), systemSocket)
	if err := MakeRunDir(s.dir); err != nil {
		t.Fatal(err)
	}
	abandon(t, dead)
	if err := Tell(s.dir, ActionAdd, "zram0", 7, 0); err != nil || exists(dead) {
		t.Errorf("Tell: %v; the socket is there: %v", err, exists(dead))
	}
	abandon(t, dead)
	w, err := Start(Options{Dir: s.dir, CopyDev: true, HideLoops: true, Exe: "/bin/true"}, true, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestFollow: what the kernel makes and removes is so in the view.
func TestFollow(t *testing.T) {
	if !inside(t) {
		return
	}
	s := newStandIn(t)
	v := s.build(Options{CopyDev: true, HideLoops: true, Exe: "/bin/true"})
	_, loop := s.add("zram0")
	e := uevent{action: "remove", path: "devices/virtual/block/" + loop, subsystem: "block", number: numberOf(t, loop), node: loop, whole: true}
	for range 2 {
		if err := v.follow(e); err != nil {
			t.Error(err)
		}
		if exists("/sys/block/"+loop) || exists("/dev/"+loop) || exists("/sys/dev/block/"+e.number) || exists("/sys/devices/virtual/block/"+loop) {
			t.Error("what the kernel removed is still in the view")
		}
	}
	e.action = "add"
	for range 2 {
		if err := v.follow(e); err != nil {
			t.Error(err)
		}
		if !exists("/sys/block/"+loop+"/uevent") || !exists("/dev/"+loop) || !exists("/sys/dev/block/"+e.number) {
			t.Error("what the kernel made is not in the view")
		}
	}
	for _, action := range []string{"remove", "add"} {
		if err := v.follow(uevent{action: action, path: "devices/virtual/mem/null", subsystem: "mem", number: "1:3", node: "null"}); err != nil {
			t.Error(err)
		}
		if exists("/dev/null") != (action == "add") {
			t.Errorf("%s of /dev/null had no effect", action)
		}
	}
}

// TestFollow_Machine: where loop devices are seen, the number of one leads to the device on it all the same.
func TestFollow_Machine(t *testing.T) {
	if !inside(t) {
		return
	}
	s := newStandIn(t)
	d, loop := s.add("zram0")
	v := s.build(Options{CopyDev: true, Exe: "/bin/true"})
	for _, action := range []string{"add", "remove", "add"} {
		e := uevent{action: action, path: "devices/virtual/block/" + loop, subsystem: "block", number: d.number(), node: loop, whole: true}
		if err := v.follow(e); err != nil {
			t.Error(err)
		}
		if got := filepath.Base(link(t, "/sys/dev/block/"+d.number())); got != d.Name {
			t.Errorf("after %s the number leads to %s", action, got)
		}
	}
	if !exists("/sys/block/" + loop) {
		t.Error("the loop device is not seen")
	}
}

func numberOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("/sys/block/" + name + "/dev")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func TestParseUevent(t *testing.T) {
	message := "add@/devices/virtual/block/loop12\x00ACTION=add\x00DEVPATH=/devices/virtual/block/loop12\x00SUBSYSTEM=block\x00MAJOR=7\x00MINOR=12\x00DEVNAME=loop12\x00DEVTYPE=disk\x00SEQNUM=1\x00"
	want := uevent{action: "add", path: "devices/virtual/block/loop12", subsystem: "block", number: "7:12", node: "loop12", whole: true}
	if got, ok := parseUevent([]byte(message)); !ok || got != want {
		t.Errorf("got %+v, %v", got, ok)
	}
	for _, bad := range []string{"", "libudev\x00\xfe\xed", "add", "add@x"} {
		if got, ok := parseUevent([]byte(bad)); ok {
			t.Errorf("%q gives %+v", bad, got)
		}
	}
}
