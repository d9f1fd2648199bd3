// Package logging is a slog.Handler that never blocks its caller.
//
// A record is formatted and put into a bounded queue; one goroutine takes them out and writes them to the output:
//
//	Handle ──> queue (QueueLength records) ──> writer goroutine ──> Output (stderr, file, syslog)
//
// When the output is slower than the records come, further ones are dropped and counted, and the next line that gets
// through says how many are missing. A daemon whose log is on a file system that is swapped out, or a terminal that nobody
// reads, thus goes on serving. Formatting allocates: the I/O path does not log.
package logging
