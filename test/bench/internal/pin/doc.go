// Package pin confines a benchmark to one CPU.
package pin
