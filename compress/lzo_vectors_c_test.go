//go:build clib

package compress

import (
	"bytes"
	"testing"
)

// TestLZO_VectorsByC has liblzo2 judge the vectors of version 0.
func TestLZO_VectorsByC(t *testing.T) {
	c := variant{codec: "lzo"}.peer(t)
	judged := 0
	for _, v := range readVectors(t, "lzo.txt") {
		if len(v.stream) >= lzoVersioned && v.stream[0] == lzoFirst || v.name == "an end of another length" {
			continue
		}
		page := make([]byte, len(v.page))
		if v.corrupt {
			page = make([]byte, PageSize)
		}
		err := c.Decompress(page, v.stream)
		if v.corrupt != (err != nil) || !v.corrupt && !bytes.Equal(page, v.page) {
			t.Errorf("%s: %v, page % x, want % x", v.name, err, page, v.page)
		}
		judged++
	}
	if judged < 20 {
		t.Errorf("only %d vectors were judged", judged)
	}
}
