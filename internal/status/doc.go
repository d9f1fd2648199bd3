// Package status is the shape of debug/status: what a mount says of itself, as
// one JSON object. The daemon writes it and the command line reads it, so both
// use these types. The figures themselves are defined by the device; here they
// are an ordered list of names and values.
package status
