// Package undo takes back, in reverse order, what a benchmark set up on the
// machine: mounts, loop devices, kernel devices, processes, directories. A step
// is registered at the moment its resource is created.
//
// Stacks nest: a stack's Unwind can be a step of another.
package undo
