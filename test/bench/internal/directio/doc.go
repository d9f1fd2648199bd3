// Package directio moves data between page-aligned, populated memory and a
// device or file past the page cache, so that what is timed is the device.
//
// It uses raw system calls and never package os, whose poller would ask a FUSE
// file system to poll.
package directio
