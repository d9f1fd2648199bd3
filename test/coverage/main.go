package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	reasons := flag.String("reasons", filepath.Join("docs", "coverage.md"), "table of what is not covered, and why")
	least := flag.Float64("least", 95, "percent of each package's statements that must be covered")
	root := flag.String("root", ".", "root of the module")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "coverage: want profiles of go test -coverprofile")
		os.Exit(2)
	}
	complaints, err := judge(os.Stdout, *root, *reasons, *least, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
	if len(complaints) > 0 {
		fmt.Fprintln(os.Stderr, strings.Join(complaints, "\n"))
		os.Exit(1)
	}
}
