// Package corpus loads the page corpus of test/corpus into memory, building its
// file when there is none.
package corpus
