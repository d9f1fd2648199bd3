package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const source = `package a

func A(n int) int {
	if n > 0 {
		return 1
	}
	return 0
}

type T struct{}

func (*T) B() {
	println()
}
`

func TestJudge(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("a/a.go", source)
	profile := func(name string, inIf, method string) string {
		return write(name, "mode: set\nuzram/a/a.go:3.19,4.11 1 1\nuzram/a/a.go:4.11,6.3 1 "+inIf+
			"\nuzram/a/a.go:7.2,7.10 1 1\nuzram/a/a.go:12.15,14.2 1 "+method+"\n")
	}
	one, other := profile("one", "0", "0"), profile("other", "1", "0")
	table := func(rows string) string {
		return write("table.md", "| file | function | blocks | why |\n|---|---|---|---|\n"+rows)
	}
	methodRow, ifRow := "| `a/a.go` | `T.B` | 1 | never called |\n", "| `a/a.go` | `A` | 1 | never positive |\n"
	for _, c := range []struct {
		name, rows string
		least      float64
		profiles   []string
		want       []string
	}{
		{"all explained", methodRow + ifRow, 50, []string{one}, nil},
		{"profiles together", methodRow, 75, []string{one, other}, nil},
		{"too little", methodRow + ifRow, 51, []string{one}, []string{"50.0 % is less"}},
		{"no reason", methodRow, 0, []string{one}, []string{"A is not covered (lines 4)"}},
		{"too few reasons", methodRow + strings.Replace(ifRow, "1 |", "0 |", 1), 0, []string{one}, []string{"A has 1 blocks"}},
		{"covered now and then", methodRow + ifRow, 0, []string{one, other}, nil},
		{"reason for nothing", methodRow + ifRow + "| `a/a.go` | `C` | 1 | gone |\n", 0, []string{one}, []string{"there is no C"}},
	} {
		var out strings.Builder
		got, err := judge(&out, root, table(c.rows), c.least, c.profiles)
		if err != nil || len(got) != len(c.want) || !strings.Contains(out.String(), "uzram/a: ") {
			t.Errorf("%s: %q, %v, printed %q; want %q", c.name, got, err, out.String(), c.want)
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], c.want[i]) {
				t.Errorf("%s: %q, want %q", c.name, got[i], c.want[i])
			}
		}
	}
	if _, err := judge(&strings.Builder{}, root, table("| `a/a.go` | `A` | 1 |  |\n"), 0, []string{one}); err == nil {
		t.Error("a row without a reason was taken")
	}
}
