// Package fusermount unmounts, and runs the program that mounts and unmounts FUSE file systems for ordinary users.
//
// It runs that program by raw system calls: a daemon calls it that serves the mount in question, and Go's poller, which
// package os/exec uses for pipes, has no business there.
package fusermount
