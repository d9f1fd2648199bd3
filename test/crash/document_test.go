package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"uzram/internal/failpoint"
	"uzram/test/harness"
)

const documentHead = `# When a process dies

uzram's worker may die at any instruction: the keeper has the next one take over, and nobody who uses the disk gets an
error. What that rests on is in [architecture.md](architecture.md); this page is what tests have seen of it. It is written
by ` + "`make crash TIME=30m ARGS=-crash.figures`" + `; the short form of that, a stage of ` + "`make test`" + `, comes by every step once.

A death is SIGKILL by the worker to itself at the step, or from outside at a random moment. Meanwhile programs use the
mount that know what must be there. After each run: no request failed, no byte is wrong, the check finds nothing, and once
all pages are discarded pool and backing device are empty.
`

// document is docs/crash.md as this run has it.
func (r *resultTable) document() string {
	var b strings.Builder
	b.WriteString(documentHead)
	b.WriteString("\n## Steps\n\n\"Sent again\" is by the kernel, to the next worker.\n\n")
	b.WriteString("| | step | of | so far | what must hold after a death here | deaths, all of which held |\n|--:|---|---|---|---|--:|\n")
	sum := 0
	for _, s := range failpoint.Steps() {
		if s.Path == "fault" {
			continue
		}
		fmt.Fprintf(&b, "%s %d |\n", row(s), r.deaths[s.Point])
		sum += r.deaths[s.Point]
	}
	b.WriteString("\n## Random moments\n\n| load | deaths | |\n|---|--:|---|\n")
	for _, l := range r.loads {
		fmt.Fprintf(&b, "| %s | %d | %s |\n", l.name, l.deaths, l.what)
		sum += l.deaths
	}
	b.WriteString("\n## Time of a take-over\n\nFrom the death to the end of the first read that began after it, with a standby; " +
		"one process reads, nobody else\nuses the disk.\n\n| stored | |\n|--:|---|\n")
	for _, t := range r.rows {
		fmt.Fprintf(&b, "| %s | %v |\n", t.stored, t.all)
		sum += len(t.all)
	}
	fmt.Fprintf(&b, "\nDeaths in all: %d.\n", sum)
	b.WriteString("\n## Faults\n\nSteps that fail or fall short, rather than end the process.\n\n" +
		"| | step | of | what happens | what must hold |\n|--:|---|---|---|---|\n")
	for _, s := range failpoint.Steps() {
		if s.Path == "fault" {
			b.WriteString(row(s) + "\n")
		}
	}
	return b.String()
}

// row is what the document has of a step that does not differ from run to run.
func row(s failpoint.Step) string {
	return fmt.Sprintf("| %d | `%s` | %s | %s | %s |", s.Point, s.Name, s.Path, s.State, s.Then)
}

func documentPath() string { return filepath.Join(harness.Repo(), "docs", "crash.md") }

// TestDocument: docs/crash.md has every step as it is now, and deaths at each.
func TestDocument(t *testing.T) {
	if *figures {
		return // it is about to be written
	}
	text, err := os.ReadFile(documentPath())
	if err != nil {
		t.Fatal(err)
	}
	const how = "docs/crash.md is not of now; to write it anew: make crash TIME=30m ARGS=-crash.figures"
	if !strings.HasPrefix(string(text), documentHead) {
		t.Errorf("%s (its head)", how)
	}
	for _, s := range failpoint.Steps() {
		if !strings.Contains(string(text), "\n"+row(s)) {
			t.Errorf("%s (%s)", how, s.Name)
		}
	}
	if none := regexp.MustCompile(`(?m)^.* 0 \|$`).FindAllString(string(text), -1); len(none) > 0 {
		t.Errorf("docs/crash.md knows no death at\n%s", strings.Join(none, "\n"))
	}
}
