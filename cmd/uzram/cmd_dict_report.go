package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"uzram/internal/size"
	"uzram/internal/zramabi"
)

// dictReport says what a dictionary was made from and what it is worth. Gains are in per cent; speeds are those with the
// dictionary as multiples of those without.
type dictReport struct {
	File      string `json:"file"`
	Bytes     int    `json:"bytes"`
	Algorithm string `json:"algorithm"`
	Level     *int32 `json:"level"`  // null: the default
	Tables    bool   `json:"tables"` // it has entropy tables

	Found    int `json:"pages_found"`
	Sampled  int `json:"pages_sampled"`
	Trained  int `json:"pages_trained"`
	Held     int `json:"pages_held_out"`
	Copies   int `json:"copies_left_out"`
	IdleRead int `json:"idle_marks_lost"`

	BytesWithout    uint64   `json:"bytes_without"`
	BytesWith       uint64   `json:"bytes_with"`
	RatioWithout    float64  `json:"ratio_without"`
	RatioWith       float64  `json:"ratio_with"`
	Gain            float64  `json:"gain_percent"`
	OtherGain       *float64 `json:"other_form_gain_percent"` // zstd: with or without tables, whichever this one is not
	CompressSpeed   float64  `json:"compress_speed"`
	DecompressSpeed float64  `json:"decompress_speed"`
	Helps           bool     `json:"helps"`
}

func (r *dictReport) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	_, err := io.WriteString(w, r.text())
	return err
}

func (r *dictReport) text() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("%s: %s for %s%s", r.File, size.Format(uint64(r.Bytes)), r.Algorithm, r.form())
	p("pages      %d of %d sampled: %d trained on, %d held out, %d copies left out", r.Sampled, r.Found, r.Trained, r.Held, r.Copies)
	if r.IdleRead > 0 {
		p("           %d were marked idle and are not any more", r.IdleRead)
	}
	p("held out   without      with")
	p("bytes   %10d%10d", r.BytesWithout, r.BytesWith)
	p("ratio   %10.3f%10.3f", r.RatioWithout, r.RatioWith)
	p("speed         1.00%10.2f compressing", r.CompressSpeed)
	p("              1.00%10.2f decompressing", r.DecompressSpeed)
	p("\n%s", r.verdict())
	if r.OtherGain != nil {
		p("%s", r.other())
	}
	if r.Helps {
		p("\nTo use it in DIR, before disksize is written:\n%s", r.usage())
	}
	return b.String()
}

func (r *dictReport) form() string {
	switch {
	case r.Tables:
		return ", with entropy tables"
	case r.Algorithm == "zstd":
		return ", content alone"
	}
	return ""
}

func (r *dictReport) verdict() string {
	switch {
	case r.Helps:
		return fmt.Sprintf("the dictionary saves %.1f %% on pages it was not trained on", r.Gain)
	case r.Gain > 0:
		return fmt.Sprintf("the dictionary hardly helps here (%.1f %%): not worth using", r.Gain)
	}
	return fmt.Sprintf("the dictionary does not help here (%.1f %%): not worth using", r.Gain)
}

// other compares with the other form that zstd takes.
func (r *dictReport) other() string {
	what := "content alone (--raw)"
	if !r.Tables {
		what = "one with entropy tables (no --raw)"
	}
	if *r.OtherGain > 0 {
		return fmt.Sprintf("%s would save %.1f %%", what, *r.OtherGain)
	}
	return fmt.Sprintf("%s would not help (%.1f %%)", what, *r.OtherGain)
}

// usage is what a shell is to be given.
func (r *dictReport) usage() string {
	p := zramabi.AlgorithmParams{Algo: r.Algorithm, Dict: r.File}
	if r.Level != nil {
		p.Level = zramabi.Optional{Value: *r.Level, Given: true}
	}
	quoted := "'" + strings.ReplaceAll(p.String(), "'", `'\''`) + "'"
	return fmt.Sprintf("  echo %s > DIR/comp_algorithm\n  echo %s > DIR/algorithm_params", r.Algorithm, quoted)
}
