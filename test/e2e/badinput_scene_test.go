package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// scene is what the command lines of bad input meet. The tables, and the document, name its parts by these words.
type scene struct {
	t     *testing.T
	words []word
	devs  []*harness.Dev
	dirs  []string // on which nothing may be mounted
}

type word struct{ name, is string }

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t}
	base := harness.Dir(t)
	name := func(word_, is string) { s.words = append(s.words, word{word_, is}) }
	dir := filepath.Join(base, "dir")
	file := filepath.Join(base, "file")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := harness.Mount(t, harness.Options{})
	busy := filepath.Join(base, "busy")
	used := harness.Mount(t, harness.Options{Disksize: "64M", Loop: true,
		Args: []string{"--backing-dev", busy + ":1M", "--recomp-algorithm", "2:zstd"}})
	harness.Run(t, "mkswap", used.Loop)
	harness.Undo(t, "swap", used.Loop)
	harness.Run(t, "swapon", "--discard", used.Loop)
	t.Cleanup(func() { swapoff(t, used.Loop) })
	s.devs, s.dirs = []*harness.Dev{fresh, used}, []string{dir, base}

	name("UNSET", fresh.Dir)
	name("SWAPPED", used.Dir)
	name("LOOP", used.Loop)
	name("NOWHERE", filepath.Join(base, "nowhere"))
	name("FILE", file)
	name("BUSY", busy)
	name("DIR", dir)
	return s
}

func swapoff(t *testing.T, loop string) {
	t.Helper()
	harness.Run(t, "swapoff", loop)
}

// fill puts the scene's names in for the words of the tables.
func (s *scene) fill(text string) string {
	for _, w := range s.words {
		text = strings.ReplaceAll(text, w.name, w.is)
	}
	return text
}

// hide does the opposite, so that the document has nothing of this machine.
func (s *scene) hide(text string) string {
	for _, w := range s.words {
		text = strings.ReplaceAll(text, w.is, w.name)
	}
	return text
}

// state describes all that no bad command line may change.
func (s *scene) state() string {
	s.t.Helper()
	var all strings.Builder
	for _, d := range s.devs {
		fmt.Fprintln(&all, d.Dir, d.Mounted(), d.Status().WorkerPID)
		for _, attr := range []string{"disksize", "comp_algorithm", "initstate", "writeback_limit", "writeback_limit_enable", "writeback_batch_size", "bd_stat"} {
			fmt.Fprintln(&all, d.Get(attr))
		}
	}
	for _, dir := range s.dirs {
		entries, err := os.ReadDir(dir)
		fmt.Fprintln(&all, dir, entries, err)
	}
	fmt.Fprintln(&all, harness.Processes(), harness.Loops())
	return all.String()
}

// badInputDoc collects what happened and makes the document of it.
type badInputDoc struct {
	verbs, users, attrs, calls strings.Builder
}

func code(text string) string { return "`" + strings.ReplaceAll(text, "|", `\|`) + "`" }

// shell writes a command line as one would type it.
func shell(args []string) string {
	words := []string{"uzram"}
	for _, a := range args {
		if a == "" || strings.ContainsAny(a, " \t\n'\"*") {
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

func (d *badInputDoc) verb(args []string, status int, says string) {
	fmt.Fprintf(&d.verbs, "| %s | %d | %s |\n", code(shell(args)), status, strings.ReplaceAll(says, "|", `\|`))
}

func (d *badInputDoc) user(args []string, status int, says string) {
	fmt.Fprintf(&d.users, "| %s | %d | %s |\n", code(shell(args)), status, strings.ReplaceAll(says, "|", `\|`))
}

func (d *badInputDoc) attr(a attrRow, errno unix.Errno) {
	value := strings.TrimSuffix(a.value, "\n")
	switch {
	case len(value) > 100:
		value = fmt.Sprintf("%d characters", len(value))
	case value == "":
		value = "(empty line)"
	default:
		value = code(strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(value))
	}
	fmt.Fprintf(&d.attrs, "| %s | %s | %s | %s |\n", code(a.attr), value, a.when, harness.ErrnoName(errno))
}

func (d *badInputDoc) read(attr, when string, errno unix.Errno) {
	fmt.Fprintf(&d.attrs, "| %s | (read) | %s | %s |\n", code(attr), when, harness.ErrnoName(errno))
}

func (d *badInputDoc) call(name string, errno unix.Errno) {
	fmt.Fprintf(&d.calls, "| %s | %s |\n", name, harness.ErrnoName(errno))
}

func (d *badInputDoc) String() string {
	return strings.Join([]string{
		"# What bad input gives\n",
		"This page is written by a test, which runs every line of it: `go test ./test/e2e -run TestBadInput -rewrite`.",
		"None of these changes anything: no mount, process or loop device is left, and all attributes read as before.\n",
		"## Verbs\n",
		"Run as root. `DIR` is an empty directory, `FILE` a file, `NOWHERE` does not exist, `UNSET` has a uzram without disksize,",
		"`SWAPPED` one with a loop device, `LOOP`, that is used as swap space; `BUSY` is its backing file.\n",
		"| command | exit code | what it says |\n| --- | --- | --- |\n" + d.verbs.String(),
		"Run as an ordinary user:\n",
		"| command | exit code | what it says |\n| --- | --- | --- |\n" + d.users.String(),
		"## Attributes\n",
		"One write call each, `\\n` at the end as `echo` has it. *unset* is before disksize, *set* after it, *backed* after it\n" +
			"with a backing device of 1 MiB. Modes hold for root too.\n",
		"| attribute | written | when | result |\n| --- | --- | --- | --- |\n" + d.attrs.String(),
		"## Image and directory\n",
		"| call | result |\n| --- | --- |\n" + d.calls.String(),
	}, "\n")
}
