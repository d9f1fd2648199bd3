package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDictTrain_BadInput: nothing is written, and one sentence says why.
func TestDictTrain_BadInput(t *testing.T) {
	dir := t.TempDir()
	file := writePages(t, dir, "file", 40)
	for name, text := range map[string]string{"old": "mine", "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("old", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string // words; $D is a directory with $F in it, a file of few pages
		code int
		text string
	}{
		{"dict", exitUsage, "dict needs a verb; accepted: train"},
		{"dict frobnicate", exitUsage, `unknown verb "frobnicate" of dict; accepted: train`},
		{"dict --frob", exitUsage, "unknown flag -frob; see uzram dict --help"},
		{"dict train", exitUsage, "needs something to learn from"},
		{"dict train --frob", exitUsage, "unknown flag -frob; see uzram dict train --help"},
		{"dict train $F", exitUsage, "needs -o FILE"},
		{"dict train -o $D/new", exitUsage, "needs something to learn from"},
		{"dict train -o $D/new ''", exitUsage, "is empty"},
		{"dict train -o '' $F", exitUsage, "needs -o FILE"},
		{"dict train -o", exitUsage, "flag needs an argument"},
		{"dict train $F -o $D/new", exitUsage, "flags stand before"},
		{"dict train -o $D $F", exitUsage, "not an ordinary file"},
		{"dict train -o $D/link --force $F", exitUsage, "not an ordinary file"},
		{"dict train -o $D/none/new $F", exitUsage, "there is no directory $D/none"},
		{"dict train -o $F/new $F", exitUsage, "there is no directory $F"},
		{"dict train -o $D/old $F", exitUsage, "exists; --force replaces it"},
		{`dict train -o $D/a"b $F`, exitUsage, "double quote"},
		{"dict train -o $D/new --size 1023 $F", exitUsage, "from 1024 to 65536 bytes"},
		{"dict train -o $D/new --size 65K $F", exitUsage, "from 1024 to 65536 bytes"},
		{"dict train -o $D/new --size 16E $F", exitUsage, "below 16E"},
		{"dict train -o $D/new --size '' $F", exitUsage, "not a size"},
		{"dict train -o $D/new --samples 143 $F", exitUsage, "from 144 to 16384"},
		{"dict train -o $D/new --samples 16385 $F", exitUsage, "from 144 to 16384"},
		{"dict train -o $D/new --samples some $F", exitUsage, "from 144 to 16384"},
		{"dict train -o $D/new --algorithm lzo $F", exitUsage, `"lzo" takes no dictionary; accepted: zstd, lz4, lz4hc`},
		{"dict train -o $D/new --algorithm '' $F", exitUsage, "takes no dictionary"},
		{"dict train -o $D/new --level 23 $F", exitUsage, `zstd has no level "23"`},
		{"dict train -o $D/new --algorithm lz4 --level 0 $F", exitUsage, `lz4 has no level "0"`},
		{"dict train -o $D/new --level fast $F", exitUsage, `no level "fast"`},
		{"dict train -o $D/new --level 99999999999 $F", exitUsage, "no level"},
		{"dict train -o $D/new --algorithm lz4 --raw $F", exitUsage, "--raw is for zstd only"},
		{"dict train -o $D/new $D/none", exitUsage, "there is no file or directory"},
		{"dict train -o $D/new $F/x", exitUsage, "there is no file or directory"},
		{"dict train -o $D/new $D/pipe", exitUsage, "nor a file, nor a block device"},
		{"dict train -o $D/new /dev/null", exitUsage, "nor a file, nor a block device"},
		{"dict train -o $D/new $D", exitNotMounted, "is not a uzram mount"},
		{"dict train -o $D/new $F $D", exitNotMounted, "is not a uzram mount"},
		{"dict train -o $D/new $D/empty", exitFailed, "too few pages: 0 different ones with data"},
		{"dict train -o $D/new $F $F", exitFailed, "at least 128 and 16 are needed"},
	} {
		t.Run(c.args, func(t *testing.T) {
			names := strings.NewReplacer("$D", dir, "$F", file, "''", "")
			var args []string
			for _, w := range strings.Fields(c.args) {
				args = append(args, names.Replace(w))
			}
			stdout, stderr, code := uzram(args...)
			if code != c.code || !strings.Contains(stderr, names.Replace(c.text)) {
				t.Errorf("exit %d, %q; want %d, %q", code, stderr, c.code, c.text)
			}
			if stdout != "" || !strings.HasPrefix(stderr, "uzram: ") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("stdout %q, stderr %q; want one sentence on stderr", stdout, stderr)
			}
		})
	}
	after, err := os.ReadDir(dir)
	if err != nil || len(after) != len(before) {
		t.Errorf("in the directory are %v, %v", after, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "old")); err != nil || string(text) != "mine" {
		t.Errorf("the old file holds %q, %v", text, err)
	}
}

