package main

import (
	"strings"
	"testing"
)

func TestReportCheck(t *testing.T) {
	for _, c := range []struct {
		name, text string
		json       bool
		out, err   string
	}{
		{
			"sound", `{"slots":5,"objects":3,"zspages":2,"holds":4,"longest_hold_ns":1234567,"findings":[],"more":0}`, false,
			"checked 5 pages, 3 objects, 2 zspages; I/O was held up 4 times, for 1.235ms at most\n", "",
		},
		{
			"damaged", `{"slots":1,"findings":["S2: a","S4: b"],"more":7}`, false,
			"S2: a\nS4: b\nand 7 more\nchecked 1 pages, 0 objects, 0 zspages; I/O was held up 0 times, for 0s at most\n", "/z is damaged, findings: 9",
		},
		{"json", `{"findings":["S1: a"]}`, true, `{"findings":["S1: a"]}`, "/z is damaged, findings: 1"},
		{"no JSON", "nonsense", false, "", "/z/debug/check: invalid character"},
	} {
		var out strings.Builder
		err := reportCheck(&out, "/z", c.text, c.json)
		if out.String() != c.out {
			t.Errorf("%s: printed %q, want %q", c.name, out.String(), c.out)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.err)
		}
	}
}
