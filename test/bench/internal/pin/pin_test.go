package pin

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestTo(t *testing.T) {
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	last := 0
	for i := range len(before) * 64 {
		if before.IsSet(i) {
			last = i
		}
	}
	if err := To(-1); err != nil {
		t.Fatal(err)
	}
	if err := unix.SchedGetaffinity(0, &set); err != nil || set.Count() != 1 || !set.IsSet(last) {
		t.Errorf("%d CPUs, CPU %d among them: %t, %v", set.Count(), last, set.IsSet(last), err)
	}
	if err := To(len(before)*64 - 1); err == nil {
		t.Error("a CPU that is not there was taken")
	}
}
