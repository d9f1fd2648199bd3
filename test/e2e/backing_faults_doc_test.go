package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uzram/test/harness"
)

// faultDoc collects what failing backing devices did, and makes the document of it.
type faultDoc struct{ text strings.Builder }

// story begins a table.
func (d *faultDoc) story(title, scene string) {
	fmt.Fprintf(&d.text, "\n## %s\n\n%s\n\n| what is done | result |\n| --- | --- |\n", title, scene)
}

func (d *faultDoc) row(done, result string) {
	fmt.Fprintf(&d.text, "| %s | %s |\n", done, strings.ReplaceAll(result, "|", `\|`))
}

func (d *faultDoc) String() string {
	return strings.Join([]string{
		"# What a failing backing device does\n",
		"This page is written by a test, which does all of it on a mount: `go test ./test/e2e -run TestBackingFaults -rewrite`.",
		"After each step `uzram check` finds nothing wrong, and pages elsewhere on the disk are written and read as ever. A page",
		"leaves memory only when its block was written, so a write that fails costs nothing. A block that cannot be read any",
		"more costs the pages on it: they give EIO until they are written as a whole or discarded. Without `writeback_checksum` or",
		"`writeback_encryption` nobody notices a device that gives back something else than was written.",
	}, "\n") + "\n" + d.text.String()
}

// compareDocument holds a document in docs against what a test has found, or writes it anew.
func compareDocument(t *testing.T, name, now, test string) {
	t.Helper()
	path := filepath.Join(harness.Repo(), "docs", name)
	if *rewrite {
		if err := os.WriteFile(path, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	old, err := os.ReadFile(path)
	if err != nil || string(old) != now {
		t.Errorf("docs/%s is not what this test finds (%v); to write it anew: go test ./test/e2e -run %s -rewrite\n%s",
			name, err, test, firstDifference(string(old), now))
	}
}
