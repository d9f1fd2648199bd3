package main

import (
	"fmt"
	"slices"
	"strings"

	"uzram/compress"
)

// subject is an algorithm with the parameters to measure it by.
type subject struct {
	name      string // of its rows and lines
	algorithm string
	params    compress.Params
	reference *library // one in Go to compare with, nil for none
}

// subjects are measured by default: what the kernel does without parameters,
// and deflate as it is found elsewhere.
var subjects = []subject{
	{name: "lzo-rle", algorithm: "lzo-rle"},
	{name: "lzo", algorithm: "lzo"},
	{name: "lz4", algorithm: "lz4", params: level(1), reference: &pierrecFast},
	{name: "lz4hc", algorithm: "lz4hc", params: level(9), reference: &pierrecHC},
	{name: "zstd", algorithm: "zstd", params: level(3), reference: &klauspostZstd},
	{name: "deflate", algorithm: "deflate", params: window(6, -11)},
	{name: "deflate15", algorithm: "deflate", params: window(6, -15), reference: &stdlibFlate},
	{name: "842", algorithm: "842"},
}

func level(l int32) compress.Params { return compress.Params{Level: l, HasLevel: true} }

func window(l, winBits int32) compress.Params {
	return compress.Params{Level: l, HasLevel: true, WinBits: winBits, HasWinBits: true}
}

// levels says which levels of an algorithm a table over them shows: all, but few
// where they differ little.
var levels = map[string][]int32{
	"lz4":   {1, 2, 3, 4, 6, 8, 12, 16, 32, 64},
	"lz4hc": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16},
	"zstd": {
		-100, -50, -20, -10, -7, -5, -3, -2, -1,
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
	},
	"deflate": {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
}

// chosen returns the subjects of these algorithms.
func chosen(algorithms []string) (some []subject) {
	for _, s := range subjects {
		if slices.Contains(algorithms, s.algorithm) {
			some = append(some, s)
		}
	}
	return some
}

// byLevel returns a subject for each level of an algorithm, named by it.
func byLevel(algorithm string) ([]subject, error) {
	i := slices.IndexFunc(subjects, func(s subject) bool { return s.algorithm == algorithm })
	if i < 0 || levels[algorithm] == nil {
		return nil, fmt.Errorf("%q has no levels; one of %s has", algorithm, strings.Join(leveled(), " "))
	}
	var all []subject
	for _, l := range levels[algorithm] {
		s := subjects[i]
		s.name, s.reference = fmt.Sprint(l), nil
		s.params.Level = l
		all = append(all, s)
	}
	return all, nil
}

// leveled lists the algorithms that have levels.
func leveled() (names []string) {
	for _, name := range compress.Names() {
		if levels[name] != nil {
			names = append(names, name)
		}
	}
	return names
}
