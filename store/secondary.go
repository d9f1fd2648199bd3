package store

import "uzram/compress"

// secondaries are the contexts that recompression needs beside the workers' own
// of the primary algorithm. All are opened when the device is set up, so that
// none is missing later.
//
// An encoder may take tens of MiB, so there is one of each algorithm, for the
// pass. To read what it wrote each worker has a decoder of his own, of some tens
// of KiB: a read waits for no other one, and for no lock but its slot's.
type secondaries struct {
	writers    [priorities]compress.Stream         // the pass's
	passReader [priorities]compress.Decompressor   // the pass's; of the primary algorithm too
	readers    [priorities][]compress.Decompressor // by worker
}

// openSecondaries opens what n workers and a pass need of the secondary
// algorithms, nothing if there are none. primary is a stream that nobody uses
// meanwhile.
func (d *Device) openSecondaries(n int, primary compress.Stream) (*secondaries, error) {
	s := new(secondaries)
	for priority := priorities - 1; priority >= 0; priority-- {
		if priority == 0 && s.last() == 0 {
			return nil, nil
		}
		if err := d.openSecondary(s, priority, n, primary); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (d *Device) openSecondary(s *secondaries, priority, n int, primary compress.Stream) error {
	codec, params, err := d.algorithm(priority)
	if codec == nil || err != nil {
		return err
	}
	writer := primary
	if priority > 0 {
		if writer, err = codec.NewStream(params); err != nil {
			return err
		}
		s.writers[priority] = writer
		for range n {
			reader, err := compress.NewDecompressor(codec, params, writer)
			if err != nil {
				return err
			}
			s.readers[priority] = append(s.readers[priority], reader)
		}
	}
	s.passReader[priority], err = compress.NewDecompressor(codec, params, writer)
	return err
}

// last is the highest priority that has an algorithm, 0 if only the primary one
// is there.
func (s *secondaries) last() int {
	for priority := priorities - 1; priority > 0; priority-- {
		if s.writers[priority] != nil {
			return priority
		}
	}
	return 0
}

// reader is a worker's decoder for a secondary algorithm, nil if there is no
// such algorithm.
func (s *secondaries) reader(priority, worker int) compress.Decompressor {
	if s == nil || worker >= len(s.readers[priority]) {
		return nil
	}
	return s.readers[priority][worker]
}

// contexts are those of a priority.
func (s *secondaries) contexts(priority int) (all []compress.Decompressor) {
	if s == nil {
		return nil
	}
	if w := s.writers[priority]; w != nil {
		all = append(all, w)
	}
	if r := s.passReader[priority]; r != nil {
		all = append(all, r)
	}
	return append(all, s.readers[priority]...)
}

func (s *secondaries) close() {
	for priority := range priorities {
		for _, c := range s.contexts(priority) {
			c.Close()
		}
	}
}
