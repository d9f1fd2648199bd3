package failpoint_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"uzram/internal/failpoint"
)

// TestSteps: each constant has one row, ascending, with a name that texts can
// have and words in every column.
func TestSteps(t *testing.T) {
	declared := declaredPoints(t)
	last := failpoint.Point(0)
	names := map[string]bool{}
	for _, s := range failpoint.Steps() {
		if s.Point <= last {
			t.Errorf("%s has number %d, after %d", s.Name, s.Point, last)
		}
		last = s.Point
		if names[s.Name] || strings.ContainsAny(s.Name, " ,:=+") || s.Name == "" {
			t.Errorf("%d has the name %q, which is taken or none", s.Point, s.Name)
		}
		names[s.Name] = true
		if s.Path == "" || s.State == "" || s.Then == "" {
			t.Errorf("%s says too little: %+v", s.Name, s)
		}
		if found, ok := failpoint.Lookup(s.Name); !ok || found != s.Point || s.Point.Name() != s.Name {
			t.Errorf("%s is found as %d, %d is called %q", s.Name, found, s.Point, s.Point.Name())
		}
		delete(declared, s.Point)
	}
	for p, name := range declared {
		t.Errorf("%s, number %d, has no row", name, p)
	}
	if _, ok := failpoint.Lookup("nothing-done"); ok {
		t.Error("a point that is none was found")
	}
	if name := failpoint.Point(0).Name(); name != "" {
		t.Errorf("point 0 is called %q", name)
	}
}

// declaredPoints reads point.go: what is declared of type Point.
func declaredPoints(t *testing.T) map[failpoint.Point]string {
	f, err := parser.ParseFile(token.NewFileSet(), "point.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[failpoint.Point]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "Point" {
			return true
		}
		number, err := strconv.Atoi(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		p := failpoint.Point(number)
		if other := found[p]; other != "" {
			t.Errorf("%s and %s have number %d", other, spec.Names[0], number)
		}
		found[p] = spec.Names[0].Name
		return true
	})
	if len(found) < 80 {
		t.Fatalf("point.go declares %d points", len(found))
	}
	return found
}

// TestEveryPointIsSomewhere: each is named in the code of some package.
func TestEveryPointIsSomewhere(t *testing.T) {
	used := map[string]bool{}
	mark := regexp.MustCompile(`failpoint\.(?:Hit|Error|Cut)\(failpoint\.(\w+)`)
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range mark.FindAllSubmatch(text, -1) {
			used[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for p, name := range declaredPoints(t) {
		if !used[name] {
			t.Errorf("nobody comes by %s, number %d", name, p)
		}
	}
}

// TestNormalBuildHasNone: the binary that users get has no trace of the
// package, and the one with the tag has.
func TestNormalBuildHasNone(t *testing.T) {
	for _, tags := range []string{"", "failpoints"} {
		bin := filepath.Join(t.TempDir(), "uzram")
		output(t, "go", "build", "-buildvcs=false", "-tags", tags, "-o", bin, "uzram/cmd/uzram")
		symbols := strings.Count(output(t, "go", "tool", "nm", bin), " uzram/internal/failpoint")
		if (symbols > 0) != (tags != "") {
			t.Errorf("with tags %q the binary has %d symbols of the package", tags, symbols)
		}
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	text, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, text)
	}
	return string(text)
}

func TestParse(t *testing.T) {
	for _, text := range []string{
		"write-locked=kill", "write-locked:3=kill", "write-locked:3+=stall:20ms,backing-read=error", "memory+=error:ENOMEM\nconn-read=short", "",
	} {
		if _, err := failpoint.Parse(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{
		"write-locked", "write-locke=kill", "write-locked:0=kill", "write-locked:=kill", "write-locked:x=kill", "=kill",
		"write-locked=die", "write-locked=kill:1", "write-locked=stall:-1s", "write-locked=stall:x", "write-locked=error:EWHAT", "write-locked=short:2",
	} {
		if o, err := failpoint.Parse(text); err == nil {
			t.Errorf("%q was taken for %+v", text, o)
		}
	}
}
