package lint

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var markdownLink = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)

// brokenLinks returns the relative links of a Markdown file that lead nowhere.
func brokenLinks(path string, text []byte) (broken []string) {
	for _, m := range markdownLink.FindAllSubmatch(text, -1) {
		link := string(m[1])
		if strings.Contains(link, "://") {
			continue
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), link)); err != nil {
			broken = append(broken, link)
		}
	}
	return broken
}

func TestDocumentLinks(t *testing.T) {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := moduleRoot(wd)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(p) != ".md" {
			return err
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		seen++
		for _, link := range brokenLinks(p, text) {
			t.Errorf("%s: %s is not there", p, link)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 5 {
		t.Errorf("%d Markdown files found: the walk looks in the wrong place", seen)
	}
}

func TestBrokenLinksAreFound(t *testing.T) {
	text := []byte("[a](no-such-file.md) [b](links_test.go#top) [c](https://example.org/x)")
	if got := brokenLinks("here.md", text); len(got) != 1 || got[0] != "no-such-file.md" {
		t.Errorf("broken links %q, want only no-such-file.md", got)
	}
}
