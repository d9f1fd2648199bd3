package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

var rewrite = flag.Bool("rewrite", false, "write the documents instead of comparing them")

// TestDocs: the man page and docs/cli.md are rendered from the command line's own description and must not be stale.
func TestDocs(t *testing.T) {
	app := newApp(io.Discard, io.Discard)
	for name, text := range map[string]string{"uzram.1": manPage(app), "cli.md": markdown(app)} {
		path := filepath.Join("..", "..", "docs", name)
		if *rewrite {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if have, err := os.ReadFile(path); err != nil || string(have) != text {
			t.Errorf("%s is stale (%v); go test ./cmd/uzram -run TestDocs -rewrite", path, err)
		}
	}
}

// files are described in the documents only.
var files = []struct{ name, text string }{
	{"DIR/image", "the disk"},
	{"DIR/disksize, DIR/comp_algorithm, DIR/mm_stat, ...", "the attributes of /sys/block/zramN, with the same names and formats"},
	{"DIR/debug/block_state, DIR/debug/classes", "what the kernel shows of each page and of the memory pool in debugfs"},
	{"DIR/debug/page_state", "block_state with two more columns: the size of the page's object in bytes, and its algorithm's priority"},
	{"DIR/debug/status", "all that `uzram status` shows, as one JSON object"},
	{"DIR/debug/check", "what `uzram check` reads: checks the disk against its slot table"},
	{"DIR/debug/snapshot", "what `uzram snapshot save` reads: the disk as it is when the reading begins, to be read once from the beginning to the end"},
	{"DIR/debug/restore", "takes such a snapshot, before disksize is set; closing it says what came of it"},
	{"DIR/debug/control", "takes one verb per write: `log-level L`; `gc`: collects garbage now, for measurements; `free-hint PAGE [COUNT]`: nobody needs these pages any more"},
}

// verbsOf returns the commands that do something: in place of one that only has others, those.
func verbsOf(app *cli.App) []*cli.Command {
	var list []*cli.Command
	for _, c := range app.Commands {
		if c.Hidden {
			continue
		}
		if len(c.Subcommands) == 0 {
			list = append(list, c)
		}
		for _, sub := range c.Subcommands {
			full := *sub
			full.Name = c.Name + " " + sub.Name
			list = append(list, &full)
		}
	}
	return list
}

// option is a flag as documents show it.
type option struct{ name, value, usage string }

var placeholder = regexp.MustCompile("`([^`]+)`")

func options(c *cli.Command) []option {
	var list []option
	for _, f := range c.Flags {
		d := f.(cli.DocGenerationFlag)
		o := option{name: "--" + f.Names()[0], usage: placeholder.ReplaceAllString(d.GetUsage(), "$1")}
		if m := placeholder.FindStringSubmatch(d.GetUsage()); m != nil && d.TakesValue() {
			o.value = m[1]
		}
		if v := d.GetValue(); v != "" && v != "false" && v != "[]" {
			o.usage += " (default: " + v + ")"
		}
		list = append(list, o)
	}
	return list
}

// block is a paragraph, or lines to be shown as they are.
type block struct {
	code bool
	text string
}

// blocks splits a description; indented lines are code.
func blocks(description string) []block {
	var list []block
	for _, p := range strings.Split(description, "\n\n") {
		b := block{code: strings.HasPrefix(p, "  "), text: p}
		if b.code {
			b.text = strings.ReplaceAll(strings.TrimPrefix(p, "  "), "\n  ", "\n")
		}
		list = append(list, b)
	}
	return list
}

// about is the program's description without the exit codes, which have a section of their own.
func about(app *cli.App) string {
	text, _, _ := strings.Cut(app.Description, "\n\n")
	return text
}

func manPage(app *cli.App) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p(`.\" Rendered from the command line's own description by cmd/uzram/docs_test.go.`)
	p(".TH UZRAM 1\n.SH NAME\nuzram \\- %s\n.SH SYNOPSIS", roff(app.Usage))
	for _, c := range verbsOf(app) {
		p(".B %s\n.br", roff(c.UsageText))
	}
	p(".SH DESCRIPTION\n%s\n.SH VERBS", roff(about(app)))
	for _, c := range verbsOf(app) {
		p(".SS %s", roff(c.UsageText))
		p("%s.", roff(capital(c.Usage)))
		for _, k := range blocks(c.Description) {
			if k.code {
				p(".PP\n.EX\n%s\n.EE", roff(k.text))
			} else {
				p(".PP\n%s", roff(k.text))
			}
		}
		for _, o := range options(c) {
			head := ".B " + roff(o.name)
			if o.value != "" {
				head = fmt.Sprintf(".BI \"%s \" %s", roff(o.name), roff(o.value))
			}
			p(".TP\n%s\n%s", head, roff(o.usage))
		}
	}
	p(".SH EXIT STATUS")
	for _, e := range exitCodes {
		p(".TP\n%d\n%s", e.code, roff(e.meaning))
	}
	p(".SH FILES")
	for _, f := range files {
		p(".TP\n.I %s\n%s", roff(f.name), roff(strings.ReplaceAll(f.text, "`", `"`)))
	}
	p(".SH SEE ALSO\n.BR mkswap (8),\n.BR swapon (8),\n.BR losetup (8),\n.BR fusermount3 (1)")
	return b.String()
}

// roff escapes what troff would take for itself.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

func markdown(app *cli.App) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# uzram: the command line\n\n%s\n", about(app))
	p("Rendered from the command line's own description (`go test ./cmd/uzram -run TestDocs -rewrite`).\n")
	p("## Verbs")
	for _, c := range verbsOf(app) {
		p("\n### %s\n\n    %s\n\n%s.", c.Name, c.UsageText, capital(c.Usage))
		for _, k := range blocks(c.Description) {
			if k.code {
				p("\n```sh\n%s\n```", k.text)
			} else {
				p("\n%s", k.text)
			}
		}
		if opts := options(c); len(opts) > 0 {
			p("\n| flag | meaning |\n|---|---|")
			for _, o := range opts {
				p("| `%s` | %s |", strings.TrimSpace(o.name+" "+o.value), o.usage)
			}
		}
	}
	p("\n## Exit codes\n\n| code | meaning |\n|---|---|")
	for _, e := range exitCodes {
		p("| %d | %s |", e.code, e.meaning)
	}
	p("\n## Files\n\n| file | what it is |\n|---|---|")
	for _, f := range files {
		p("| %s | %s |", f.name, f.text)
	}
	return b.String()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