// TestDictTrain: from two files, judged, written for the owner alone; the same input gives the same dictionary.
func TestDictTrain(t *testing.T) {
	dir := t.TempDir()
	a, b := writePages(t, dir, "a", 200), writePages(t, dir, "b", 200)
	out := filepath.Join(dir, "it's a dict")
	stdout, stderr, code := uzram("dict", "train", "-o", out, "--level", "5", a, b)
	first, err := os.ReadFile(out)
	if code != exitOK || stderr != "" || err != nil || len(first) == 0 || len(first) > 32<<10 {
		t.Fatalf("exit %d, %s%s; %d bytes, %v", code, stdout, stderr, len(first), err)
	}
	for _, want := range []string{
		" for zstd, with entropy tables\n", "\nthe dictionary saves ", " on pages it was not trained on\n", "content alone (--raw) would save ",
		"  echo zstd > DIR/comp_algorithm\n",
		`  echo 'algo="zstd" level=5 dict="` + strings.ReplaceAll(out, "'", `'\''`) + `"' > DIR/algorithm_params` + "\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if st, err := os.Stat(out); err != nil || st.Mode() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
	if _, stderr, code := uzram("dict", "train", "-o", out, a, b); code != exitUsage {
		t.Errorf("a file that exists: exit %d, %s", code, stderr)
	}
	stdout, stderr, code = uzram("dict", "train", "-o", out, "--json", "--force", "--level", "5", a, b)
	second, err := os.ReadFile(out)
	if code != exitOK || err != nil || !bytes.Equal(first, second) {
		t.Errorf("again: exit %d, %s; %d bytes, %v, want the same %d", code, stderr, len(second), err, len(first))
	}
	var r dictReport
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || r.File != out || r.Bytes != len(first) || r.Sampled != 400 || !r.Helps ||
		r.Trained+r.Held+r.Copies != 400 || r.BytesWith >= r.BytesWithout || r.OtherGain == nil || *r.Level != 5 {
		t.Errorf("%+v, %v", r, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDictTrain_NoHelp: a dictionary that does not help is written all the same, and the report says so.
func TestDictTrain_NoHelp(t *testing.T) {
	dir := t.TempDir()
	// Random pages, of which the trained ones happen to share something.
	r := rand.New(rand.NewPCG(1, 1))
	text := make([]byte, 300*4096)
	for i := range text {
		text[i] = byte(r.Uint32())
	}
	shared := text[:200]
	for page := 1; page < 300; page++ {
		copy(text[page*4096+r.IntN(3000):], shared[:100])
	}
	in := filepath.Join(dir, "in")
	if err := os.WriteFile(in, text, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	stdout, stderr, code := uzram("dict", "train", "--algorithm", "lz4", "-o", out, in)
	if code != exitOK || stderr != "" || !strings.Contains(stdout, "does not help here (0.0 %): not worth using\n") ||
		strings.Contains(stdout, "algorithm_params") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	if st, err := os.Stat(out); err != nil || st.Size() == 0 {
		t.Errorf("%v, %v", st, err)
	}
}

func TestDictReport_Verdict(t *testing.T) {
	for _, c := range []struct {
		gain  float64
		helps bool
		want  string
	}{
		{4.21, true, "the dictionary saves 4.2 % on pages it was not trained on"},
		{0.4, false, "the dictionary hardly helps here (0.4 %): not worth using"},
		{-0.31, false, "the dictionary does not help here (-0.3 %): not worth using"},
	} {
		r := dictReport{Gain: c.gain, Helps: c.helps, Algorithm: "lz4"}
		text := r.text()
		if !strings.Contains(text, "\n"+c.want+"\n") || strings.Contains(text, "echo") != c.helps || strings.Contains(text, "idle") {
			t.Errorf("%v %v: %s", c.gain, c.helps, text)
		}
	}
	other := -1.0
	r := dictReport{Algorithm: "zstd", OtherGain: &other, IdleRead: 12}
	if text := r.text(); !strings.Contains(text, "one with entropy tables (no --raw) would not help (-1.0 %)\n") ||
		!strings.Contains(text, " 12 were marked idle and are not any more\n") || !strings.Contains(text, " for zstd, content alone\n") {
		t.Error(text)
	}
}

// TestWriteDict: a file that comes into being meanwhile is not replaced.
func TestWriteDict(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d")
	if err := writeDict(path, []byte("one"), false); err != nil {
		t.Fatal(err)
	}
	if err := writeDict(path, []byte("two"), false); exitCode(err) != exitUsage {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(path); string(text) != "one" {
		t.Errorf("%q, %v", text, err)
	}
	if err := writeDict(path, []byte("two"), true); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); string(text) != "two" {
		t.Errorf("%q, %v", text, err)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
}

// writePages makes a file of pages of text, and a part of one; the names give different ones.
func writePages(t *testing.T, dir, name string, pages int) string {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(name[0]), 1))
	var text []byte
	for len(text) < pages*4096+100 {
		text = fmt.Appendf(text, "station=%05d state=%s pressure=%d.%d remark=%x\n", r.IntN(1e5), []string{"open", "closed", "being repaired"}[r.IntN(3)],
			r.IntN(2000), r.IntN(10), r.Uint32())
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text[:pages*4096+100], 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
