//go:build clib

package compress

import (
	"testing"

	"uzram/internal/clib"
)

// deflateMemLevel is the kernel's, which cannot be set.
const deflateMemLevel = 8

// peer opens C's codec for the same algorithm and parameters, or fails where C
// has none.
func (v variant) peer(t testing.TB) *clib.Codec {
	t.Helper()
	own, ok := Lookup(v.codec)
	if !ok {
		t.Fatalf("no codec %q", v.codec)
	}
	p := own.(*codec).rule.fill(v.params)
	open := map[string]func() *clib.Codec{
		"lzo":     clib.NewLZO,
		"lzo-rle": clib.NewLZO,
		"lz4":     func() *clib.Codec { return clib.NewLZ4Dict(int(p.Level), p.Dict) },
		"lz4hc":   func() *clib.Codec { return clib.NewLZ4HCDict(int(p.Level), p.Dict) },
		"zstd":    func() *clib.Codec { return clib.NewZstd(int(p.Level), p.Dict) },
		"deflate": func() *clib.Codec { return clib.NewZlib(int(p.Level), int(p.WinBits), deflateMemLevel) },
	}[v.codec]
	if open == nil {
		t.Fatalf("C has no %s", v.codec)
	}
	c := open()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}
