package dictionary

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"uzram/compress"
	"uzram/internal/zramabi"
)

// leastGain is that from which a dictionary is worth its trouble.
const leastGain = 0.01

// Judgement says what a dictionary does to pages that it was not made from.
type Judgement struct {
	Pages         int
	Without, With uint64 // bytes that a device would store
	// Speeds with the dictionary, those without it being 1.
	CompressSpeed, DecompressSpeed float64
}

// Gain is the part of the bytes that the dictionary saves; negative if there are more of them.
func (j Judgement) Gain() float64 { return 1 - float64(j.With)/float64(j.Without) }

// Helps says whether the dictionary is worth using.
func (j Judgement) Helps() bool { return j.Gain() >= leastGain }

// Ratio is that of the pages' size to so many stored bytes.
func (j Judgement) Ratio(bytes uint64) float64 { return float64(j.Pages*pageSize) / float64(bytes) }

// Judge compresses the pages, at least one, without and with p.Dict.
func Judge(algorithm string, p compress.Params, pages [][]byte) (Judgement, error) {
	plain := p
	plain.Dict = nil
	without, err := newSide(algorithm, plain)
	if err != nil {
		return Judgement{}, err
	}
	defer without.stream.Close()
	with, err := newSide(algorithm, p)
	if err != nil {
		return Judgement{}, err
	}
	defer with.stream.Close()
	j := Judgement{Pages: len(pages)}
	for _, s := range []*side{without, with} {
		if err := s.measure(pages); err != nil {
			return Judgement{}, err
		}
	}
	j.Without, j.With = without.stored, with.stored
	j.CompressSpeed, j.DecompressSpeed, err = race(without, with, evenly(pages, racePages))
	return j, err
}

// Stored returns how many bytes a device would store of the pages.
func Stored(algorithm string, p compress.Params, pages [][]byte) (uint64, error) {
	s, err := newSide(algorithm, p)
	if err != nil {
		return 0, err
	}
	defer s.stream.Close()
	err = s.measure(pages)
	return s.stored, err
}

// side is one of two that are compared.
type side struct {
	stream     compress.Stream
	dst, back  []byte
	compressed [][]byte // of the pages of a heat
	stored     uint64   // bytes
}

func newSide(algorithm string, p compress.Params) (*side, error) {
	codec, ok := compress.Lookup(algorithm)
	if !ok {
		return nil, fmt.Errorf("there is no algorithm %q", algorithm)
	}
	stream, err := codec.NewStream(p)
	if err != nil {
		return nil, err
	}
	s := &side{stream: stream, dst: make([]byte, compress.DstSize(pageSize)), back: make([]byte, pageSize)}
	for range heatPages {
		s.compressed = append(s.compressed, make([]byte, 0, len(s.dst)))
	}
	return s, nil
}

// measure adds what is stored of the pages, and makes sure that each comes back.
func (s *side) measure(pages [][]byte) error {
	for _, p := range pages {
		n, err := s.stream.Compress(s.dst, p)
		if errors.Is(err, compress.ErrIncompressible) || err == nil && n >= zramabi.HugeSize {
			s.stored += pageSize
			continue
		}
		if err == nil {
			err = s.stream.Decompress(s.back, s.dst[:n])
		}
		if err == nil && !bytes.Equal(s.back, p) {
			err = errors.New("a page did not come back as it was")
		}
		if err != nil {
			return err
		}
		s.stored += uint64(n)
	}
	return nil
}

// What a race is made of: each side compresses and decompresses a few pages in turn, and the best of several rounds
// counts, for other work on the machine only ever makes it slower.
const (
	racePages  = 1024
	heatPages  = 32
	raceRounds = 5
)

// race returns the speeds of the second side as multiples of the first's.
func race(a, b *side, pages [][]byte) (compressing, decompressing float64, err error) {
	var total [2][2]time.Duration // side, direction
	for start := 0; start < len(pages); start += heatPages {
		some := pages[start:min(start+heatPages, len(pages))]
		var best [2][2]time.Duration
		for round := range raceRounds {
			for i, s := range []*side{a, b} {
				times, err := s.heat(some)
				if err != nil {
					return 0, 0, err
				}
				for d := range times {
					if round == 0 || times[d] < best[i][d] {
						best[i][d] = times[d]
					}
				}
			}
		}
		for i := range best {
			for d := range best[i] {
				total[i][d] += best[i][d]
			}
		}
	}
	speed := func(d int) float64 { return float64(total[0][d]) / float64(max(1, total[1][d])) }
	return speed(0), speed(1), nil
}

// heat returns how long compressing and decompressing the pages takes, heatPages at most.
func (s *side) heat(pages [][]byte) (took [2]time.Duration, err error) {
	start := time.Now()
	for i, p := range pages {
		dst := s.compressed[i][:cap(s.compressed[i])]
		n, err := s.stream.Compress(dst, p)
		if err != nil {
			return took, err
		}
		s.compressed[i] = dst[:n]
	}
	took[0] = time.Since(start)
	start = time.Now()
	for i := range pages {
		if err := s.stream.Decompress(s.back, s.compressed[i]); err != nil {
			return took, err
		}
	}
	took[1] = time.Since(start)
	return took, nil
}
