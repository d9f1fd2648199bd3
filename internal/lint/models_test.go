package lint

import (
	"bytes"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// docs/design/0007 says in tables which functions a model stands for, and which
// of their lines are its steps. Each row is what stands in the model, then a
// file with functions of it, then lines that must be in their source.

const modelsDocument = "docs/design/0007-models.md"

var (
	modelHeading = regexp.MustCompile(`^#### (\w+\.pml)$`)
	backticked   = regexp.MustCompile("`([^`]+)`")
	pipe         = strings.NewReplacer(`\|`, "|")
)

// modelRow is one line of a table.
type modelRow struct {
	model              string // file name
	steps              []string
	path               string
	functions, snippet []string
}

// modelRows reads the tables of a document.
func modelRows(text string) (rows []modelRow) {
	model := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			model = ""
			if m := modelHeading.FindStringSubmatch(line); m != nil {
				model = m[1]
			}
		}
		if model == "" || !strings.HasPrefix(line, "| `") {
			continue
		}
		var cells [3][]string
		for i, cell := range strings.SplitN(strings.Trim(line, "|"), " | ", len(cells)) {
			for _, m := range backticked.FindAllStringSubmatch(cell, -1) {
				cells[i] = append(cells[i], pipe.Replace(m[1]))
			}
		}
		row := modelRow{model: model, steps: cells[0], snippet: cells[2]}
		if len(cells[1]) > 0 {
			row.path, row.functions = cells[1][0], cells[1][1:]
		}
		rows = append(rows, row)
	}
	return rows
}

// wrong is what a row says that is not so, read being how to get a file.
func (r modelRow) wrong(read func(path string) ([]byte, error)) (findings []string) {
	add := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
	model, err := read("test/model/" + r.model)
	if err != nil {
		return []string{err.Error()}
	}
	for _, step := range r.steps {
		if !regexp.MustCompile(`(?m)^(inline|proctype) ` + step + `\(`).Match(model) {
			add("%s has no %s", r.model, step)
		}
	}
	src, err := read(r.path)
	if err != nil {
		return append(findings, err.Error())
	}
	bodies, err := functionSources(r.path, src)
	if err != nil {
		return append(findings, err.Error())
	}
	var all strings.Builder
	for _, name := range r.functions {
		body, ok := bodies[name]
		if !ok {
			add("%s has no %s", r.path, name)
		}
		all.WriteString(body)
	}
	for _, s := range r.snippet {
		if !strings.Contains(all.String(), s) {
			add("%s %s: no %s there", r.path, strings.Join(r.functions, ", "), s)
		}
	}
	if len(r.steps) == 0 || len(r.functions) == 0 || len(r.snippet) == 0 {
		add("%s: a row without steps, functions or lines", r.model)
	}
	return findings
}

// functionSources is the source of a file's functions, methods as Type.Name.
func functionSources(path string, src []byte) (map[string]string, error) {
	f, err := parse(path, src)
	if err != nil {
		return nil, err
	}
	bodies := make(map[string]string)
	for _, decl := range f.ast.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		name := fn.Name.Name
		if fn.Recv != nil {
			name = receiver(fn.Recv.List[0].Type) + "." + name
		}
		from, to := f.fset.Position(fn.Pos()).Offset, f.fset.Position(fn.End()).Offset
		bodies[name] = string(src[from:to])
	}
	return bodies, nil
}

func receiver(e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// treeReader reads files of the module.
func treeReader(t *testing.T) func(path string) ([]byte, error) {
	t.Helper()
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := moduleRoot(wd)
	if err != nil {
		t.Fatal(err)
	}
	return func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(root, filepath.FromSlash(path))) }
}

func TestModelsCorrespond(t *testing.T) {
	read := treeReader(t)
	text, err := read(modelsDocument)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, row := range modelRows(string(text)) {
		rows[row.model]++
		for _, finding := range row.wrong(read) {
			t.Error(finding)
		}
	}
	for _, model := range []string{"slotlock.pml", "slot.pml", "reserve.pml", "reset.pml"} {
		if rows[model] < 5 {
			t.Errorf("%d rows for %s: the reader of the tables is blind", rows[model], model)
		}
	}
}

// Each mutation of a model is one that scripts/model.sh runs, and is run once.
func TestModelMutationsAreRun(t *testing.T) {
	read := treeReader(t)
	script, err := read("scripts/model.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{"slotlock", "slot", "reserve", "reset"} {
		text, err := read("test/model/" + model + ".pml")
		if err != nil {
			t.Fatal(err)
		}
		if run, is := strings.Join(runs(script, model), " "), strings.Join(mutations(text), " "); run != is {
			t.Errorf("%s: run are mutations %s, there are %s", model, run, is)
		}
	}
}

var mutation = regexp.MustCompile(`\bM(\d+)\b`)

// mutations is the numbers that conditional lines of a model name, ascending.
func mutations(model []byte) (numbers []string) {
	seen := map[string]bool{}
	for line := range bytes.Lines(model) {
		if !bytes.HasPrefix(line, []byte("#if")) {
			continue
		}
		for _, m := range mutation.FindAllSubmatch(line, -1) {
			if n := string(m[1]); !seen[n] {
				seen[n] = true
				numbers = append(numbers, n)
			}
		}
	}
	sortNumbers(numbers)
	return numbers
}

// runs is the mutations of a model that the script runs, ascending.
func runs(script []byte, model string) (numbers []string) {
	for line := range strings.Lines(string(script)) {
		if f := strings.Fields(line); len(f) > 3 && f[0] == model && (f[2] == "safety" || f[2] == "cycles") {
			numbers = append(numbers, f[3:]...)
		}
	}
	sortNumbers(numbers)
	return numbers
}

func sortNumbers(n []string) {
	sort.Slice(n, func(i, j int) bool { return len(n[i]) < len(n[j]) || len(n[i]) == len(n[j]) && n[i] < n[j] })
}

// A row that says something wrong must be found out.
func TestModelRowsReject(t *testing.T) {
	files := map[string]string{
		"test/model/a.pml": "inline lock() { skip }\n",
		"a/a.go":           "package a\nfunc (r *R) F() { x.Store(1 | 2) }\nfunc g() { y() }\n",
	}
	read := func(path string) ([]byte, error) {
		text, ok := files[path]
		if !ok {
			return nil, os.ErrNotExist
		}
		return []byte(text), nil
	}
	tests := []struct {
		row   string
		wrong int
	}{
		{"| `lock` | `a/a.go` `R.F` | `x.Store(1 \\| 2)` |", 0},
		{"| `unlock` | `a/a.go` `R.F` | `x.Store(1 \\| 2)` |", 1},
		{"| `lock` | `a/a.go` `F` | `x.Store(1 \\| 2)` |", 2},
		{"| `lock` | `a/a.go` `R.F` | `y()` |", 1},
		{"| `lock` | `a/b.go` `R.F` | `y()` |", 1},
		{"| `lock` | `a/a.go` `R.F` | none |", 1},
	}
	for _, tt := range tests {
		rows := modelRows("#### a.pml\n" + tt.row + "\n")
		if len(rows) != 1 {
			t.Fatalf("%s: %d rows", tt.row, len(rows))
		}
		if found := rows[0].wrong(read); len(found) != tt.wrong {
			t.Errorf("%s: findings %q, want %d", tt.row, found, tt.wrong)
		}
	}
	if got := mutations([]byte("#ifdef M10\n#if defined(M2) || M10\n/* M3 */\n")); strings.Join(got, " ") != "2 10" {
		t.Errorf("mutations %q", got)
	}
}
