package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"uzram/test/harness"
)

// table collects what clients did.
type table struct {
	names []string // of the clients, in order
	rows  map[string][]row
}

type row struct{ command, printed, verdict string }

func newTable() *table { return &table{rows: map[string][]row{}} }

func (t *table) add(client, command, printed, verdict string) {
	if t.rows[client] == nil {
		t.names = append(t.names, client)
	}
	t.rows[client] = append(t.rows[client], row{command, strings.TrimRight(printed, "\n "), verdict})
}

// volatile is what differs from run to run and machine to machine, in this order.
var volatile = []struct {
	pattern *regexp.Regexp
	now     string
}{
	{regexp.MustCompile(`(?m)^(logger: |<[0-9]+>).*\n`), ""}, // whether there is a log daemon
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`\bloop[0-9]+\b`), "loopN"},
	{regexp.MustCompile(`(MINOR|DISKSEQ)=[0-9]+`), "$1=N"},
	{regexp.MustCompile(`(?m)[ \t]+`), " "},
	{regexp.MustCompile(`(?m)^ | $`), ""},
	// COMPR and TOTAL of zramctl: some of what is compressed is a UUID.
	{regexp.MustCompile(`(?m)^(/dev/zram[0-9]+ [a-z0-9]+ \S+ [0-9.]+[KM]) \S+ \S+`), "$1 ... ..."},
	{regexp.MustCompile(`(?m)^(/dev/zram0 67108864 4194304) [0-9]+ (zstd) 0 [0-9]+ 0 [0-9]+`), "$1 ... $2 0 ... 0 ..."},
}

func mask(text string) string {
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.now)
	}
	return text
}

func (t *table) String() string {
	var b strings.Builder
	b.WriteString(strings.Join([]string{
		"# Programs for zram on uzram\n",
		"This page is written by a test, which runs each command on a mount `uzram mount --multi --loop DIR` in a view made by",
		"`uzram sysfs --dir DIR -- COMMAND`: `make clients`; `go test ./test/clients -args -rewrite` writes it anew. The programs",
		"are those of Debian 12, unmodified. What differs from run to run is shown as a name in capitals or as dots.",
	}, "\n") + "\n")
	for _, name := range t.names {
		fmt.Fprintf(&b, "\n## %s\n\n| command | printed | verdict |\n| --- | --- | --- |\n", name)
		for _, r := range t.rows[name] {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(r.command), cell(r.printed), r.verdict)
		}
	}
	return b.String()
}

// cell makes what stands in a cell of a table, one line of code for each line.
func cell(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		if line == "" {
			continue
		}
		lines = append(lines, "<code>"+strings.NewReplacer("&", "&amp;", "<", "&lt;", "|", "&#124;", "*", "&#42;", "_", "&#95;").Replace(line)+"</code>")
	}
	return strings.Join(lines, "<br>")
}

// compare holds the document, but for what was printed, against what the test has found, or writes it anew.
func (tab *table) compare(t *testing.T) {
	t.Helper()
	path := filepath.Join(harness.Repo(), "docs", "clients.md")
	now := tab.String()
	if *rewrite {
		if err := os.WriteFile(path, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if old, now := verdicts(string(text)), verdicts(now); old != now {
		t.Errorf("docs/clients.md is not what this test finds; to write it anew: go test ./test/clients -args -rewrite\n%s", difference(old, now))
	}
}

// verdicts is the document without what the programs printed: that differs with their versions, and what it must contain
// the tests say.
func verdicts(document string) string {
	var lines []string
	for _, line := range strings.Split(document, "\n") {
		if cells := strings.Split(line, " | "); len(cells) == 3 {
			line = cells[0] + " | " + cells[2]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// difference shows the first line that differs.
func difference(old, now string) string {
	a, b := strings.Split(old, "\n"), strings.Split(now, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "is:  " + a[i] + "\nnow: " + b[i]
		}
	}
	return fmt.Sprintf("%d lines, now %d", len(a), len(b))
}
