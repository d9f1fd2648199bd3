// Package mountinfo finds uzram's mounts in /proc/self/mountinfo and says who keeps one busy.
//
// Nothing here touches a mount itself: all is read from /proc and /sys, so that it works when the daemon behind a mount
// is dead, and from within that daemon, which must never wait for itself.
package mountinfo
