package logging

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// gate is an Output that takes one line at a time when it is let.
type gate struct {
	entered chan struct{} // one value for each Emit begun
	let     chan struct{}
	mu      sync.Mutex
	lines   []string
}

func newGate() *gate {
	return &gate{entered: make(chan struct{}, 4*QueueLength), let: make(chan struct{})}
}

func (g *gate) Emit(_ slog.Level, line []byte) error {
	g.entered <- struct{}{}
	<-g.let
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lines = append(g.lines, string(line))
	return nil
}

func TestHandler_DropsAndCounts(t *testing.T) {
	out := newGate()
	h := New(out, Options{})
	log := slog.New(h)
	log.Info("first")
	<-out.entered // the writer holds the first record, the queue is empty
	const callers, each = 4, QueueLength
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				log.Info("more") // must return although nothing is written
			}
		})
	}
	wg.Wait()
	const lost = callers*each - QueueLength
	if got := h.Dropped(); got != lost {
		t.Errorf("dropped %d of %d with room for %d, want %d", got, callers*each, QueueLength, lost)
	}
	close(out.let)
	h.Close()
	if got, want := len(out.lines), 1+1+QueueLength; got != want {
		t.Errorf("%d lines written, want %d", got, want)
	}
	if want := fmt.Sprintf("count=%d\n", lost); !strings.HasSuffix(out.lines[1], want) {
		t.Errorf("second line %q, want the loss: %q", out.lines[1], want)
	}
	log.Info("late")
	if got := h.Dropped(); got != lost+1 {
		t.Errorf("dropped %d after a record past Close, want %d", got, lost+1)
	}
}

func TestHandler_CloseDoesNotWaitForEver(t *testing.T) {
	out := newGate()
	h := New(out, Options{})
	slog.New(h).Info("stuck")
	<-out.entered
	h.Close() // returns after closeTimeout
	close(out.let)
}

func TestHandler_Format(t *testing.T) {
	var buf bytes.Buffer
	level := new(slog.LevelVar)
	h := New(Writer{&buf}, Options{Level: level})
	log := slog.New(h)
	log.Debug("not yet")
	level.Set(slog.LevelDebug)
	log.With("dir", "/d").WithGroup("g").Debug("now", "n", 1)
	log.Info(strings.Repeat("x", 2*MaxLine))
	h.Close()
	lines := strings.SplitAfter(buf.String(), "\n")
	if want := "level=DEBUG msg=now dir=/d g.n=1\n"; lines[0] != want {
		t.Errorf("got %q, want %q", lines[0], want)
	}
	if len(lines[1]) != MaxLine {
		t.Errorf("long line has %d bytes, want %d", len(lines[1]), MaxLine)
	}
}

type broken struct{}

func (broken) Emit(slog.Level, []byte) error { return errors.New("broken") }

func TestHandler_CountsFailedOutput(t *testing.T) {
	h := New(broken{}, Options{})
	slog.New(h).Error("x")
	h.Close()
	if h.Dropped() != 1 {
		t.Errorf("dropped %d, want 1", h.Dropped())
	}
}

func TestParseLevel(t *testing.T) {
	for name, want := range map[string]slog.Level{"debug": -4, "info": 0, "warn": 4, "error": 8} {
		if got, err := ParseLevel(name); err != nil || got != want {
			t.Errorf("ParseLevel(%q) = %v, %v", name, got, err)
		}
	}
	for _, bad := range []string{"", "INFO", "warning", "3", "info "} {
		if _, err := ParseLevel(bad); err == nil || !strings.Contains(err.Error(), LevelNames()) {
			t.Errorf("ParseLevel(%q): %v, want an error that lists the names", bad, err)
		}
	}
}
