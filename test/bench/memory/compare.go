package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"uzram/alloc"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/undo"
	"uzram/test/internal/zramdev"
)

// life is what one side takes for the corpus, and for the part that is left of
// it.
type life struct {
	algorithm, name         string
	stored                  zramdev.Memory // the whole corpus
	freed, compacted, fresh zramdev.Memory // the rest: after the discards, then compacted; and stored anew
	storedWaste, leftWaste  waste          // ours only
}

// compare stores the corpus on both sides, frees most of it, compacts, and
// stores what is left anew.
func compare(ctx context.Context, o options, data []byte, w, lines io.Writer, cleanup *undo.Stack) error {
	kernel, theirs, reason := addKernel(cleanup)
	ours, err := newEngineSide(1)
	if err != nil {
		return err
	}
	buf, err := directio.Alloc(alloc.PageSize)
	if err != nil {
		return err
	}
	var all []*life
	missing := map[string]string{}
	for _, algorithm := range o.algorithms {
		l := &life{algorithm: algorithm, name: "uzram"}
		if err := l.live(ctx, ours, o, data, buf); err != nil {
			return fmt.Errorf("%s: %w", algorithm, err)
		}
		all = append(all, l)
		if !slices.Contains(theirs, algorithm) {
			missing[algorithm] = reason
			continue
		}
		k := &life{algorithm: algorithm, name: "kernel"}
		if err := k.live(ctx, kernel, o, data, buf); err != nil {
			missing[algorithm] = err.Error()
			continue
		}
		all = append(all, k)
	}
	printLives(w, o, all)
	lifeLines(lines, all, missing)
	return nil
}

// addKernel makes the kernel's side and says which algorithms it has, or why
// there is no such side.
func addKernel(cleanup *undo.Stack) (*kernelSide, []string, string) {
	dev, err := zramdev.Add()
	if err != nil {
		return nil, nil, err.Error()
	}
	cleanup.Push("remove "+dev.Path(), dev.Remove)
	names, err := dev.Algorithms()
	if err != nil {
		return nil, nil, err.Error()
	}
	return &kernelSide{Device: dev}, names, "this kernel does not have the algorithm"
}

// live fills in l from s.
func (l *life) live(ctx context.Context, s side, o options, data, buf []byte) error {
	kept := keep(len(data)/alloc.PageSize, o.free, o.seed)
	if err := l.grow(ctx, s, o, data, buf, kept); err != nil {
		return err
	}
	if err := s.fresh(l.algorithm, int64(len(data))); err != nil {
		return err
	}
	err := eachPage(data, kept, func(off int64, page []byte) error {
		_, err := s.WriteAt(page, off)
		return err
	})
	if err == nil {
		l.fresh, err = s.memory()
	}
	return errors.Join(err, s.done())
}

// grow stores the corpus, frees what is not kept and compacts.
func (l *life) grow(ctx context.Context, s side, o options, data, buf []byte, kept []bool) (err error) {
	if err := s.fresh(l.algorithm, int64(len(data))); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.done()) }()
	if err := directio.Fill(s, data, int64(len(data))); err != nil {
		return err
	}
	if l.stored, err = s.memory(); err != nil {
		return err
	}
	if l.storedWaste, err = wasteOf(s); err != nil {
		return err
	}
	for _, page := range order(len(kept), o.seed) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if kept[page] {
			continue
		}
		if err := s.discard(int64(page)*alloc.PageSize, alloc.PageSize); err != nil {
			return err
		}
	}
	if l.freed, err = s.memory(); err != nil {
		return err
	}
	if err := s.compact(); err != nil {
		return err
	}
	if l.compacted, err = s.memory(); err != nil {
		return err
	}
	if l.leftWaste, err = wasteOf(s); err != nil {
		return err
	}
	return check(s, data, buf, kept)
}

func wasteOf(s side) (waste, error) {
	if e, ok := s.(*engineSide); ok {
		return e.waste()
	}
	return waste{}, nil
}

// eachPage calls do for each page of data that is kept.
func eachPage(data []byte, kept []bool, do func(off int64, page []byte) error) error {
	for i, ok := range kept {
		off := i * alloc.PageSize
		if !ok {
			continue
		}
		if err := do(int64(off), data[off:][:alloc.PageSize]); err != nil {
			return fmt.Errorf("page %d: %w", i, err)
		}
	}
	return nil
}

// check reads all pages: those kept are data, the others zeros.
func check(s side, data, buf []byte, kept []bool) error {
	zeros := make([]byte, alloc.PageSize)
	for i, ok := range kept {
		want := zeros
		if ok {
			want = data[i*alloc.PageSize:][:alloc.PageSize]
		}
		n, err := s.ReadAt(buf, int64(i)*alloc.PageSize)
		if err == nil && string(buf[:n]) != string(want) {
			err = errors.New("it is not what was stored")
		}
		if err != nil {
			return fmt.Errorf("page %d: %w", i, err)
		}
	}
	return nil
}
