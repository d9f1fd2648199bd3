package e2e

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

var rewrite = flag.Bool("rewrite", false, "write docs/bad-input.md and docs/backing-faults.md anew instead of comparing with them")

// TestBadInput runs all rows of the tables, and compares the document made of what happened with the one in docs.
func TestBadInput(t *testing.T) {
	var doc badInputDoc
	t.Run("verbs", func(t *testing.T) { badVerbs(t, &doc) })
	t.Run("user", func(t *testing.T) { badUser(t, &doc) })
	t.Run("attributes", func(t *testing.T) { badAttrs(t, &doc) })
	t.Run("image", func(t *testing.T) { badCalls(t, &doc) })
	if t.Failed() {
		return // what was collected is not worth writing down
	}
	compareDocument(t, "bad-input.md", doc.String(), "TestBadInput")
}

func firstDifference(old, now string) string {
	a, b := strings.Split(old, "\n"), strings.Split(now, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "document: " + a[i] + "\nnow:      " + b[i]
		}
	}
	return "one is longer"
}

// badVerbs runs the command lines. None may leave a mount, a process or a change behind.
func badVerbs(t *testing.T, doc *badInputDoc) {
	scene := newScene(t)
	for _, v := range verbRows {
		args := make([]string, len(v.args))
		for i, a := range v.args {
			args[i] = scene.fill(a)
		}
		before := scene.state()
		res := harness.Uzram(t, args...)
		says := scene.hide(oneSentence(t, v.args, res))
		if res.Code != v.code {
			t.Errorf("uzram %q: status %d (%s), want %d", v.args, res.Code, says, v.code)
		}
		if after := scene.state(); after != before {
			t.Errorf("uzram %q changed something:\n%s\nbefore:\n%s", v.args, after, before)
		}
		doc.verb(v.args, res.Code, says)
	}
}

// badUser runs what only root may do as an ordinary user.
func badUser(t *testing.T, doc *badInputDoc) {
	s := newSandbox(t)
	dir := filepath.Join(s.dir, "dev")
	s.must("mkdir", dir)
	for _, v := range userRows {
		args := []string{s.bin}
		for _, a := range v.args {
			args = append(args, strings.ReplaceAll(a, "DIR", dir))
		}
		res := s.nobody(args...)
		says := strings.ReplaceAll(oneSentence(t, v.args, res), dir, "DIR")
		if res.Code != v.code {
			t.Errorf("uzram %q as nobody: status %d (%s), want %d", v.args, res.Code, says, v.code)
		}
		if strings.Contains(s.must("cat", "/proc/self/mountinfo"), " "+dir+" ") {
			t.Errorf("uzram %q as nobody left a mount", v.args)
		}
		doc.user(v.args, res.Code, says)
	}
}

// badAttrs writes to the attributes, each value before and after disksize as the row says.
func badAttrs(t *testing.T, doc *badInputDoc) {
	dev := harness.Mount(t, harness.Options{})
	empty := filepath.Join(harness.Dir(t), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	backing := filepath.Join(filepath.Dir(empty), "backing")
	if err := errors.Join(os.WriteFile(backing, nil, 0o600), os.Truncate(backing, mib)); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{unset, set, backed} {
		switch when {
		case set:
			dev.Set("disksize", "1M")
		case backed:
			dev.Set("reset", "1")
			dev.Set("backing_dev", backing)
			dev.Set("disksize", "1M")
		}
		for _, a := range attrRows {
			if a.when != always && a.when != when {
				continue
			}
			before := attrState(t, dev)
			_, err := harness.WriteFile(dev.Path(a.attr), strings.ReplaceAll(a.value, "EMPTYFILE", empty), 0)
			got := harness.Errno(err)
			if got != a.want {
				t.Errorf("%s <- %q, %s: %v, want %v", a.attr, a.value, when, got, a.want)
			}
			if after := attrState(t, dev); after != before {
				t.Errorf("%s <- %q, %s changed something:\n%s\nbefore:\n%s", a.attr, a.value, when, after, before)
			}
			if a.when == when || when == unset {
				doc.attr(a, got)
			}
		}
	}
	for _, name := range writeOnly {
		_, err := harness.ReadFile(dev.Path(name))
		if harness.Errno(err) != unix.EACCES {
			t.Errorf("reading %s: %v, want EACCES", name, err)
		}
		doc.read(name, always, harness.Errno(err))
	}
	dev.Set("reset", "1")
	for _, name := range []string{"debug/block_state", "debug/page_state", "debug/classes"} {
		_, err := harness.ReadFile(dev.Path(name))
		if harness.Errno(err) != unix.EINVAL {
			t.Errorf("reading %s before disksize: %v, want EINVAL", name, err)
		}
		doc.read(name, unset, harness.Errno(err))
	}
}

// badCalls makes calls on image and directory that cannot work.
func badCalls(t *testing.T, doc *badInputDoc) {
	dev := harness.Mount(t, harness.Options{Disksize: "1M"})
	fd := open(t, dev.Image, unix.O_RDWR)
	pwrite(t, fd, mixed(mib, 1), 0)
	before := dev.MM()
	for _, c := range callRows {
		if got := harness.Errno(c.call(fd, dev)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		} else {
			doc.call(c.name, got)
		}
	}
	if after := dev.MM(); after != before {
		t.Errorf("mm_stat was %+v and is %+v", before, after)
	}
	expectBytes(t, "image", pread(t, fd, int(mib), 0), mixed(mib, 1))
}

// attrState returns what all readable attributes say.
func attrState(t *testing.T, dev *harness.Dev) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{
		"disksize", "initstate", "comp_algorithm", "recomp_algorithm", "backing_dev", "writeback_limit_enable", "writeback_limit",
		"writeback_batch_size", "compressed_writeback", "writeback_pack", "writeback_checksum", "writeback_encryption",
		"mm_stat", "io_stat", "bd_stat", "debug_stat", "stat", "size", "ro", "removable",
	} {
		all.WriteString(name + ": " + dev.Get(name) + "\n")
	}
	return all.String()
}

// oneSentence returns a refusal without the program's name in front. It must be one line that a person can read.
func oneSentence(t *testing.T, args []string, res harness.Result) string {
	t.Helper()
	says, named := strings.CutPrefix(strings.TrimSuffix(res.Stderr, "\n"), "uzram: ")
	if !named || says == "" || strings.Contains(says, "\n") || len(says) > 400 {
		t.Errorf("uzram %q says %q on stderr, want one line that begins with the program's name", args, res.Stderr)
	}
	for _, jargon := range []string{"goroutine", "panic", "strconv", "syscall", "errno", "%!", "<nil>", "0x"} {
		if strings.Contains(says, jargon) && !strings.Contains(strings.Join(args, " "), jargon) {
			t.Errorf("uzram %q says %q: no user understands %q", args, says, jargon)
		}
	}
	if res.Stdout != "" {
		t.Errorf("uzram %q prints %q on stdout", args, res.Stdout)
	}
	return says
}
