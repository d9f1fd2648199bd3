package zramabi

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "1": 1, "4096": 4096, "64K": 64 << 10, "64k": 64 << 10, "1M": 1 << 20, "1g": 1 << 30, "2T": 2 << 40, "1P": 1 << 50, "1E": 1 << 60,
		"64Kfoo": 64 << 10, "64KB": 64 << 10, "64KiB": 64 << 10, "65536xyz": 65536, "64 K": 64, "8192\nrest\n": 8192, "5\n": 5,
		"0x10000": 65536, "0X1fK": 31 << 10, "0200000": 65536, "08": 0, "0xg": 0, "0x": 0, "1.5G": 1,
		"16E": math.MaxUint64, "18446744073709551615": math.MaxUint64, "18446744073709551616": math.MaxUint64,
		"99999999999999999999999": math.MaxUint64, "17179869184G": math.MaxUint64, "0E": 0,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "\n", "K", " 1", "-1", "+1", "abc", "=1"} {
		if got, err := ParseSize(text); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%q: %d, %v; want EINVAL", text, got, err)
		}
	}
}

func TestParseUnsigned(t *testing.T) {
	const (
		inval = syscall.EINVAL
		rnge  = syscall.ERANGE
	)
	for _, c := range []struct {
		text     string
		bits     int
		u10, u0  uint64
		e10, err error // of ParseU10 and of ParseU0
	}{
		{"1", 16, 1, 1, nil, nil},
		{"1\n", 16, 1, 1, nil, nil},
		{"+2", 16, 2, 2, nil, nil},
		{"65535", 16, 65535, 65535, nil, nil},
		{"65536", 16, 0, 0, rnge, rnge},
		{"010", 16, 10, 8, nil, nil},
		{"00", 16, 0, 0, nil, nil},
		{"0x10", 16, 0, 16, inval, nil},
		{"09", 16, 9, 0, nil, inval},
		{"0x", 16, 0, 0, inval, inval},
		{"18446744073709551615", 64, math.MaxUint64, math.MaxUint64, nil, nil},
		{"18446744073709551616", 64, 0, 0, rnge, rnge},
		{"99999999999999999999999999", 64, 0, 0, rnge, rnge},
		{"", 32, 0, 0, inval, inval},
		{"\n", 32, 0, 0, inval, inval},
		{"1\n\n", 32, 0, 0, inval, inval},
		{" 1", 32, 0, 0, inval, inval},
		{"1 ", 32, 0, 0, inval, inval},
		{"-1", 32, 0, 0, inval, inval},
		{"-0", 32, 0, 0, inval, inval},
		{"++1", 32, 0, 0, inval, inval},
		{"+", 32, 0, 0, inval, inval},
		{"1K", 32, 0, 0, inval, inval},
	} {
		if n, err := ParseU10(c.text, c.bits); n != c.u10 || !errors.Is(err, c.e10) {
			t.Errorf("u10 %q: %d, %v; want %d, %v", c.text, n, err, c.u10, c.e10)
		}
		if n, err := ParseU0(c.text, c.bits); n != c.u0 || !errors.Is(err, c.err) {
			t.Errorf("u0 %q: %d, %v; want %d, %v", c.text, n, err, c.u0, c.err)
		}
	}
}

func TestParseBool(t *testing.T) {
	for text, want := range map[string]bool{
		"1": true, "y": true, "Yes": true, "t": true, "TRUE": true, "enable": true, "on": true, "On\n": true,
		"0": false, "n": false, "No": false, "false": false, "disable": false, "off": false, "OF": false, "1x": true,
	} {
		if got, err := ParseBool(text); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "\n", "2", "o", "ox", " 1", "-"} {
		if _, err := ParseBool(text); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%q: %v, want EINVAL", text, err)
		}
	}
}

func TestParseName(t *testing.T) {
	for text, want := range map[string]string{"lz4": "lz4", "lz4\n": "lz4", "lz4\n\n": "lz4\n", " lz4": " lz4", "": ""} {
		if got, err := ParseName(text); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := ParseName(strings.Repeat("x", 127)); err != nil {
		t.Error(err)
	}
	if _, err := ParseName(strings.Repeat("x", 127) + "\n"); !errors.Is(err, syscall.E2BIG) {
		t.Errorf("128 bytes: %v, want E2BIG", err)
	}
}

func TestParseAlgorithmParams(t *testing.T) {
	given := func(n int32) Optional { return Optional{n, true} }
	for text, want := range map[string]AlgorithmParams{
		"":                                 {},
		"\n":                               {},
		"  level=1  \n":                    {Level: given(1)},
		`level="1"`:                        {Level: given(1)},
		`"level=1"`:                        {Level: given(1)},
		"level=3 level=1":                  {Level: given(1)},
		"level=-7\tpriority=+2":            {Level: given(-7), Priority: given(2)},
		"foo=bar level=2":                  {Level: given(2)},
		`algo="zstd" dict="/a b/c"`:        {Algo: "zstd", Dict: "/a b/c"},
		`"dict=/a b" deflate.winbits=-11`:  {Dict: "/a b", WinBits: given(-11)},
		"level=-2147483648":                {Level: given(math.MinInt32)},
		`dict="unclosed and on priority=2`: {Dict: "unclosed and on priority=2"},
	} {
		got, err := ParseAlgorithmParams(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
		again, err := ParseAlgorithmParams(want.String())
		if err != nil || again != want {
			t.Errorf("%q is read back as %+v, %v", want.String(), again, err)
		}
	}
	for text, want := range map[string]error{
		"level": syscall.EINVAL, "level=": syscall.EINVAL, "=1": syscall.EINVAL, "level= 1": syscall.EINVAL, "level=1 foo": syscall.EINVAL,
		"level=abc": syscall.EINVAL, "level=1.5": syscall.EINVAL, "level=0x1": syscall.EINVAL, "level=--1": syscall.EINVAL, "level=-+1": syscall.EINVAL,
		"algo=": syscall.EINVAL, `algo=""`: syscall.EINVAL, "level=-": syscall.EINVAL, "priority=x": syscall.EINVAL,
		"level=99999999999": syscall.ERANGE, "level=2147483648": syscall.ERANGE, "level=-2147483649": syscall.ERANGE, "priority=99999999999999999999": syscall.ERANGE,
	} {
		if got, err := ParseAlgorithmParams(text); !errors.Is(err, want) {
			t.Errorf("%q: %+v, %v; want %v", text, got, err, want)
		}
	}
}

func TestAttributeTables(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range append(append([]Attr(nil), Device...), Debug...) {
		if seen[a.Name] || a.Doc == "" || a.Mode&^0o777 != 0 || !a.Readable() && !a.Writable() {
			t.Errorf("bad row %+v", a)
		}
		seen[a.Name] = true
		if got, ok := Lookup(a.Name); !ok || !reflect.DeepEqual(got, a) {
			t.Errorf("Lookup(%q) = %+v, %v", a.Name, got, ok)
		}
	}
	if _, ok := Lookup("nothing"); ok {
		t.Error("there is no attribute called nothing")
	}
}
