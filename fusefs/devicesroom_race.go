//go:build race

package fusefs

// MaxDevices is how many devices a mount can have at a time: few, for there memory
// that nobody has touched takes room too.
const MaxDevices = 256
