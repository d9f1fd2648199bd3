//go:build !race

package fusefs

// MaxDevices is how many devices a mount can have at a time. Numbers have 16 bits.
const MaxDevices = 1 << numberBits
