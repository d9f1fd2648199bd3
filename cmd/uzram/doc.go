// Command uzram sets up, shows and takes down compressed RAM disks.
//
// Only `mount` holds the engine. It becomes the daemon that serves one mount; all else, the settings that `mount` itself
// was given included, goes through the files below the mount point, as a user's echo and cat do.
//
//	uzram mount             parses and checks, then serves in this process (serve.go); when the mount answers, a short-lived
//	                        child writes the settings, for the daemon must not wait for itself (foreground.go)
//	uzram mount --detach    starts itself again in a session of its own; the child serves, the parent writes the settings
//	                        and tells the child to stay (detach.go)
//	uzram writeback         reads how far the run is, while a child in a session of its own waits in the write that is the
//	uzram recompress        run: a process that waits there can be neither interrupted nor killed (post.go)
//
// Errors are one plain sentence on stderr; exitcode.go has the exit codes.
package main
