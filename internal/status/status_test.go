package status

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestStatusSurvivesJSON(t *testing.T) {
	loop := "/dev/loop7"
	in := Status{
		Version: "v1", WorkerPID: 42, Dir: "/z", Image: "/z/image", Loop: &loop, Transport: "classic",
		Disksize: 1 << 40, Initialised: true, Algorithm: "zstd", Workers: 2,
		Guards:  []Guard{{"mlock", GuardActive, ""}, {"io_flusher", GuardRefused, "needs CAP_SYS_RESOURCE"}},
		Stats:   Stats{{"zebra", 1<<64 - 1}, {"ant", 0}},
		Runtime: Runtime{Mallocs: 1, HeapBytes: 2, GCCycles: 3, Goroutines: 4},
	}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"keeper_pid":null`, `"stats":{"zebra":18446744073709551615,"ant":0}`, `"worker_pid":42`, `"state":"refused"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	var out Status
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got %+v, want %+v", out, in)
	}
}

func TestStatsGet(t *testing.T) {
	s := Stats{{"a", 1}, {"b", 2}}
	if v, ok := s.Get("b"); v != 2 || !ok {
		t.Errorf("b: %d %v", v, ok)
	}
	if _, ok := s.Get("c"); ok {
		t.Error("there is no c")
	}
}

func TestStatsRefuseWhatIsNoObjectOfNumbers(t *testing.T) {
	for _, text := range []string{`[]`, `1`, `{"a":"x"}`, `{"a":-1}`, `{"a":1.5}`} {
		var s Stats
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("%s gave %v", text, s)
		}
	}
}
