// Package stopwatch measures speed on a machine that is not quite idle.
package stopwatch
