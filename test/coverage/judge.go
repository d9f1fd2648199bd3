package main

import (
	"bufio"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// module is the import path that file names in profiles begin with.
const module = "uzram/"

// place is a function in a file, both as the table of reasons has them.
type place struct{ file, function string }

// judge prints each package's share and returns what is wrong.
func judge(w io.Writer, root, reasons string, least float64, profiles []string) (complaints []string, err error) {
	m, err := merge(profiles)
	if err != nil {
		return nil, err
	}
	for _, s := range m.shares() {
		fmt.Fprintf(w, "%s: %.1f %% of %d statements\n", s.name, s.percent(), s.statements)
		if s.percent() < least {
			complaints = append(complaints, fmt.Sprintf("%s: %.1f %% is less than %v %%", s.name, s.percent(), least))
		}
	}
	open, err := uncovered(root, m)
	if err != nil {
		return nil, err
	}
	given, err := readReasons(reasons)
	if err != nil {
		return nil, err
	}
	for _, p := range sorted(open) {
		switch n, known := given[p]; {
		case len(open[p]) == 0:
		case !known:
			complaints = append(complaints, fmt.Sprintf("%s: %s is not covered (lines %s), and %s does not say why", p.file, p.function, lines(open[p]), reasons))
		case n < len(open[p]):
			complaints = append(complaints, fmt.Sprintf("%s: %s has %d blocks that are not covered (lines %s), %s has reasons for %d", p.file, p.function, len(open[p]), lines(open[p]), reasons, n))
		}
	}
	for _, p := range sorted(given) {
		if _, there := open[p]; !there {
			complaints = append(complaints, fmt.Sprintf("%s: there is no %s; take it out of %s", p.file, p.function, reasons))
		}
	}
	return complaints, nil
}

func sorted[V any](m map[place]V) []place {
	return slices.SortedFunc(maps.Keys(m), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.function, b.function))
	})
}

func lines(blocks []block) string {
	slices.SortFunc(blocks, func(a, b block) int { return cmp.Compare(a.from[0], b.from[0]) })
	var list []string
	for _, b := range blocks {
		list = append(list, strconv.Itoa(b.from[0]))
	}
	return strings.Join(list, ", ")
}

// uncovered is the blocks that are not covered, by the functions they are in. A
// function without any has an empty list.
func uncovered(root string, m merged) (map[place][]block, error) {
	found := map[place][]block{}
	files := map[string]*ast.File{}
	set := token.NewFileSet()
	for b, c := range m {
		f, err := parsed(files, set, root, b.file)
		if err != nil {
			return nil, err
		}
		p := place{strings.TrimPrefix(b.file, module), functionAt(set, f, b.from[0])}
		blocks := found[p]
		if !c.covered && c.statements > 0 {
			blocks = append(blocks, b)
		}
		found[p] = blocks
	}
	return found, nil
}

// parsed is the syntax of a file that profiles call name, kept in files.
func parsed(files map[string]*ast.File, set *token.FileSet, root, name string) (*ast.File, error) {
	if f := files[name]; f != nil {
		return f, nil
	}
	f, err := parser.ParseFile(set, filepath.Join(root, strings.TrimPrefix(name, module)), nil, parser.SkipObjectResolution)
	files[name] = f
	return f, err
}

// functionAt is the function that a line of a file is in: name or Type.name.
func functionAt(set *token.FileSet, f *ast.File, line int) string {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || line < set.Position(fn.Pos()).Line || line > set.Position(fn.End()).Line {
			continue
		}
		if fn.Recv == nil {
			return fn.Name.Name
		}
		t := fn.Recv.List[0].Type
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		if id, ok := t.(*ast.Ident); ok {
			return id.Name + "." + fn.Name.Name
		}
		return fn.Name.Name
	}
	return "?"
}

// readReasons reads the rows "| file | function | blocks | why |" of a table.
func readReasons(name string) (map[place]int, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	given := map[place]int{}
	for in := bufio.NewScanner(f); in.Scan(); {
		cells := strings.Split(in.Text(), "|")
		if len(cells) != 6 {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " `")
		}
		n, err := strconv.Atoi(cells[3])
		if err != nil {
			continue
		}
		if cells[4] == "" {
			return nil, fmt.Errorf("%s: %s of %s: the reason is missing", name, cells[2], cells[1])
		}
		given[place{cells[1], cells[2]}] = n
	}
	return given, nil
}
