package fusefs

import (
	"uzram/internal/zramabi"
	"uzram/store"
)

func showRecompAlgorithm(d *disk, b []byte) ([]byte, error) {
	for _, use := range d.dev.AlgorithmsInUse() {
		if use.Priority > 0 {
			b = zramabi.AppendRecompAlgorithms(b, use.Priority, zramabi.Algorithms{Names: store.Algorithms(), Selected: use.Name})
		}
	}
	return b, nil
}

func storeRecompAlgorithm(d *disk, text string) error {
	r, err := zramabi.ParseRecompAlgorithm(text)
	if err != nil {
		return err
	}
	return d.dev.SetRecompAlgorithm(int(r.Priority), r.Algo)
}

func storeRecompress(d *disk, text string) error {
	r, err := zramabi.ParseRecompress(text)
	if err != nil {
		return err
	}
	_, err = d.dev.Recompress(store.RecompressRequest{
		Idle:        r.Idle,
		Huge:        r.Huge,
		Threshold:   int(r.Threshold),
		MaxPages:    r.MaxPages,
		HasMaxPages: r.HasMaxPages,
		Algo:        r.Algo,
		Priority:    int(r.Priority.Value),
		HasPriority: r.Priority.Given,
	})
	return err
}
