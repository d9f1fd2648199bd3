package fusefs

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"uzram/store"
)

// What is agreed with the kernel. ASYNC_DIO: requests of one reader run side by
// side. No WRITEBACK_CACHE: the disk would lie uncompressed in the page cache.
const (
	wanted   = fuse.CAP_ASYNC_READ | fuse.CAP_BIG_WRITES | fuse.CAP_ASYNC_DIO | fuse.CAP_MAX_PAGES | fuse.CAP_PARALLEL_DIROPS | fuse.CAP_INIT_EXT | fuse.CAP_ABORT_ERROR
	unwanted = ^uint64(wanted)

	maxBackground = 64
	congestion    = 48

	// cacheTime is how long the kernel may remember names and attributes. Nothing
	// changes but the image's size, of which it is told.
	cacheTime = time.Hour
)

// newCrew makes the workers that serve the tree below root.
func newCrew(c conn, workers *store.Workers, disks []*disk, root fs.InodeEmbedder, buffers []buffers, logger *slog.Logger) []*worker {
	timeout := cacheTime
	o := &fs.Options{
		MountOptions: fuse.MountOptions{
			MaxWrite:             maxIO,
			MaxBackground:        maxBackground,
			CongestionThreshold:  congestion,
			ExtraCapabilities:    wanted,
			DisabledCapabilities: unwanted,
			DisableXAttrs:        true,
			Logger:               log.New(debugWriter{logger}, "", 0),
			PanicHandler: func(reason any) fuse.Status {
				logger.Error("request cannot be served", "reason", fmt.Sprint(reason))
				return fuse.EIO
			},
		},
		EntryTimeout:    &timeout,
		AttrTimeout:     &timeout,
		NullPermissions: true,
		RootStableAttr:  &fs.StableAttr{Ino: rootID},
		ExternalNodeID:  true,
	}
	nodes := newNodeServer(fuse.NewProtocolServer(fs.NewNodeFS(root, o), &o.MountOptions), logger)
	crew := make([]*worker, workers.Len())
	for i := range crew {
		crew[i] = &worker{
			buffers: buffers[i],
			id:      i,
			conn:    c,
			scratch: workers.Scratch(i),
			disks:   disks,
			nodes:   nodes,
			log:     logger,
		}
	}
	return crew
}

// greet answers the kernel's first request, INIT, before anything else is read.
func (w *worker) greet() error {
	for {
		n, err := w.conn.read(w.request)
		if err != nil {
			if readOutcome(err) == again {
				continue
			}
			return fmt.Errorf("read the first request: %w", err)
		}
		h, ok := parseHeader(w.request[:n])
		if !ok || h.opcode != opInit {
			return fmt.Errorf("the first request is opcode %d, want %d: %w", h.opcode, opInit, syscall.EPROTO)
		}
		n, errno := w.nodes.handle(h, w.request[:n], w.reply)
		if n >= outHeaderLen {
			errno = replyErrno(w.reply)
		}
		if errno != 0 {
			return fmt.Errorf("the kernel's version of FUSE is not one to talk to: %w", errno)
		}
		return w.conn.write(w.reply[:n])
	}
}

// debugWriter passes go-fuse's messages on.
type debugWriter struct{ log *slog.Logger }

func (d debugWriter) Write(p []byte) (int, error) {
	d.log.Log(context.Background(), slog.LevelDebug, string(p))
	return len(p), nil
}
