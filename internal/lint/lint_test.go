package lint

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func loadTree(t *testing.T) []*file {
	t.Helper()
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := moduleRoot(wd)
	if err != nil {
		t.Fatal(err)
	}
	files, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTree(t *testing.T) {
	files := loadTree(t)
	for name, rule := range fileRules {
		t.Run(name, func(t *testing.T) {
			for _, f := range files {
				for _, finding := range rule(f) {
					t.Error(finding)
				}
			}
		})
	}
	t.Run("doc", func(t *testing.T) {
		dirs, byDir := packages(files)
		for _, dir := range dirs {
			for _, finding := range checkDoc(dir, byDir[dir]) {
				t.Error(finding)
			}
		}
	})
}

// A rule is worth what it rejects.
func TestRulesReject(t *testing.T) {
	long := "package a\n" + strings.Repeat("\n", maxFileLines)
	longFunc := "package a\nfunc f() {\n" + strings.Repeat("\n", maxFunctionLines) + "}\n"
	tests := []struct {
		rule, path, src string
	}{
		{"imports", "alloc/a.go", `import "uzram/store"`},
		{"imports", "compress/a.go", `import "uzram/alloc"`},
		{"imports", "store/a.go", `import "uzram/fusefs"`},
		{"imports", "fusefs/a.go", `import "uzram/alloc"`},
		{"imports", "internal/park/a.go", `import "uzram/store"`},
		{"imports", "test/e2e/a_test.go", `import "uzram/store"`},
		{"imports", "somewhere/new/a.go", `import "uzram/store"`},
		{"imports", "store/a.go", `import "github.com/klauspost/compress/zstd"`},
		{"imports", "compress/a.go", `import "github.com/nobody/knows"`},
		{"unsafe", "store/a.go", `var p unsafe.Pointer`},
		{"unsafe", "store/a_test.go", `var p = unsafe.Slice(q, 1)`},
		{"skips", "store/a_test.go", `func f(t *testing.T) { t.Skip("not here") }`},
		{"skips", "store/b_test.go", `func f(b *testing.B) { b.SkipNow() }`},
		{"rawopen", "fusefs/a.go", `func f() { os.Open("image") }`},
		{"rawopen", "internal/loopdev/a.go", `func f() { os.OpenFile("image", 0, 0) }`},
		{"size", "store/a.go", long},
		{"size", "store/a.go", longFunc},
	}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%s/%d", tt.rule, i), func(t *testing.T) {
			if found := fileRules[tt.rule](parseSample(t, tt.path, tt.src)); len(found) != 1 {
				t.Errorf("%d findings, want 1: %q", len(found), found)
			}
		})
	}
	t.Run("doc", func(t *testing.T) {
		none := []*file{parseSample(t, "store/a.go", "var x int")}
		bare := []*file{parseSample(t, "store/doc.go", "var x int")}
		for _, files := range [][]*file{none, bare} {
			if found := checkDoc("store", files); len(found) != 1 {
				t.Errorf("%s: %d findings, want 1: %q", files[0].path, len(found), found)
			}
		}
	})
}

// What is allowed must stay allowed, or the tree test fails for no reason.
func TestRulesAccept(t *testing.T) {
	tests := []struct {
		rule, path, src string
	}{
		{"imports", "store/a.go", "import (\n\"fmt\"\n\"uzram/alloc\"\n\"uzram/internal/park\"\n)"},
		{"imports", "store/a_test.go", `import "uzram/store"`},
		{"imports", "compress/a.go", `import "github.com/klauspost/compress/zstd"`},
		{"imports", "fusefs/a.go", `import "github.com/hanwen/go-fuse/v2/fs"`},
		{"unsafe", "store/table_unsafe.go", `var p unsafe.Pointer`},
		{"unsafe", "internal/offheap/a.go", `var p unsafe.Pointer`},
		{"unsafe", "store/a.go", `var n = unsafe.Sizeof(x)`},
		{"rawopen", "fusefs/a_test.go", `func f() { os.Open("/proc/self/fd") }`},
		{"rawopen", "fusefs/a.go", `func f() { os.ReadFile("/proc/mounts") }`},
	}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%s/%d", tt.rule, i), func(t *testing.T) {
			if found := fileRules[tt.rule](parseSample(t, tt.path, tt.src)); len(found) != 0 {
				t.Errorf("findings: %q", found)
			}
		})
	}
}

// parseSample parses a snippet; its package clause may be left out.
func parseSample(t *testing.T, path, src string) *file {
	t.Helper()
	if !strings.HasPrefix(src, "package ") {
		src = "package a\n" + src
	}
	f, err := parse(path, []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
