package keeper

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTable(t *testing.T) {
	const n = 300
	tab := makeTable(n)
	defer tab.closeAll()
	name := func(i int) []byte { return fmt.Appendf(nil, "d%d.%d.slots", i, i) }
	for i := range n {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		if errno := tab.hold(name(i), fd); errno != 0 {
			t.Fatalf("hold %d: %v", i, errno)
		}
	}
	if errno := tab.hold([]byte("more"), -1); errno != unix.ENFILE {
		t.Errorf("hold of one more than there is room for: %v", errno)
	}
	for i := 0; i < n; i += 2 {
		tab.drop(name(i))
	}
	tab.drop([]byte("none"))
	for i := range n {
		if held := tab.fd(name(i)) >= 0; held != (i%2 == 1) {
			t.Errorf("%s is held: %v", name(i), held)
		}
	}
	if len(tab.all()) != n/2 {
		t.Errorf("%d are held, want %d", len(tab.all()), n/2)
	}
}

// TestLoop_ManyHeld: more than a socket takes at once reaches a child in order as it reads, but for what was dropped
// meanwhile.
func TestLoop_ManyHeld(t *testing.T) {
	k, worker, standby := pretend(t)
	k.fds = makeTable(2000)
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	const n = 1000
	say := func(m message) {
		worker.say(m)
		k.standby.readAt = k.now() // however slow this is
		k.turn()
		worker.hear(kindAck)
	}
	k.standby.pid = 1 << 30 // nobody: it may get killed
	for i := range n {
		say(message{kind: kindHold, text: fmt.Appendf(nil, "n%d", i), fd: fd})
	}
	if len(k.standby.queue) == 0 {
		t.Fatal("the socket has room for all of them: nothing is tried here")
	}
	say(message{kind: kindDrop, text: fmt.Appendf(nil, "n%d", n-1), fd: -1})
	say(message{kind: kindHold, text: fmt.Appendf(nil, "n%d", n-2), fd: fd}) // in place of the one that waits
	held := map[string]bool{}
	for left := n + 2; left > 0; left-- {
		var m message
		for standby.wire.receive(standby.socket, &m, unix.MSG_DONTWAIT) == unix.EAGAIN {
			if len(k.standby.queue) == 0 {
				t.Fatal("not all has come, and nothing waits")
			}
			k.flush(k.standby)
		}
		switch m.kind {
		case kindHold:
			unix.Close(m.fd)
			held[string(m.text)] = true
		case kindDrop:
			delete(held, string(m.text))
		case kindPing: // has it been read?
			left++
		default:
			t.Fatalf("message %d", m.kind)
		}
	}
	if len(held) != n-1 || held[fmt.Sprintf("n%d", n-1)] || !held[fmt.Sprintf("n%d", n-2)] || len(k.standby.queue) != 0 {
		t.Errorf("%d are held, %d messages wait", len(held), len(k.standby.queue))
	}
}
