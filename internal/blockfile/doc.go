// Package blockfile opens what a device writes its pages back to: a block device
// or a plain file, taken for this process alone and, where the file system can,
// past the page cache.
package blockfile
