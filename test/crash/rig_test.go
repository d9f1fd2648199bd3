package crash

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"uzram/internal/failpoint"
	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// hangTime is how long nobody may wait for an answer: by far longer than any take-over.
const hangTime = 20 * time.Second

// rig is a mount whose worker is killed, with the board that says where.
type rig struct {
	*harness.Dev
	t      *testing.T
	board  *failpoint.Board
	worker int // the process that serves now
	keeper int
	deaths int
	hung   atomic.Bool
}

// state is what debug/status says of the processes.
type state struct {
	Worker    int    `json:"worker_pid"`
	Keeper    *int   `json:"keeper_pid"`
	Standby   bool   `json:"standby"`
	Takeovers uint64 `json:"takeovers"`
	Resend    bool   `json:"resend"`
}

// newRig mounts a device with a keeper and a standby, and looks at it until it stands.
func newRig(t *testing.T, o harness.Options) *rig {
	t.Helper()
	board, path, fd, err := failpoint.NewBoard()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	t.Setenv(failpoint.BoardEnv, path)
	t.Setenv("UZRAM_DEATHS", "-1") // however soon one follows the other
	r := &rig{t: t, board: board}
	o.Patient = true
	o.Args = append(o.Args, "--standby")
	r.Dev = harness.Mount(t, o)
	t.Cleanup(board.Disarm)
	s := r.state()
	r.worker = s.Worker
	if s.Keeper == nil {
		t.Fatal("the mount has no keeper")
	}
	r.keeper = *s.Keeper
	return r
}

// state asks who serves. If nobody answers, the connection is aborted, which ends all who wait.
func (r *rig) state() (s state) {
	r.t.Helper()
	dog := time.AfterFunc(hangTime, func() {
		r.hung.Store(true)
		r.Abort()
	})
	text, err := harness.ReadFile(r.Path("debug/status"))
	dog.Stop()
	if r.hung.Load() {
		r.t.Fatalf("nobody answered for %v", hangTime)
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	if err != nil {
		r.t.Fatalf("debug/status: %v in %q", err, text)
	}
	return s
}

// takenOver waits until another process than the one that died serves.
func (r *rig) takenOver() {
	r.t.Helper()
	if !harness.WaitGone(r.worker, patience) {
		r.t.Fatalf("worker %d does not die", r.worker)
	}
	s := r.state()
	if s.Worker == r.worker {
		r.t.Fatalf("status says that worker %d serves, which is dead", s.Worker)
	}
	r.worker = s.Worker
	r.deaths++
}

// ready waits until a standby stands.
func (r *rig) ready() {
	r.t.Helper()
	for end := time.Now().Add(patience); !r.state().Standby; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("no standby within %v", patience)
		}
	}
}

// kill kills the worker from outside and returns the moment, by the clock of failpoint.Now.
func (r *rig) kill() time.Duration {
	r.t.Helper()
	at := failpoint.Now()
	if err := unix.Kill(r.worker, unix.SIGKILL); err != nil {
		r.t.Fatalf("kill worker %d: %v", r.worker, err)
	}
	return time.Duration(at)
}

// killAt has a worker die at the nth time that it comes by a point from now on, and waits for that. tick, if any, is called
// meanwhile, to get it there.
func (r *rig) killAt(p failpoint.Point, nth int64, tick func()) time.Duration {
	r.t.Helper()
	before := r.board.Record(p).Fired
	r.board.Arm(failpoint.KillAt(p, nth))
	for end := time.Now().Add(patience); r.board.Record(p).Fired == before; {
		if time.Now().After(end) {
			r.t.Fatalf("%s was not reached within %v: %+v", p.Name(), patience, r.board.Record(p))
		}
		if tick != nil {
			tick()
		}
		time.Sleep(200 * time.Microsecond)
	}
	return r.board.Record(p).When
}

// finish looks for what is wrong or left over, with nobody using the disk any more, and unmounts.
func (r *rig) finish() {
	r.t.Helper()
	r.board.Disarm()
	r.sound()
	if r.Get("initstate") == "1" {
		r.empty()
	}
	r.PID = r.worker // which has to end; the first one's number may be another process's
	r.Umount()
	if !harness.WaitGone(r.keeper, patience) {
		r.t.Errorf("keeper %d still runs after the unmount", r.keeper)
	}
	r.readLog()
}

// sound: the engine finds nothing wrong with itself, and no request has failed.
func (r *rig) sound() {
	r.t.Helper()
	if r.Get("initstate") == "1" {
		var check struct {
			Findings []string `json:"findings"`
			More     int      `json:"more"`
		}
		if err := json.Unmarshal([]byte(r.Get("debug/check")), &check); err != nil {
			r.t.Fatalf("debug/check: %v", err)
		}
		for _, f := range check.Findings {
			r.t.Errorf("check after %d deaths: %s", r.deaths, f)
		}
	}
	if io := r.Numbers("io_stat"); io[0] != 0 || io[1] != 0 {
		r.t.Errorf("io_stat after %d deaths: %d failed reads, %d failed writes", r.deaths, io[0], io[1])
	}
}

// empty discards all pages: nothing may be left of them.
func (r *rig) empty() {
	r.t.Helper()
	fd, err := unix.Open(r.Image, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, r.Numbers("disksize")[0]); err != nil {
		r.t.Fatalf("discard all: %v", err)
	}
	if mm := r.MM(); mm.Orig != 0 || mm.Compr != 0 || mm.Used != 0 || mm.Same != 0 || mm.Huge != 0 {
		r.t.Errorf("mm_stat after %d deaths with all pages discarded: %+v", r.deaths, mm)
	}
	if bd := r.Numbers("bd_stat"); bd[0] != 0 {
		r.t.Errorf("bd_stat after %d deaths with all pages discarded: %d pages", r.deaths, bd[0])
	}
}

// readLog: nothing in the daemon's log is an error.
func (r *rig) readLog() {
	r.t.Helper()
	text, err := os.ReadFile(r.Log)
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "level=ERROR") || strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			r.t.Errorf("log after %d deaths: %s", r.deaths, line)
		}
	}
}

// backingFile makes a file to write pages back to.
func backingFile(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(harness.Dir(t), "backing")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}
