// Package failpoint marks the steps at which a process may be made to die,
// stall or fail, each with a number, a name, and what must hold afterwards
// (Steps).
//
//	failpoint.Hit(failpoint.WriteCommitted)            // may end the process here
//	if err := failpoint.Error(failpoint.BackingWrite); err != nil { ... }
//	n = failpoint.Cut(failpoint.ConnRead, n)           // may deliver less
//
// In a normal build Enabled is a false constant, these functions are empty and
// nothing of the package is in the binary. They are active under the build tags
// failpoints, invariants and race.
//
// What is to happen where stands on a board: a few pages of memory with a cell
// for each point. A process has a board of its own, which the variable
// UZRAM_FAILPOINT or Set fills from a text (Parse). Where UZRAM_FAILPOINT_BOARD
// names one that NewBoard made, all processes share that one instead: whoever
// holds it arms points while they run, one death uses an order up whichever
// process it befalls, and the moment of the death can be read afterwards.
//
// A text is orders separated by commas or white space:
//
//	name[:nth][+]=kill | stall[:duration] | error[:errno] | short
//
// The nth hit from now on acts (default 1), and with + every nth again.
package failpoint
