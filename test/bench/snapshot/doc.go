// Bench-snapshot shows how long a disk takes to be saved and to be there again,
// and how large the file is, beside that file's own speed.
//
//	make bench-snapshot
//
// The disk is the page corpus over and over, on a mount of bin/uzram, as a user
// has it: `uzram snapshot save` until the file is on the disk, `uzram mount
// --restore` until the mount answers. The bars are writing as many bytes to a
// file, with fsync, and reading them. Every page is read back and compared.
//
// It runs from the root of the tree. It fails when data come back wrong, never
// on a figure.
package main
