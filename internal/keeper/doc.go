// Package keeper keeps descriptors for a process that may die, and starts the next one.
//
//	keeper ──pair──> worker    does the work; what a successor needs it has the keeper hold
//	   └────pair──> standby    the next worker: started, ready, has the same descriptors, waits in Client.Await
//
// The keeper knows descriptors by name and nothing of what they are. It watches its children by pidfd. When the worker dies
// it tells the standby to go, and starts the next standby once that one serves. A worker that has to die for an upgrade goes
// the same way, with a standby made from another binary, when it has said that nothing is under way.
//
// # Rules for a worker
//
// It holds a descriptor before anything says that it counts, and drops it after nothing says so any more. Then a successor
// finds all that counts, and perhaps something more, whenever the worker dies. Hold and Drop return when the keeper has
// done it.
//
// # The loop
//
// One thread, one ppoll, buffers made beforehand, memory locked as far as the caller sees to it: nothing is allocated but
// to start a process and to log that one died. No call of the loop waits for anybody: a child that does not read its
// messages is killed. What is dropped is soon gone: a child gets descriptors only when it stands by, that is, reads, and
// says what it has read.
//
// # Ends
//
//   - The worker says Ended: the keeper ends, with the worker's exit code.
//   - The first worker dies before it says Settled: the start has failed, and the keeper ends.
//   - The keeper dies: each child notices by its socket (Client.Lost; Await returns ErrLost).
//   - A worker dies while it serves: the next one. Deaths that come in quick succession make the keeper wait longer and
//     longer before it starts another (backoff.go), and say so.
//   - A worker was killed but a thread of it cannot end, because it waits in the kernel for an answer of its own: the
//     successor is told to go all the same (stuck.go).
//
// FDStore is the same vault kept by systemd instead, for a service without a keeper.
package keeper
