package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// run is the program: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	var err error
	if len(args) > 0 && filepath.Base(args[0]) == modprobeName {
		err = asModprobe(args[1:])
	} else {
		err = newApp(stdout, stderr).Run(args)
	}
	if err == nil {
		return exitOK
	}
	if !errors.Is(err, errSaid) {
		fmt.Fprintf(stderr, "uzram: %s\n", sentence(err))
	}
	return exitCode(err)
}

// sentence makes one line of an error's text.
func sentence(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
}
