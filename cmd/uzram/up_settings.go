package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/zramconf"

	"golang.org/x/sys/unix"
)

// settings writes what a configuration says of a device to its control files.
func (r *upRun) settings(dir ctldir.Dir, d zramconf.Device) error {
	recompress, err := r.algorithms(dir, d)
	if err != nil {
		return err
	}
	var list []setting
	if d.WritebackDevice != "" {
		list = append(list, setting{"backing_dev", d.WritebackDevice})
	}
	if d.MemLimit > 0 {
		list = append(list, setting{"mem_limit", strconv.FormatUint(d.MemLimit, 10)})
	}
	list = append(list, setting{"disksize", strconv.FormatUint(d.Size, 10)})
	if err := setAll(dir.Path(), dir, list); err != nil {
		return err
	}
	for _, command := range recompress { // nothing is stored yet: this only tells whether it is accepted
		if err := dir.Write("recompress", command); err != nil {
			r.warn(d, "%v; recompression was not tried", err)
		}
	}
	return nil
}

func (r *upRun) warn(d zramconf.Device, format string, args ...any) {
	fmt.Fprintf(r.stderr, "uzram: warning: %s: %s\n", deviceName(d.Number), fmt.Sprintf(format, args...))
}

// algorithms chooses the device's algorithms and returns the commands of recompression that the configuration has. One that
// there is not is left out: the device is of use without.
func (r *upRun) algorithms(dir ctldir.Dir, d zramconf.Device) (recompress []string, err error) {
	chosen := 0
	for i, a := range d.Algorithms {
		s := setting{"comp_algorithm", a.Name}
		if i > 0 {
			s = setting{"recomp_algorithm", fmt.Sprintf("algo=%s priority=%d", a.Name, i)}
		}
		if err := dir.Write(s.attr, s.value); err != nil {
			if unknown := unknownAlgorithm(dir, s); unknown != nil && errors.Is(err, unix.EINVAL) {
				r.warn(d, "%v", unknown)
				continue
			}
			return nil, refusal(dir, s, err)
		}
		chosen++
		ofAlgorithm, ofRun, unknown := sortParams(a.Params)
		if len(unknown) > 0 {
			r.warn(d, "%s(%s) is ignored, for there is no such parameter", a.Name, strings.Join(unknown, " "))
		}
		if len(ofAlgorithm) > 0 {
			s := setting{"algorithm_params", fmt.Sprintf("priority=%d %s", i, strings.Join(ofAlgorithm, " "))}
			if err := setAll(dir.Path(), dir, []setting{s}); err != nil {
				return nil, err
			}
		}
		if len(ofRun) > 0 && i > 0 {
			recompress = append(recompress, fmt.Sprintf("%s priority=%d", strings.Join(ofRun, " "), i))
		}
	}
	if d.Recompress != "" && chosen > 1 {
		recompress = append(recompress, d.Recompress)
	}
	return recompress, nil
}

// Names of parameters: of an algorithm, and of a run of recompression.
var (
	algorithmParams  = []string{"level", "dict", "deflate.winbits"}
	recompressParams = []string{"type", "threshold", "max_pages"}
)

// sortParams tells the parameters of an algorithm from those of recompression by it, and from others.
func sortParams(text string) (ofAlgorithm, ofRun, unknown []string) {
	for _, word := range strings.Fields(text) {
		key, _, _ := strings.Cut(word, "=")
		switch {
		case slices.Contains(algorithmParams, key):
			ofAlgorithm = append(ofAlgorithm, word)
		case slices.Contains(recompressParams, key):
			ofRun = append(ofRun, word)
		default:
			unknown = append(unknown, word)
		}
	}
	return ofAlgorithm, ofRun, unknown
}

// check says whether the mount that a device belongs to is safe to swap on.
func (s swapping) check(dir string) error {
	st, err := waitStandby(dir, s.mode)
	if err != nil {
		return err
	}
	if lacks := swapLacks(st, s.resource); s.mode == swapSafe && len(lacks) > 0 {
		return unsafeSwap(lacks)
	}
	return nil
}
