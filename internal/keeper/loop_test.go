package keeper

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// peer is the other end of a child's socket.
type peer struct {
	t      *testing.T
	socket int
	wire   wire
}

// pretend makes a keeper whose worker and standby are this process.
func pretend(t *testing.T) (k *keeper, worker, standby *peer) {
	t.Helper()
	k, err := newKeeper(Options{Log: slog.New(slog.DiscardHandler), Standby: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(k.program); k.fds.closeAll() })
	if k.signals.fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(k.signals.fd) })
	join := func() (*child, *peer) {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		pidfd, err := unix.PidfdOpen(os.Getpid(), 0)
		if err != nil {
			t.Fatal(err)
		}
		proc, err := unix.Open("/proc/self/status", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		c := &child{pid: os.Getpid(), pidfd: pidfd, socket: pair[0], proc: proc, standing: true}
		t.Cleanup(func() {
			if c == k.worker || c == k.standby {
				c.close()
			}
			unix.Close(pair[1])
		})
		return c, &peer{t: t, socket: pair[1]}
	}
	k.worker, worker = join()
	k.standby, standby = join()
	k.worker.serving, k.served, k.settled = true, true, true
	k.lookAt = time.Hour
	return k, worker, standby
}

func (p *peer) say(m message) {
	if err := p.wire.send(p.socket, m, 0); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) hear(want kind) {
	var m message
	if err := p.wire.receive(p.socket, &m, unix.MSG_DONTWAIT); err != nil || m.kind != want {
		p.t.Fatalf("message %d, %v; want %d", m.kind, err, want)
	}
	if m.fd >= 0 {
		unix.Close(m.fd)
	}
}

