package codectest

import "uzram/compress"

// decorator is a codec under a name of its own.
type decorator struct {
	compress.Codec
	suffix string
	wrap   func(compress.Stream) compress.Stream
}

func (d *decorator) Name() string { return d.Codec.Name() + d.suffix }

func (d *decorator) NewStream(p compress.Params) (compress.Stream, error) {
	s, err := d.Codec.NewStream(p)
	if err != nil {
		return nil, err
	}
	return d.wrap(s), nil
}
