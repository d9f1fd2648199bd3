//go:build !race

package soak

import "time"

// How many disks there are, and their sizes, in pages that all write.
const (
	disks       = 5
	fewestPages = 512
	mostPages   = 4096
)

// longestStay is the time from one reset of a disk to the next, at most.
const longestStay = 1500 * time.Millisecond

// hung is how long one thing may take.
const hung = time.Minute

// gcPercent is how much the heap may grow from one collection to the next.
const gcPercent = 100
