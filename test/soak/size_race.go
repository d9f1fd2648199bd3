//go:build race

package soak

import "time"

// How many disks there are, and their sizes, in pages that all write. In this
// build a pool's whole address space, 32 KiB for each page of the disk and 32 MiB
// beside, is heap, and the detector needs several times as much.
const (
	disks       = 3
	fewestPages = 300
	mostPages   = 640
)

// longestStay is the time from one reset of a disk to the next, at most.
const longestStay = 5 * time.Second

// hung is how long one thing may take.
const hung = 5 * time.Minute

// gcPercent is how much the heap may grow from one collection to the next.
const gcPercent = 50
