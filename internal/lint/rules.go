package lint

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// Sizes above which a file or a function is taken apart. Tests may have longer
// functions, for a table is read row by row; so may codecs, whose inner loops
// keep in registers what a call would take from them.
const (
	maxFileLines     = 450
	maxFunctionLines = 60
	maxCodecLines    = 90
)

// checkUnsafe keeps unsafe where a reviewer looks for it. Sizes and offsets are
// constants, and safe.
func checkUnsafe(f *file) (found []string) {
	name := strings.TrimSuffix(strings.TrimSuffix(f.base(), ".go"), "_test")
	if f.dir() == "internal/offheap" || strings.HasSuffix(name, "_unsafe") {
		return nil
	}
	constants := []string{"Sizeof", "Alignof", "Offsetof"}
	selectors(f, func(x, name string, at token.Pos) {
		if x == "unsafe" && !slices.Contains(constants, name) {
			found = append(found, f.at(at, "unsafe.%s outside *_unsafe.go and internal/offheap", name))
		}
	})
	return found
}

// checkSkips: a test that skips itself passes on the one machine that matters.
func checkSkips(f *file) (found []string) {
	selectors(f, func(x, name string, at token.Pos) {
		if slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name) {
			found = append(found, f.at(at, "%s.%s: a missing prerequisite is a failure", x, name))
		}
	})
	return found
}

// rawOnly lists the packages that handle the image, the FUSE connection and
// loop devices.
var rawOnly = []string{"fusefs", "internal/loopdev"}

// checkRawOpen: os.Open registers the descriptor with Go's poller, which for a
// FUSE file, or a loop device on one, asks the daemon itself; and an *os.File
// closes its descriptor when it is collected.
func checkRawOpen(f *file) (found []string) {
	if f.isTest() || !slices.Contains(rawOnly, f.dir()) {
		return nil
	}
	banned := []string{"Open", "OpenFile", "Create", "NewFile"}
	selectors(f, func(x, name string, at token.Pos) {
		if x == "os" && slices.Contains(banned, name) {
			found = append(found, f.at(at, "os.%s here: use unix.Open", name))
		}
	})
	return found
}

// selectors yields each X.Name of a file where X is a plain name.
func selectors(f *file, yield func(x, name string, at token.Pos)) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok {
				yield(x.Name, sel.Sel.Name, sel.Pos())
			}
		}
		return true
	})
}

// checkSize holds files and functions to their limits.
func checkSize(f *file) (found []string) {
	if f.lines > maxFileLines {
		found = append(found, f.at(f.ast.Pos(), "%d lines, at most %d", f.lines, maxFileLines))
	}
	if f.isTest() {
		return found
	}
	most := maxFunctionLines
	if f.dir() == "compress" {
		most = maxCodecLines
	}
	for _, d := range f.ast.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n := f.fset.Position(fn.End()).Line - f.fset.Position(fn.Pos()).Line + 1
		if n > most {
			found = append(found, f.at(fn.Pos(), "function %s has %d lines, at most %d", fn.Name.Name, n, most))
		}
	}
	return found
}

// checkDoc wants the package comment of a package in its doc.go.
func checkDoc(dir string, files []*file) (found []string) {
	for _, f := range files {
		if f.base() == "doc.go" {
			if f.ast.Doc == nil {
				found = append(found, f.at(f.ast.Pos(), "doc.go without a package comment"))
			}
			return found
		}
	}
	return []string{dir + ": no doc.go"}
}

// fileRules are run on each file.
var fileRules = map[string]func(*file) []string{
	"imports": checkImports,
	"unsafe":  checkUnsafe,
	"skips":   checkSkips,
	"rawopen": checkRawOpen,
	"size":    checkSize,
}
