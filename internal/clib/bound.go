package clib

// Bound is how many bytes of room each codec needs for a page of n bytes.
func Bound(n int) int { return n + n/8 + 128 }
