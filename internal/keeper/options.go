package keeper

import "log/slog"

// Command is what to start as a worker.
type Command struct {
	Args  []string // argv
	Env   []string
	Files []int // get the descriptors FirstFile and up
}

// FirstFile is the descriptor number of the first of Command's files. Those before are the standard ones and the socket.
const FirstFile = socketFD + 1

// Options say what a keeper does.
type Options struct {
	// Command is what to start; first is true for the worker that finds nothing to take over. The program is the keeper's
	// own, as it was when the keeper started, until an upgrade.
	Command func(first bool) Command
	Standby bool // have the next worker ready beforehand
	Log     *slog.Logger
	// Started is called when the first worker runs and has its own copies of the files.
	Started func()
	// Settled is called when the first worker says so.
	Settled func()
	// Abandon is called when the first worker died before it was settled, with all descriptors closed.
	Abandon func()
	// Held is how many descriptors are held at most; 0: 64.
	Held int
	// Deaths is how many early deaths within a minute are too many; 0: five, -1: any number is fine.
	Deaths int
}
