package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"uzram/test/bench/internal/report"

	"golang.org/x/sys/unix"
)

// steps of a cycle, each in microseconds.
type cycleTimes struct{ add, setUp, remove, all report.Series }

// cycling adds, sets up and removes one device over and over, and looks at the
// processes from time to time.
func (m *mount) cycling(ctx context.Context, name string) error {
	var times cycleTimes
	var rows [][]string
	first, err := m.figures()
	if err != nil {
		return err
	}
	for done := 0; ; {
		now, err := m.figures()
		if err != nil {
			return err
		}
		rows = append(rows, append([]string{strconv.Itoa(done)}, now.cells()...))
		if done == m.cycles {
			break
		}
		for end := min(m.cycles, done+max(1, m.cycles/5)); done < end; done++ {
			if err := errors.Join(m.cycle(&times), ctx.Err()); err != nil {
				return fmt.Errorf("cycle %d: %w", done, err)
			}
		}
	}
	head := append([]string{"cycles"}, figureHead[1:]...)
	report.Table(os.Stdout, head, rows)
	report.Figure(os.Stdout, name+"_hot_add", times.add, "us")
	report.Figure(os.Stdout, name+"_disksize", times.setUp, "us")
	report.Figure(os.Stdout, name+"_hot_remove", times.remove, "us")
	report.Figure(os.Stdout, name+"_cycle", times.all, "us")
	fmt.Println()
	last, err := m.figures()
	if err != nil {
		return err
	}
	if last.files > first.files || last.kept > first.kept || last.loops > first.loops {
		return fmt.Errorf("left over after %d cycles: %+v, before %+v", m.cycles, last, first)
	}
	return nil
}

func (m *mount) cycle(t *cycleTimes) error {
	start := time.Now()
	number, err := m.add()
	if err != nil {
		return err
	}
	added := time.Now()
	if err := m.setUp(number); err != nil {
		return err
	}
	set := time.Now()
	if err := m.remove(number); err != nil {
		return err
	}
	end := time.Now()
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	t.add = append(t.add, us(added.Sub(start)))
	t.setUp = append(t.setUp, us(set.Sub(added)))
	t.remove = append(t.remove, us(end.Sub(set)))
	t.all = append(t.all, us(end.Sub(start)))
	return nil
}

func (m *mount) add() (number string, err error) {
	text, err := os.ReadFile(filepath.Join(m.dir, "class", "zram-control", "hot_add"))
	return strings.TrimSpace(string(text)), err
}

func (m *mount) setUp(number string) error {
	return write(filepath.Join(m.dir, "block", "zram"+number, "disksize"), "64M")
}

// busyTime is how long a device manager may look at a loop device that is about to
// go.
const busyTime = 10 * time.Second

func (m *mount) remove(number string) error {
	for end := time.Now().Add(busyTime); ; time.Sleep(time.Millisecond) {
		err := write(filepath.Join(m.dir, "class", "zram-control", "hot_remove"), number)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(end) {
			return err
		}
	}
}

func write(name, text string) error { return os.WriteFile(name, []byte(text), 0) }
