package main

import (
	"encoding/json"
	"strings"
	"testing"

	"uzram/internal/status"
)

const statusJSON = `{"version":"v1","worker_pid":42,"keeper_pid":null,"dir":"/mnt/z","image":"/mnt/z/image","loop":"/dev/loop3",
"transport":"classic","disksize":1073741824,"initialised":true,"algorithm":"zstd","workers":2,
"algorithms":[{"priority":0,"name":"zstd","level":7,"winbits":null,"dict_bytes":4000,"contexts":2,"memory":204800},
{"priority":2,"name":"deflate","level":null,"winbits":-15,"dict_bytes":0,"contexts":0,"memory":0}],
"guards":[{"name":"mlock","state":"active","reason":""},{"name":"io_flusher","state":"refused","reason":"needs CAP_SYS_RESOURCE"},
{"name":"gc","state":"off","reason":"GOGC=1"}],
"stats":{"disksize":1073741824,"orig_data_size":8192,"compr_data_size":4000,"mem_used_total":4096,"same_pages":4097}}`

func TestPrintStatus(t *testing.T) {
	got := printed(t, statusJSON)
	for _, want := range []string{
		"directory 	/mnt/z", "worker pid 42", "keeper pid none", "loop /dev/loop3", "transport classic, 2 workers",
		"disk size 1073741824 (1.00 GiB)", "algorithm zstd, level 7, dictionary of 4000 bytes, 200 KiB for 2 contexts", "algorithm #2 deflate, winbits -15", "mlock active", "io_flusher refused (needs CAP_SYS_RESOURCE)",
		"gc off (GOGC=1)", "orig_data_size 8192 (8.00 KiB)", "same_pages 4097", "ratio 2.00",
	} {
		want = strings.Join(strings.Fields(want), " ")
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no line %q in\n%s", want, got)
		}
	}
}

func TestPrintStatus_NotSetUp(t *testing.T) {
	got := printed(t, `{"worker_pid":1,"keeper_pid":7,"loop":null,"stats":{"orig_data_size":0,"mem_used_total":0}}`)
	for _, want := range []string{"keeper pid 7\n", "loop none of its own\n", "disk size not set up\n", "ratio none: no memory is used\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no line %q in\n%s", want, got)
		}
	}
}

// printed renders a status with runs of blanks made one.
func printed(t *testing.T, text string) string {
	t.Helper()
	var st status.Status
	if err := json.Unmarshal([]byte(text), &st); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := printStatus(&out, st); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n") + "\n"
}
