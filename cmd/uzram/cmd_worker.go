package main

import (
	"os"

	"uzram/internal/keeper"

	"github.com/urfave/cli/v2"
)

// workerVerb is for keepers alone and not listed.
const workerVerb = "worker"

func workerCommand() *cli.Command {
	return &cli.Command{
		Name:   workerVerb,
		Hidden: true,
		Action: func(c *cli.Context) error {
			client, ok, err := keeper.Inherited()
			if err != nil {
				return err
			}
			if !ok {
				return usagef("%s is for uzram itself", workerVerb)
			}
			// It was executed by way of /proc, which is not what it should be known as.
			_ = os.WriteFile("/proc/self/comm", []byte("uzram"), 0)
			w, err := ordered()
			if err != nil {
				return err
			}
			link, ok := inheritedLink()
			if !ok {
				return serve(w.options(), &foreground{apply: w.Apply, stdout: c.App.Writer}, client)
			}
			err = serve(w.options(), link, client)
			link.failed(err)
			return err
		},
	}
}
