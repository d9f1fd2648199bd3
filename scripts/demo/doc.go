// Demo is what `make run` runs: uzram's main job on real input.
//
// It mounts a device, puts a real directory tree on it, reads the tree back
// through the mount and compares every checksum, prints what it cost, and
// leaves everything up for the user to look at. As root the device gets a loop
// device and an ext4 file system; an ordinary user, who may have neither, gets
// the tree packed file after file into the image itself.
//
//	DIR/device   the uzram mount: image, disksize, mm_stat, ...
//	DIR/disk     the ext4 file system (root only)
//	DIR/.made    there if the demo made DIR, so that stop removes it
//
// The demo only uses what any user has: the uzram command and the control
// files. A failure on the way takes down what was set up, in reverse order.
package main