// TestLoop_Allocations: once up, the keeper takes no memory: it must be able to work when there is none.
func TestLoop_Allocations(t *testing.T) {
	k, worker, standby := pretend(t)
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	name := []byte("d0.1.slots")
	n := testing.AllocsPerRun(200, func() {
		worker.say(message{kind: kindHold, text: name, fd: fd})
		k.turn()
		worker.hear(kindAck)
		standby.hear(kindHold)
		standby.hear(kindPing)
		worker.say(message{kind: kindHold, text: name, fd: fd}) // again
		k.lookAt = 0                                            // and look whether it is stuck
		k.turn()
		worker.hear(kindAck)
		worker.hear(kindPing)
		k.lookAt = 0
		k.turn()
		worker.say(message{kind: kindPong, fd: -1})
		standby.hear(kindHold)
		worker.say(message{kind: kindDrop, text: name, fd: -1})
		k.turn()
		worker.hear(kindAck)
		standby.hear(kindDrop)
		for range 2 { // of what was dropped too
			standby.say(message{kind: kindPong, fd: -1})
			k.turn()
			if k.standby.pinged {
				standby.hear(kindPing)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
	if k.fds.n != 0 || k.worker.stuck != 0 {
		t.Errorf("%d descriptors held, stuck %d", k.fds.n, k.worker.stuck)
	}
}

// TestLoop_Rights: only the worker may change what is held.
func TestLoop_Rights(t *testing.T) {
	k, _, _ := pretend(t)
	k.standby.pid = 1 << 30 // nobody: it gets killed
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	m := message{kind: kindHold, text: []byte("x"), fd: -1}
	if m.fd, err = unix.Dup(fd); err != nil {
		t.Fatal(err)
	}
	k.handle(k.standby, &m)
	if k.fds.n != 0 || !k.standby.failed {
		t.Errorf("%d descriptors held, standby failed %v", k.fds.n, k.standby.failed)
	}
}

func TestDying(t *testing.T) {
	status := func(state, pending string) []byte {
		return []byte("Name:\tuzram\nUmask:\t0022\nState:\t" + state + "\nTgid:\t1\nThreads:\t3\nSigQ:\t0/96\nSigPnd:\t" + pending +
			"\nShdPnd:\t0000000000000000\n")
	}
	for _, c := range []struct {
		state, pending string
		want           bool
	}{
		{"S (sleeping)", "0000000000000000", false},
		{"R (running)", "0000000000000200", false},
		{"S (sleeping)", "0000000000000100", true},
		{"D (disk sleep)", "0000000000004f00", true},
		{"D (disk sleep)", "0000000000004e00", false},
		{"Z (zombie)", "0000000000000000", true},
	} {
		if got := dying(status(c.state, c.pending)); got != c.want {
			t.Errorf("%s %s: %v, want %v", c.state, c.pending, got, c.want)
		}
	}
	if dying(nil) || dying([]byte("\nSigPnd:\t1")) {
		t.Error("half a text is none")
	}
	own, err := os.ReadFile("/proc/self/status")
	if err != nil || dying(own) || !strings.Contains(string(own), string(pending)) {
		t.Errorf("own status: %v\n%s", err, own)
	}
}

// TestClock: a worker is looked at each second, sooner where it looks as if it were stuck, and given up after a while; one
// that does not serve yet as well.
func TestClock(t *testing.T) {
	for name, serving := range map[string]bool{"serving": true, "not yet": false} {
		t.Run(name, func(t *testing.T) { testClock(t, serving) })
	}
}

func testClock(t *testing.T, serving bool) {
	k, _, _ := pretend(t)
	k.worker.serving = serving
	zombify(t, k.worker)
	k.lookAt = 0
	if k.next() != 0 {
		t.Errorf("the first look is in %v", k.next())
	}
	k.clock()
	if k.worker == nil || !k.worker.pinged || k.lookAt < k.now() {
		t.Fatal("not asked first")
	}
	for i := range stuckTimes {
		if k.worker == nil {
			t.Fatalf("given up after %d looks", i)
		}
		k.lookAt = 0
		k.clock()
		if i < stuckTimes-1 && (k.lookAt < k.now() || k.lookAt > k.now()+2*stuckAgain) {
			t.Errorf("look %d: the next is in %v", i, k.lookAt-k.now())
		}
	}
	if k.worker != nil {
		t.Error("not given up")
	}
	if k.next() > time.Second {
		t.Errorf("the next worker has to wait %v", k.next())
	}
}

// TestClock_FirstStart: a first worker that is stuck before all was set up ends the keeper, which holds nothing any more.
func TestClock_FirstStart(t *testing.T) {
	k, worker, standby := pretend(t)
	abandoned := false
	k.o.Abandon = func() { abandoned = k.fds.n == 0 }
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	worker.say(message{kind: kindHold, text: []byte("fuse"), fd: fd})
	k.turn()
	worker.hear(kindAck)
	standby.hear(kindHold)
	k.standby.close() // it would be killed, and is this process
	k.standby = nil
	k.worker.serving, k.served, k.settled = false, false, false
	zombify(t, k.worker)
	for range 1 + stuckTimes {
		k.lookAt = 0
		k.clock()
	}
	if !k.done || !abandoned || k.err == nil || k.code != 1 {
		t.Errorf("done %v, abandoned with nothing held %v, %v, exit code %d", k.done, abandoned, k.err, k.code)
	}
}

// zombify makes a child look as if it were dead.
func zombify(t *testing.T, c *child) {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "status")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("x\nState:\tZ (zombie)\n"); err != nil {
		t.Fatal(err)
	}
	unix.Close(c.proc)
	if c.proc, err = unix.Dup(int(file.Fd())); err != nil {
		t.Fatal(err)
	}
}

// TestUpgrade_AskedEarly: a request that the successor makes again before it serves is answered when it does, once.
func TestUpgrade_AskedEarly(t *testing.T) {
	k, worker, _ := pretend(t)
	u := &k.upgrade
	var err error
	if u.program, err = highFD(k.program); err != nil {
		t.Fatal(err)
	}
	u.token, u.handing = "t", true
	k.worker.serving = false
	k.upgradeTo("t", "/new", -1)
	worker.say(message{kind: kindServing, fd: -1})
	k.turn()
	for _, want := range []kind{kindUpgraded, kindState, kindAck} {
		worker.hear(want)
	}
	if u.done != "t" || u.handing || k.worker.asking {
		t.Errorf("%+v, asking %v", *u, k.worker.asking)
	}
	k.verdict(0, "")
	var m message
	if err := worker.wire.receive(worker.socket, &m, unix.MSG_DONTWAIT); err != unix.EAGAIN {
		t.Errorf("message %d, %v for a worker that has not asked", m.kind, err)
	}
}

// TestUpgrade_NeverRetires: a worker that does not say that nothing is under way is killed in the end.
func TestUpgrade_NeverRetires(t *testing.T) {
	k, worker, _ := pretend(t)
	next := k.standby
	k.standby = nil
	k.worker.pid = 1 << 30 // nobody: it gets killed
	next.formats = Formats{Min: 1, Max: 1}
	k.format, k.upgrade.child, k.worker.asking = 1, next, true
	k.upgradeStands()
	worker.hear(kindUpgraded)
	worker.hear(kindRetire)
	if left := k.upgrade.at - k.now(); left < retireTime/2 || left > retireTime {
		t.Errorf("it has %v", left)
	}
	k.upgradeRetired(k.worker, k.upgrade.retire-1)
	if k.worker.replaced {
		t.Error("what it says of an order before counts")
	}
	k.upgrade.at = 1
	k.clock()
	if !k.worker.replaced || k.upgrade.at != 0 {
		t.Errorf("replaced %v, due at %v", k.worker.replaced, k.upgrade.at)
	}
}

// TestUpgrade_FailedBeforeItsTurn: a new program that is of no use any more when the old worker is gone is no upgrade, and
// what is started instead is the old one. Signals meanwhile are for whoever serves next.
func TestUpgrade_FailedBeforeItsTurn(t *testing.T) {
	k, worker, _ := pretend(t)
	u := &k.upgrade
	var err error
	if u.program, err = highFD(k.program); err != nil {
		t.Fatal(err)
	}
	u.token, u.path, u.handing = "t", "/new", true
	k.owed = 1 << unix.SIGTERM
	worker.say(message{kind: kindPong, fd: -1}) // or the turn would wait
	k.turn()
	if k.owed == 0 {
		t.Error("a worker that is about to be replaced got a signal")
	}
	k.owed = 0
	next := k.standby
	next.pid, next.failed = 1<<30, true // nobody: it gets killed
	k.o.Command = func(bool) Command { return Command{Args: []string{"none", "-test.run=^$"}} }
	before := k.program
	k.worker.close()
	k.worker = nil
	k.startWorker()
	if u.handing || u.done != "" || len(u.refused) == 0 || k.program != before {
		t.Errorf("handing %v, done %q, refused %q, program changed %v", u.handing, u.done, u.refused, k.program != before)
	}
	if k.worker == nil {
		t.Fatal("nobody was started")
	}
	k.worker.kill()
	var status unix.WaitStatus
	if _, err := unix.Wait4(k.worker.pid, &status, 0, nil); err != nil {
		t.Error(err)
	}
	k.worker.gone = true
}

// TestClient_LastOrderCounts: a worker that is slow to carry orders out is never left with one that was taken back.
func TestClient_LastOrderCounts(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(pair[0])
	keeper := &peer{t: t, socket: pair[1]}
	for i := range uint32(20) {
		keeper.say(message{kind: kindRetire, code: i, fd: -1})
		keeper.say(message{kind: kindResume, fd: -1})
	}
	unix.Close(pair[1])
	c.listen(new(wire))
	unix.Close(pair[0])
	if r := <-c.Retirements(); !r.Resume {
		t.Errorf("the last order is %+v", r)
	}
}

// TestClock_Unread: a standby that does not read what it is told is killed; one that reads late but does is not.
func TestClock_Unread(t *testing.T) {
	k, worker, standby := pretend(t)
	drop := func() {
		worker.say(message{kind: kindDrop, text: []byte("x"), fd: -1})
		k.turn()
		worker.hear(kindAck)
		standby.hear(kindDrop)
	}
	drop()
	standby.hear(kindPing)
	drop()
	if left := k.next(); left > readTime {
		t.Errorf("the next look is in %v", left)
	}
	standby.say(message{kind: kindPong, fd: -1})
	k.turn()
	if !k.standby.pinged {
		t.Error("what it was told since is not asked for")
	}
	standby.hear(kindPing)
	standby.say(message{kind: kindPong, fd: -1})
	k.turn()
	if k.standby.unread() {
		t.Error("it has read all")
	}
	drop()
	k.standby.pid = 1 << 30 // nobody: it gets killed
	k.standby.pingedAt = k.now() - readTime
	if k.next() != 0 {
		t.Errorf("the next look is in %v", k.next())
	}
	k.clock()
	if !k.standby.failed {
		t.Error("it may go on not reading")
	}
}
