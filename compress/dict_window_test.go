package compress

import (
	"bytes"
	"testing"
)

// TestDictWindow_Place: the end of the dictionary, the page and zeros, whatever
// was there before; moved whenever the dictionary lies elsewhere.
func TestDictWindow_Place(t *testing.T) {
	for _, content := range [][]byte{nil, makePage(kindText, 3000, 1), makePage(kindText, maxDict, 1)} {
		w := dictWindow{content: content, slack: zstdSlack}
		last := -1
		for _, n := range []int{1000, PageSize, 100, 0, maxPage - 2000, maxPage, PageSize, PageSize} {
			page := makePage(kindRandom, n, 2)
			src, start, moved := w.place(page)
			before := min(len(content), maxPage-n)
			want := append(bytes.Clone(content[len(content)-before:]), page...)
			if want = append(want, make([]byte, zstdSlack)...); start != before || !bytes.Equal(src, want) {
				t.Errorf("dictionary of %d bytes, page of %d: begins at %d of %d bytes, or other content", len(content), n, start, len(src))
			}
			if content != nil && start != last && !moved || content == nil && moved {
				t.Errorf("dictionary of %d bytes, page of %d: moved is %v", len(content), n, moved)
			}
			last = start
		}
	}
	page := makePage(kindText, 100, 3)
	if src, start, moved := new(dictWindow).place(page); &src[0] != &page[0] || len(src) != len(page) || start != 0 || moved {
		t.Error("without dictionary and slack the page is copied")
	}
}
