package fusefs

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"uzram/store"
)

// What is agreed with the kernel. ASYNC_DIO: requests of one reader run side by
// side. No WRITEBACK_CACHE: the disk would lie uncompressed in the page cache.
// HAS_RESEND: whoever takes over can have requests sent again that were not
// answered.
const (
	wanted = fuse.CAP_ASYNC_READ | fuse.CAP_BIG_WRITES | fuse.CAP_ASYNC_DIO | fuse.CAP_MAX_PAGES | fuse.CAP_PARALLEL_DIROPS | fuse.CAP_INIT_EXT | fuse.CAP_ABORT_ERROR | fuse.CAP_HAS_RESEND

	maxBackground = 64
	congestion    = 48

	// cacheSeconds is how long the kernel may remember names and attributes. Of what
	// changes it is told: the image's size, and that a device is gone.
	cacheSeconds = 3600
)

// noResendEnv, set to 1, makes a mount do without requests that are sent again, as
// on Linux before 6.9.
const noResendEnv = "UZRAM_NO_RESEND"

// capabilities are those agreed on, or before INIT those to ask for.
func (s *connState) capabilities() uint64 {
	switch {
	case s.greeted.Load() != 0:
		return s.agreed.Load()
	case os.Getenv(noResendEnv) == "1":
		return wanted &^ fuse.CAP_HAS_RESEND
	}
	return wanted
}

// resends tells whether the kernel sends unanswered requests again when asked to.
func (s *connState) resends() bool { return s.agreed.Load()&fuse.CAP_HAS_RESEND != 0 }

// newCrew makes the workers that serve the tree, each with buffers.
func newCrew(c conn, workers *store.Workers, t *tree, state *connState, buffers []buffers, logger *slog.Logger) []*worker {
	o := &fuse.MountOptions{
		MaxWrite:             maxIO,
		MaxBackground:        maxBackground,
		CongestionThreshold:  congestion,
		ExtraCapabilities:    state.capabilities(),
		DisabledCapabilities: ^state.capabilities(),
		DisableXAttrs:        true,
		Logger:               log.New(debugWriter{logger}, "", 0),
		PanicHandler: func(reason any) fuse.Status {
			logger.Error("request cannot be served", "reason", fmt.Sprint(reason))
			return fuse.EIO
		},
	}
	nodes := newNodeServer(fuse.NewProtocolServer(t, o), t, state, logger)
	gate := newTurnstile(workers.Len())
	crew := make([]*worker, workers.Len())
	for i := range crew {
		crew[i] = &worker{
			buffers: buffers[i],
			id:      i,
			conn:    c,
			scratch: workers.Scratch(i),
			devices: t.devices,
			nodes:   nodes,
			gate:    gate,
			log:     logger,
		}
	}
	return crew
}

// greet answers the kernel's first request, INIT, before anything else is read.
// What was agreed on is noted before the kernel knows it.
func (w *worker) greet() error {
	for {
		n, err := w.conn.read(w.request)
		if err != nil {
			if readOutcome(err) == again {
				continue
			}
			return fmt.Errorf("read the first request: %w", err)
		}
		req := w.request[:n]
		h, ok := parseHeader(req)
		if !ok || h.opcode != opInit || n > maxInit {
			return fmt.Errorf("the first request is opcode %d, want %d: %w", h.opcode, opInit, syscall.EPROTO)
		}
		return w.welcome(h, req)
	}
}

// welcome answers an INIT.
func (w *worker) welcome(h inHeader, req []byte) error {
	reply, err := w.initReply(h, req)
	if err != nil {
		return err
	}
	state := w.nodes.state
	state.initLen.Store(uint64(copy(state.init[:], req)))
	state.agreed.Store(agreedIn(reply[outHeaderLen:]))
	state.greeted.Store(1)
	return w.conn.write(reply)
}

// initReply has go-fuse answer INIT, whose answer it returns.
func (w *worker) initReply(h inHeader, req []byte) ([]byte, error) {
	n, errno := w.nodes.handle(h, req, w.reply)
	if n >= outHeaderLen {
		errno = replyErrno(w.reply)
	}
	if errno != 0 {
		return nil, fmt.Errorf("the kernel's version of FUSE is not one to talk to: %w", errno)
	}
	return w.reply[:n], nil
}

// debugWriter passes go-fuse's messages on.
type debugWriter struct{ log *slog.Logger }

func (d debugWriter) Write(p []byte) (int, error) {
	d.log.Log(context.Background(), slog.LevelDebug, string(p))
	return len(p), nil
}
