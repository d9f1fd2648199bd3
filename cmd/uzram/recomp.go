package main

import (
	"path/filepath"
	"strconv"
	"strings"

	"uzram/compress"
	"uzram/internal/zramabi"

	"github.com/urfave/cli/v2"
)

// recompUsage is the grammar of --recomp-algorithm.
const recompUsage = "PRIO:NAME[,level=N][,dict=PATH][,deflate.winbits=N]"

// parseRecomps returns what the --recomp-algorithm flags ask for.
func parseRecomps(c *cli.Context) (list []setting, err error) {
	given := map[int32]bool{}
	for _, text := range c.StringSlice("recomp-algorithm") {
		p, err := parseRecomp(text)
		if err != nil {
			return nil, err
		}
		if given[p.Priority.Value] {
			return nil, usagef("--recomp-algorithm: priority %d is given twice", p.Priority.Value)
		}
		given[p.Priority.Value] = true
		list = append(list, setting{"recomp_algorithm", "algo=" + p.Algo + " priority=" + strconv.Itoa(int(p.Priority.Value))})
		if p.Level.Given || p.WinBits.Given || p.Dict != "" {
			p.Algo = "" // the priority is enough, and the algorithm may not exist
			list = append(list, setting{"algorithm_params", p.String()})
		}
	}
	return list, nil
}

// parseRecomp reads what the flag takes.
func parseRecomp(text string) (p zramabi.AlgorithmParams, err error) {
	bad := func() (zramabi.AlgorithmParams, error) {
		return p, usagef("--recomp-algorithm %q: accepted is %s, as in 1:zstd,level=12; PRIO is 1, 2 or 3", text, recompUsage)
	}
	prio, rest, ok := strings.Cut(text, ":")
	n, err := strconv.ParseInt(prio, 10, 32)
	if !ok || err != nil || n < 1 || n > 3 {
		return bad()
	}
	p.Priority = zramabi.Optional{Value: int32(n), Given: true}
	parts := strings.Split(rest, ",")
	p.Algo = parts[0]
	if p.Algo == "" || strings.ContainsAny(p.Algo, "\" \t\n\v\f\r=") {
		return bad()
	}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		number := &p.Level
		switch {
		case value == "":
			return bad()
		case key == "dict" && !strings.Contains(value, `"`):
			if p.Dict, err = filepath.Abs(value); err != nil {
				return p, err
			}
			continue
		case key == "deflate.winbits":
			number = &p.WinBits
		case key != "level":
			return bad()
		}
		v, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return bad()
		}
		*number = zramabi.Optional{Value: int32(v), Given: true}
	}
	return p, checkRecomp(p)
}

// checkRecomp asks the algorithm about its numbers now, because disksize, which would refuse them, cannot say which of the
// algorithms minds. One that does not exist is for the device to refuse.
func checkRecomp(p zramabi.AlgorithmParams) error {
	codec, ok := compress.Lookup(p.Algo)
	if !ok {
		return nil
	}
	level := compress.Params{Level: p.Level.Value, HasLevel: p.Level.Given}
	bits := compress.Params{WinBits: p.WinBits.Value, HasWinBits: p.WinBits.Given}
	switch {
	case codec.Check(level) != nil:
		return usagef("--recomp-algorithm: %s has no level %d", p.Algo, p.Level.Value)
	case codec.Check(bits) != nil:
		return usagef("--recomp-algorithm: %s takes no deflate.winbits of %d", p.Algo, p.WinBits.Value)
	}
	return nil
}
