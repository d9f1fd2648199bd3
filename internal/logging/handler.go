package logging

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// QueueLength is how many records wait for a slow output.
	QueueLength = 256
	// MaxLine is the longest line; the rest of a longer one is cut off.
	MaxLine = 2048

	closeTimeout = time.Second
)

// Options says what is logged and how.
type Options struct {
	Level slog.Leveler // nil: info
	Time  bool         // begin each line with the time; syslog adds its own
}

// Handler is a slog.Handler with a queue and a writer goroutine behind it. All its methods may be called by any goroutine.
type Handler struct {
	opts   slog.HandlerOptions
	nested []func(slog.Handler) slog.Handler // WithAttrs and WithGroup, in order
	queue  *queue
}

var _ slog.Handler = (*Handler)(nil)

// New returns a Handler that writes to out, and starts its goroutine. Close ends both.
func New(out Output, o Options) *Handler {
	h := &Handler{opts: slog.HandlerOptions{Level: o.Level}, queue: newQueue(out)}
	if !o.Time {
		h.opts.ReplaceAttr = dropTime
	}
	return h
}

// dropTime removes the time of the record itself.
func dropTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool {
	least := slog.LevelInfo
	if h.opts.Level != nil {
		least = h.opts.Level.Level()
	}
	return l >= least
}

// Handle formats the record and queues it. It never waits; a record that finds the queue full is dropped and counted.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	var buf bytes.Buffer
	var text slog.Handler = slog.NewTextHandler(&buf, &h.opts)
	for _, nest := range h.nested {
		text = nest(text)
	}
	if err := text.Handle(ctx, r); err != nil {
		return err
	}
	line := buf.Bytes()
	if len(line) > MaxLine {
		line = append(line[:MaxLine-1], '\n')
	}
	h.queue.put(entry{level: r.Level, line: line})
	return nil
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(func(in slog.Handler) slog.Handler { return in.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return h.with(func(in slog.Handler) slog.Handler { return in.WithGroup(name) })
}

func (h *Handler) with(nest func(slog.Handler) slog.Handler) *Handler {
	c := *h
	c.nested = append(c.nested[:len(c.nested):len(c.nested)], nest)
	return &c
}

// Dropped returns how many records were lost so far, for want of room or because the output failed.
func (h *Handler) Dropped() uint64 { return h.queue.dropped.Load() }

// Close writes what is queued, for a second at most, and ends the goroutine. Records that come later are dropped.
func (h *Handler) Close() { h.queue.close() }

// entry is a formatted record.
type entry struct {
	level slog.Level
	line  []byte
}

// queue hands entries from any goroutine to the writer goroutine, which alone uses out and reported.
type queue struct {
	entries  chan entry
	dropped  atomic.Uint64
	reported uint64 // of dropped
	out      Output
	stopOnce sync.Once
	stop     chan struct{} // closed: write what is there and end
	done     chan struct{} // closed: the writer has ended
}

func newQueue(out Output) *queue {
	q := &queue{entries: make(chan entry, QueueLength), out: out, stop: make(chan struct{}), done: make(chan struct{})}
	go q.run()
	return q
}

func (q *queue) put(e entry) {
	select {
	case <-q.stop:
		q.dropped.Add(1)
		return
	default:
	}
	select {
	case q.entries <- e:
	default:
		q.dropped.Add(1)
	}
}

func (q *queue) run() {
	defer close(q.done)
	for {
		select {
		case e := <-q.entries:
			q.write(e)
			continue
		default:
		}
		select {
		case e := <-q.entries:
			q.write(e)
		case <-q.stop:
			if len(q.entries) == 0 {
				return
			}
		}
	}
}

// write puts out one entry, after a line about those lost before it.
func (q *queue) write(e entry) {
	if lost := q.dropped.Load(); lost > q.reported {
		line := fmt.Appendf(nil, "level=WARN msg=\"log records dropped\" count=%d\n", lost-q.reported)
		if q.out.Emit(slog.LevelWarn, line) == nil {
			q.reported = lost
		}
	}
	if q.out.Emit(e.level, e.line) != nil {
		q.dropped.Add(1)
	}
}

func (q *queue) close() {
	q.stopOnce.Do(func() { close(q.stop) })
	select {
	case <-q.done:
	case <-time.After(closeTimeout):
	}
}
