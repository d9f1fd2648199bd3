//go:build race

package compress

// underRace: the race detector makes codecs 20 times slower, and finds nothing
// in what one goroutine does; tests over many pages take fewer of them.
const underRace = true
