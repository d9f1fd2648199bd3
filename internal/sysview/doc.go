// Package sysview makes the devices of a multi mount appear where programs look for the kernel's zram.
//
//	/sys/devices/virtual/block   what is there, and zramN: the device's directory of the mount
//	/sys/block, /sys/class/block, /sys/dev/block
//	                             what is there, and links to zramN; the loop device behind it is left out
//	/sys/class/zram-control      the mount's; where the kernel has none, /sys/class is made anew with it
//	/dev                         a copy with block nodes zramN, numbered as the loop devices
//	/run/udev/data               a record for each, for programs that wait until a device has one
//	modprobe.d                   `modprobe zram` asks the mount
//
// sysfs and devtmpfs are one for all namespaces and take no entries of others. So the directories are covered: what they
// hold is built on a tmpfs elsewhere, with links as they are and with binds of directories, and the whole is then mounted
// over the directory. What lies below is reached by descriptors that were opened before.
//
// A view that was made by Start follows the mount, which tells each view of its devices before it answers hot_add
// and hot_remove (Tell), and the kernel, by its events.
//
// Lock order: View.mu is the only lock. Adding a device looks it up in the mount, which must be able to answer meanwhile.
package sysview
