package store

import "uzram/compress"

// Algorithms lists the algorithms that a device can use, in the kernel's order.
func Algorithms() []string { return compress.Names() }
