//go:build !race

package compress

const underRace = false
