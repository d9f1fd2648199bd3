// Bench-devices shows what many devices of one mount cost: memory, descriptors
// and threads of each process with a thousand of them, idle and set up, the time
// that it takes to add, set up and remove one, and that thousands of these leave
// nothing behind.
//
//	make bench-devices
//
// It mounts bin/uzram as a user does, once with loop devices of the mount's own and
// once without. It fails when something is left over, never on a figure.
package main
