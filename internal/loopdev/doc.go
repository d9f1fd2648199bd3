// Package loopdev attaches loop devices to a file and detaches them, with the settings that a disk image on FUSE
// needs: direct I/O, so that the image's pages are not cached a second time, and a given sector size.
//
// A device is identified by what is behind it, never by its number alone: another program may detach /dev/loopN and
// attach it to something else at any time. So every call that changes an attached device first asks the kernel whether
// the image (its device and inode number) is still the one that was attached here.
//
// No descriptor of a loop device is kept open: an open one would turn another program's detach into a lazy one that
// never ends. Loop devices and images are opened with raw system calls and never with package os, whose poller would
// ask the file system behind the image to poll.
//
// The package needs Linux 5.8 (LOOP_CONFIGURE).
package loopdev
