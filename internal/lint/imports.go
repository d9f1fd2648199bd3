package lint

import "strings"

const module = "uzram/"

// arrows says, for each package or group of packages, which others of this
// module it may import. The first row that matches a directory counts. A
// pattern is a directory, or a prefix that ends in "/" for all below it.
var arrows = []struct {
	from string
	to   []string
}{
	{"alloc", []string{"internal/"}},
	{"compress", []string{"internal/"}},
	{"compress/codectest", []string{"compress"}},
	{"store", []string{"alloc", "compress", "compress/codectest", "internal/"}},
	{"fusefs", []string{"store", "internal/"}},
	{"cmd/uzram", []string{"compress", "fusefs", "store", "internal/"}},
	{"cmd/uzram/", []string{"compress", "internal/"}},
	{"internal/dictionary", []string{"compress", "internal/"}},
	{"internal/", []string{"internal/"}},
	{"scripts/", []string{"internal/"}},
	// The suite drives the built binary; were it to import the engine, it
	// would test something that nobody runs.
	{"test/harness", []string{"internal/"}},
	{"test/e2e", []string{"internal/", "test/harness", "test/internal/"}},
	{"test/clients", []string{"internal/", "test/harness"}},
	{"test/crash", []string{"internal/", "test/harness"}},
	{"test/soak", []string{"compress", "compress/codectest", "store", "internal/"}},
	{"test/bench", []string{"alloc", "compress", "store", "internal/", "test/"}},
	{"test/bench/", []string{"alloc", "compress", "store", "internal/", "test/"}},
}

// homes says where each dependency may be imported; one that is not listed may
// not be imported at all. The benchmarks have rivals among them.
var homes = []struct {
	dependency string
	in         []string
}{
	{"github.com/anishathalye/porcupine", []string{"store"}},
	{"github.com/expr-lang/expr/", []string{"internal/zramconf"}},
	{"gopkg.in/ini.v1", []string{"internal/zramconf"}},
	{"github.com/hanwen/go-fuse/v2/", []string{"fusefs", "test/bench/", "test/e2e"}},
	{"golang.org/x/tools/cover", []string{"test/coverage"}},
	{"github.com/klauspost/compress/", []string{"compress", "test/bench/"}},
	{"github.com/petermattis/goid", []string{"internal/lockdep"}},
	{"github.com/pierrec/lz4/v4", []string{"compress", "test/bench/"}},
	{"github.com/urfave/cli/v2", []string{"cmd/uzram"}},
	{"github.com/prometheus/procfs/blockdevice", []string{"test/clients"}},
	{"github.com/schollz/progressbar/v3", []string{"cmd/uzram", "scripts/"}},
	{"golang.org/x/sys/unix", []string{"alloc", "store", "fusefs", "cmd/", "internal/", "scripts/", "test/"}},
}

// matches reports whether a directory fits a pattern of the tables above.
func matches(pattern, dir string) bool {
	if strings.HasSuffix(pattern, "/") {
		return strings.HasPrefix(dir+"/", pattern) && dir+"/" != pattern
	}
	return dir == pattern
}

func matchesAny(patterns []string, dir string) bool {
	for _, p := range patterns {
		if matches(p, dir) {
			return true
		}
	}
	return false
}

// checkImports holds a file to both tables.
func checkImports(f *file) (found []string) {
	for _, spec := range f.ast.Imports {
		if problem := importProblem(f.dir(), importPath(spec)); problem != "" {
			found = append(found, f.at(spec.Pos(), "%s", problem))
		}
	}
	return found
}

func importProblem(dir, imported string) string {
	if own, ok := strings.CutPrefix(imported, module); ok {
		// An external test package imports the package that it tests.
		if own == dir || matchesAny(allowed(dir), own) {
			return ""
		}
		return dir + " may not import " + own
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // standard library
	}
	for _, h := range homes {
		if imported == h.dependency || strings.HasSuffix(h.dependency, "/") && strings.HasPrefix(imported, h.dependency) {
			if matchesAny(h.in, dir) {
				return ""
			}
			return dir + " may not import " + imported
		}
	}
	return imported + " is not a known dependency"
}

func allowed(dir string) []string {
	for _, a := range arrows {
		if matches(a.from, dir) {
			return a.to
		}
	}
	return nil
}
