// Package zramconf reads configurations in zram-generator's format: which devices there shall be, how large, compressed
// by what, and used for what.
//
//	files.go       which files make up the configuration, in which order
//	config.go      their sections, one for each device
//	keys.go        the keys of a section
//	algorithms.go  the value of compression-algorithm
//	expression.go  sizes as functions of the machine's memory
//	number.go      the numbers in them
//	machine.go     what is asked of the machine: its memory, its kernel's command line
//
// It only reads. What is read is judged when it is used: whether an algorithm exists is the device's to say.
package zramconf
