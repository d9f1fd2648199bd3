package zramabi

import (
	"errors"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestParseRecompress(t *testing.T) {
	for text, want := range map[string]Recompress{
		"":                                   {},
		" \n":                                {},
		"type=idle":                          {Idle: true},
		"type=huge\n":                        {Huge: true},
		"type=idle type=huge_idle":           {Idle: true, Huge: true},
		"type=huge_idle type=idle":           {Idle: true},
		"threshold=3000 max_pages=0":         {Threshold: 3000, HasMaxPages: true},
		"threshold=4294967295":               {Threshold: math.MaxUint32},
		"max_pages=18446744073709551615":     {MaxPages: math.MaxUint64, HasMaxPages: true},
		`priority=-1 algo="zstd" some=thing`: {Priority: Optional{-1, true}, Algo: "zstd"},
	} {
		if got, err := ParseRecompress(text); got != want || err != nil {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]error{
		"idle": syscall.EINVAL, "type=": syscall.EINVAL, "type=foo": syscall.EINVAL, "type=IDLE": syscall.EINVAL,
		"type=incompressible": syscall.EINVAL, "threshold=abc": syscall.EINVAL, "threshold=-1": syscall.EINVAL,
		"threshold=1K": syscall.EINVAL, "threshold=4294967296": syscall.ERANGE, "max_pages=x": syscall.EINVAL,
		"max_pages=18446744073709551616": syscall.ERANGE, "priority=x": syscall.EINVAL, "priority=2147483648": syscall.ERANGE,
		"type=huge foo": syscall.EINVAL, "algo=": syscall.EINVAL,
	} {
		if got, err := ParseRecompress(text); !errors.Is(err, want) || got != (Recompress{}) {
			t.Errorf("%q: %+v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseRecompAlgorithms(t *testing.T) {
	all := Algorithms{Names: []string{"lz4", "zstd"}, Selected: "zstd"}
	text := string(AppendRecompAlgorithms(AppendRecompAlgorithms(nil, 1, all), 3, Algorithms{Names: all.Names, Selected: "lz4"}))
	want := []RecompAlgorithm{{"zstd", 1}, {"lz4", 3}}
	for _, s := range []string{text, strings.ReplaceAll(text, "\n", "\n\x00\x00\x00\x00")} {
		if got, err := ParseRecompAlgorithms(s); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", s, got, err, want)
		}
	}
	if got, err := ParseRecompAlgorithms(""); err != nil || got != nil {
		t.Errorf("none: %v, %v", got, err)
	}
	for _, s := range []string{"\n", "#1\n", "1: [lz4]\n", "#x: [lz4]\n", "#1: lz4\n", text + "x"} {
		if got, err := ParseRecompAlgorithms(s); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%q: %v, %v; want EINVAL", s, got, err)
		}
	}
}

func TestParseRecompAlgorithm(t *testing.T) {
	for text, want := range map[string]RecompAlgorithm{
		"algo=zstd":                  {"zstd", 1},
		"priority=3 algo=lz4\n":      {"lz4", 3},
		"algo=a priority=-7 algo=b":  {"b", -7},
		"algo=zstd ignored=whatever": {"zstd", 1},
	} {
		if got, err := ParseRecompAlgorithm(text); got != want || err != nil {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]error{
		"": syscall.EINVAL, "priority=1": syscall.EINVAL, "zstd": syscall.EINVAL, "algo= priority=1": syscall.EINVAL,
		"algo=zstd priority=x": syscall.EINVAL, "algo=zstd priority=99999999999": syscall.ERANGE,
		"algo=" + strings.Repeat("x", 128): syscall.E2BIG,
	} {
		if got, err := ParseRecompAlgorithm(text); !errors.Is(err, want) || got != (RecompAlgorithm{}) {
			t.Errorf("%q: %+v, %v; want %v", text, got, err, want)
		}
	}
}

func TestAppendRecompAlgorithms(t *testing.T) {
	a := Algorithms{Names: []string{"lz4", "zstd"}, Selected: "zstd"}
	if got, want := string(AppendRecompAlgorithms([]byte("x"), 2, a)), "x#2: lz4 [zstd] \n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
