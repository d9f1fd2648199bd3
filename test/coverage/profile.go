package main

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"golang.org/x/tools/cover"
)

// block is a stretch of statements that are executed together.
type block struct {
	file     string // as profiles name it: import path and base name
	from, to [2]int // line and column
}

// merged is what several profiles say together of the same code.
type merged map[block]struct {
	statements int
	covered    bool
}

func merge(profiles []string) (merged, error) {
	all := merged{}
	for _, name := range profiles {
		list, err := cover.ParseProfiles(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, p := range list {
			for _, b := range p.Blocks {
				key := block{p.FileName, [2]int{b.StartLine, b.StartCol}, [2]int{b.EndLine, b.EndCol}}
				m := all[key]
				m.statements = b.NumStmt
				m.covered = m.covered || b.Count > 0
				all[key] = m
			}
		}
	}
	return all, nil
}

// share is how much of one package is covered.
type share struct {
	name                string
	statements, covered int
}

func (s share) percent() float64 { return 100 * float64(s.covered) / float64(s.statements) }

func (m merged) shares() []share {
	byName := map[string]*share{}
	for b, c := range m {
		name := path.Dir(b.file)
		if byName[name] == nil {
			byName[name] = &share{name: name}
		}
		byName[name].statements += c.statements
		if c.covered {
			byName[name].covered += c.statements
		}
	}
	var list []share
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list = append(list, *byName[name])
	}
	return list
}
