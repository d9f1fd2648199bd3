package store

// beAlone waits until no snapshot is taken and no check runs, and keeps them out
// until notAlone. No lock is held: a snapshot takes as long as whoever reads it.
func (p *postRuns) beAlone() error {
	select {
	case p.alone <- struct{}{}:
		return nil
	case <-p.stop:
		return ErrResetting
	}
}

func (p *postRuns) notAlone() { <-p.alone }

// withLiveAlone is withLive for a verb that may not run beside a snapshot.
// ErrResetting: the device was reset while it waited.
func (d *Device) withLiveAlone(verb func(*live) error) error {
	var l *live
	err := d.withLive(func(now *live) error {
		l = now
		l.post.pending.Add(1)
		return nil
	})
	if err != nil {
		return err
	}
	err = l.post.beAlone()
	l.post.pending.Done()
	if err != nil {
		return err
	}
	defer l.post.notAlone()
	return d.withLive(func(now *live) error {
		if now != l {
			return ErrResetting
		}
		return verb(l)
	})
}
