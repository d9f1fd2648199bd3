// Package binary runs the built uzram as a user does.
package binary
