package zramabi

import (
	"errors"
	"reflect"
	"syscall"
	"testing"
)

func TestParseWriteback(t *testing.T) {
	for text, want := range map[string]Writeback{
		"":                          {},
		"  \n":                      {},
		"idle":                      {Idle: true},
		"huge\n":                    {Huge: true},
		"huge_idle":                 {Huge: true, Idle: true},
		"incompressible":            {Incompressible: true},
		"type=incompressible":       {Incompressible: true},
		"type=huge_idle nonsense":   {Huge: true, Idle: true},
		"huge type=foo page_index=": {Huge: true},
		"foo=bar":                   {},
		"foo=bar type=idle":         {Idle: true},
		"page_index=0 page_index=63 page_indexes=10-11": {Ranges: []PageRange{{0, 0}, {63, 63}, {10, 11}}},
		"page_indexes=5-5 huge":                         {Ranges: []PageRange{{5, 5}}},
		"page_index=3 type=idle page_index=99":          {Ranges: []PageRange{{3, 3}}},
	} {
		if got, err := ParseWriteback(text, 64); !reflect.DeepEqual(got, want) || err != nil {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]error{
		"foo": syscall.EINVAL, "HUGE": syscall.EINVAL, "type": syscall.EINVAL, "type=": syscall.EINVAL, "type=foo": syscall.EINVAL,
		"foo=bar type=nosuch": syscall.EINVAL, "huge_": syscall.EINVAL, "page_index=": syscall.EINVAL, "page_index": syscall.EINVAL,
		"page_index=abc": syscall.EINVAL, "page_index=-1": syscall.EINVAL, "page_index=64": syscall.ERANGE,
		"page_index=18446744073709551616": syscall.ERANGE,
		"page_indexes=3":                  syscall.EINVAL, "page_indexes=3-1": syscall.ERANGE, "page_indexes=0-64": syscall.ERANGE,
		"page_indexes=-3": syscall.EINVAL, "page_indexes=1-": syscall.EINVAL, "page_indexes=a-b": syscall.EINVAL, "page_indexes=1-2-3": syscall.EINVAL,
		"page_index=1 page_index=64": syscall.ERANGE, "page_index=1 foo": syscall.EINVAL,
	} {
		if got, err := ParseWriteback(text, 64); !errors.Is(err, want) || !reflect.DeepEqual(got, Writeback{}) {
			t.Errorf("%q: %+v, %v; want %v", text, got, err, want)
		}
	}
}
