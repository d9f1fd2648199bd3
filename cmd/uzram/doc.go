// Command uzram sets up, shows and takes down compressed RAM disks.
//
// Only `mount` holds the engine. It becomes the daemon of one mount, which is a keeper and its workers; all else, the settings that `mount` itself
// was given included, goes through the files below the mount point, as a user's echo and cat do.
//
//	uzram mount             parses and checks, then is the keeper (keeper.go): it starts a worker, which serves (serve.go), and
//	                        the next one when that dies, which takes over (successor.go). When the mount answers, a
//	                        short-lived child of the first worker writes the settings, for no process may wait for itself
//	                        (foreground.go). --keeper=false: it serves in this process, and the data end with it
//	uzram mount --detach    starts itself again in a session of its own; the child is the keeper, the parent writes the settings
//	                        and tells the first worker to stay (detach.go)
//	uzram worker            is for keepers; what it has to do stands in its environment (cmd_worker.go)
//	uzram writeback         reads how far the run is, while a child in a session of its own waits in the write that is the
//	uzram recompress        run: a process that waits there can be neither interrupted nor killed (post.go)
//
// Errors are one plain sentence on stderr; exitcode.go has the exit codes.
package main
