package zramconf

import (
	"math"
	"strings"
	"testing"
)

func TestEvaluate(t *testing.T) {
	for text, want := range map[string]float64{
		"500": 500, "1.5e3": 1500, ".5": .5, "1.": 1, "2e-1": .2,
		"500k": 500e3, "2K": 2000, "3M": 3e6, "32G": 32e9, "1T": 1e12, "5m": .005, "1.5u": 1.5e-6, "1µ": 1e-6, "1n": 1e-9, "1p": 1e-12,
		"ram / 2": 512, "min(ram / 2, 4096)": 512, "min(ram, 100, 200)": 100, "max(1, ram)": 1024, "0.75 * ram": 768,
		"min(min(ram, 4096) + max(ram - 4096, 0) / 2, 32 * 1024)": 1024,
		"1 / 3 * 3":      1,
		"7 / 2":          3.5,
		"7.5 % 2":        1.5,
		"2 ^ 10":         1024,
		"2 ^ 3 ^ 2":      512,
		"(1 + 2) * -3":   -9,
		"2 - -1":         3,
		"[1 + 2] * 3":    9,
		"-2 ^ 2 + 8 + 0": -math.Pow(2, 2) + 8,
		"log(100)":       2, "log(2, 8)": 3, "round(2.5)": 3, "round(0.5, 1.3)": 1.5, "int(-1.5)": -1, "ceil(1.1)": 2, "floor(-1.1)": -2,
		"abs(-3)": 3, "sign(-3)": -1, "sin(0)": 0, "e": math.E, "e()": math.E, "pi()": math.Pi, "π": math.Pi,
		"(ram > 512) * 7": 7, "ram < 512": 0, "ram == 1024 && !0": 1, "0 || 0": 0, "two_2 * 2": 4,
	} {
		got, err := evaluate(text, map[string]float64{"ram": 1024, "two_2": 2})
		if err != nil || math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			t.Errorf("%s = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestEvaluate_Refused(t *testing.T) {
	for _, text := range []string{
		"", "1 +", "(1", "1 2", "ram ram", "5x", "5KB", "0x10", "'text'", "[1, 2]", "[]", "{}", "ram.x", "ram ? 1 : 2", "map([1], 1)", "len('x')",
		"min()", "sin(1, 2)", "1 .. 3", "let x = 1; x", "nil", "true", "1; 2", "ram |> abs()", "$env",
	} {
		if got, err := evaluate(text, map[string]float64{"ram": 1024}); err == nil {
			t.Errorf("%q = %v, want an error", text, got)
		}
	}
}

// FuzzEvaluate: no text is worse than an error.
func FuzzEvaluate(f *testing.F) {
	for _, text := range []string{"min(ram / 2, 4096)", "2K ^ -1", "log(2, 8) % π", "((((", "1 .. 3"} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = mebibytes(text, map[string]float64{"ram": 1024})
	})
}

// FuzzAlgorithms: what is read has a name and no brackets.
func FuzzAlgorithms(f *testing.F) {
	f.Add("lz4 zstd(level=3, dict=/d) (type=idle)")
	f.Fuzz(func(t *testing.T, text string) {
		list, _, err := parseAlgorithms(text)
		for _, a := range list {
			if a.Name == "" || strings.ContainsAny(a.Name+a.Params, "()") {
				t.Errorf("%q: %+v, %v", text, a, err)
			}
		}
	})
}
