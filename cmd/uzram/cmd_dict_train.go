package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"uzram/compress"
	"uzram/internal/dictionary"
	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

// run trains, judges and writes.
func (t *training) run() (*dictReport, error) {
	sample, err := t.take()
	if err != nil {
		return nil, err
	}
	split := sample.Split()
	if err := split.Check(); err != nil {
		return nil, err
	}
	dict, other, err := dictionary.Train(split.Trained, t.algorithm, t.size, t.raw)
	if err != nil {
		return nil, err
	}
	r := &dictReport{
		File: t.to, Bytes: len(dict), Algorithm: t.algorithm, Level: t.level(), Tables: t.algorithm == "zstd" && !t.raw,
		Found: sample.Found, Sampled: len(sample.Pages), Trained: len(split.Trained), Held: len(split.Held), Copies: split.Copies,
		IdleRead: sample.Idle,
	}
	if err := r.judge(t.params, dict, other, split.Held); err != nil {
		return nil, err
	}
	return r, writeDict(t.to, dict, t.force)
}

// take reads the sample.
func (t *training) take() (*dictionary.Sample, error) {
	var sources []dictionary.Source
	defer func() {
		for _, s := range sources {
			s.Close()
		}
	}()
	for _, name := range t.from {
		s, err := dictSource(name)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	sample, err := dictionary.Take(sources, t.samples, t.spareIdle)
	if isDead(err) {
		return nil, fmt.Errorf("%w; the daemon behind it is dead: clean up with uzram umount", err)
	}
	return sample, err
}

// dictSource opens an argument: the mount on a directory, or a file.
func dictSource(name string) (dictionary.Source, error) {
	if dir, err := deviceArg(name); err == nil {
		return dictDevice(name, dir.Path())
	}
	if path, err := canonical(name); err == nil {
		if _, err := mountinfo.Find(path); err == nil { // before a call that would ask its daemon
			return dictDevice(name, path)
		}
	}
	st, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return nil, usagef("there is no file or directory %s", name)
	case err != nil:
		return nil, err
	case st.IsDir():
		_, err := mounted(name)
		return nil, err
	}
	s, err := dictionary.OpenFile(name)
	if errors.Is(err, dictionary.ErrNoFile) {
		return nil, usagef("%s is neither a directory that a uzram is mounted on, nor a file, nor a block device", name)
	}
	return s, err
}

func dictDevice(name, path string) (dictionary.Source, error) {
	s, err := dictionary.OpenDevice(path)
	return s, deadOr(name, err)
}

// level is the one that the pages are judged at, nil for the algorithm's default.
func (t *training) level() *int32 {
	if !t.params.HasLevel {
		return nil
	}
	return &t.params.Level
}

// judge fills in what the dictionary does to the pages held out.
func (r *dictReport) judge(p compress.Params, dict, other []byte, held [][]byte) error {
	p.Dict = dict
	j, err := dictionary.Judge(r.Algorithm, p, held)
	if err != nil {
		return err
	}
	r.BytesWithout, r.BytesWith = j.Without, j.With
	r.RatioWithout, r.RatioWith = j.Ratio(j.Without), j.Ratio(j.With)
	r.Gain, r.Helps = 100*j.Gain(), j.Helps()
	r.CompressSpeed, r.DecompressSpeed = j.CompressSpeed, j.DecompressSpeed
	if other == nil {
		return nil
	}
	p.Dict = other
	j.With, err = dictionary.Stored(r.Algorithm, p, held)
	gain := 100 * j.Gain()
	r.OtherGain = &gain
	return err
}
