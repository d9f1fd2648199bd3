package crash

import (
	"os"
	"path/filepath"
	"testing"

	"uzram/internal/failpoint"
	"uzram/test/harness"
)

// TestSnapshotDies: the worker dies at each step of a snapshot, with the disk in use. The snapshot fails and leaves no file,
// or was begun anew and is whole; the disk goes on.
func TestSnapshotDies(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "64M"})
	stop := scribble(t, r.Image, newSeed(t), false)
	dir := harness.Dir(t)
	file := filepath.Join(dir, "snapshot")
	for _, s := range stepsOf("snapshot") {
		r.ready()
		failed := make(chan harness.Result, 1)
		r.killAt(s.Point, 1, func() {
			if len(failed) == 0 {
				failed <- harness.Uzram(t, "snapshot", "save", r.Dir, file)
			}
		})
		if res := <-failed; res.Code == 0 {
			harness.Run(t, harness.Bin(), "snapshot", "show", file)
			if err := os.Remove(file); err != nil {
				t.Error(err)
			}
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: the snapshot left %v, %v", s.Name, left, err)
		}
		r.takenOver()
		results.held(s.Point)
	}
	harness.Run(t, harness.Bin(), "snapshot", "save", r.Dir, file)
	harness.Run(t, harness.Bin(), "snapshot", "show", file)
	stop()
	r.finish()
}

// TestRestoreDies: the worker dies at each step of a restore. The mount fails, and nothing of it stays.
func TestRestoreDies(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "64M"})
	pages := fill(t, r, 16*mib)
	dir := harness.Dir(t)
	file := filepath.Join(dir, "snapshot")
	harness.Run(t, harness.Bin(), "snapshot", "save", r.Dir, file)
	point := filepath.Join(dir, "dev")
	if err := os.Mkdir(point, 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{harness.Bin(), "mount", "--detach", "--standby", "--log", filepath.Join(dir, "log"), "--restore", file, point}
	for _, s := range stepsOf("restore") {
		before := r.board.Record(s.Point).Fired
		r.board.Arm(failpoint.KillAt(s.Point, 1))
		harness.Undo(t, "mount", point)
		if res := harness.Try(t, args...); res.Code == 0 {
			t.Errorf("%s: the mount worked", s.Name)
		}
		if r.board.Record(s.Point).Fired == before {
			t.Errorf("%s was not reached", s.Name)
		}
		if text, err := harness.ReadFile(filepath.Join(point, "initstate")); err == nil {
			t.Errorf("%s: something is mounted, initstate %q", s.Name, text)
		}
		results.held(s.Point)
	}
	compare(t, r, pages)
	r.finish()
}

func stepsOf(path string) (list []failpoint.Step) {
	for _, s := range failpoint.Steps() {
		if s.Path == path {
			list = append(list, s)
		}
	}
	return list
}
