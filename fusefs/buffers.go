package fusefs

import (
	"fmt"

	"uzram/internal/offheap"
)

const (
	pageSize = 4096

	// maxIO is the most data in one READ or WRITE, in bytes.
	maxIO = 1 << 20
	// maxReply is the most data in the answer to any other request.
	maxReply = 32 << 10
	// smallReply holds any answer of a fixed size.
	smallReply = 256
)

// buffers is one worker's memory, outside the Go heap:
//
//	head page                    data                           slack page
//	┌──────────┬────────┬────────┬─────────────────────────────┬──────────┐
//	│          │ header │ args   │ payload of a WRITE          │          │
//	├──────────┴────────┼────────┼─────────────────────────────┤          │
//	│                   │ answer │ payload of a READ's answer  │          │
//	└───────────────────┴────────┴─────────────────────────────┴──────────┘
//
// A request is read to where the payload of a WRITE falls on data, and the
// answer's header is put right before the data; a request is decoded before its
// answer is written over it. The slack lets codecs read behind the last page.
type buffers struct {
	request []byte // where requests are read to
	answer  []byte // header and data of an answer to READ
	data    []byte // maxIO bytes, page-aligned
	reply   []byte // answers made by go-fuse
}

const (
	dataAt     = pageSize
	replyAt    = dataAt + maxIO + pageSize
	perWorker  = replyAt + maxReply + pageSize
	requestLen = inHeaderLen + ioInLen + maxIO
)

// newBuffers makes the buffers of n workers.
func newBuffers(n int) (all []buffers, free func(), err error) {
	arena, err := newBufferArena(n)
	if err != nil {
		return nil, nil, err
	}
	return buffersIn(arena), func() { arena.Close() }, nil
}

// newBufferArena makes room for the buffers of n workers. Whoever takes over finds
// in it what was being served. It is present at once: a request must not wait for
// memory that only its answer frees.
func newBufferArena(n int) (*offheap.Arena, error) {
	arena, err := offheap.New(offheap.Scratch, uint64(n*perWorker), perWorker)
	if err == nil {
		if err = arena.PopulateData(0, uint64(n*perWorker)); err == nil {
			return arena, nil
		}
		arena.Close()
	}
	return nil, fmt.Errorf("request buffers: %w", err)
}

// buffersIn are the buffers in an arena.
func buffersIn(arena *offheap.Arena) (all []buffers) {
	for mem := arena.Data(); len(mem) >= perWorker; mem = mem[perWorker:] {
		all = append(all, carve(mem[:perWorker]))
	}
	return all
}

// carve lays one worker's buffers out in mem.
func carve(mem []byte) buffers {
	return buffers{
		request: mem[dataAt-inHeaderLen-ioInLen : dataAt+maxIO],
		answer:  mem[dataAt-outHeaderLen : dataAt+maxIO],
		data:    mem[dataAt : dataAt+maxIO],
		reply:   mem[replyAt:perWorker],
	}
}
