// Package zramdev gives a test or benchmark a kernel zram device of its own, the
// peer to be compared with. It only ever touches a device that it has itself added
// through hot_add, and removes that one.
package zramdev
