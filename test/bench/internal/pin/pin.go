package pin

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// To confines all threads of the process, and those to come, to one CPU: what is
// measured may then gain nothing from what goes on in the background, and no
// side moves about. cpu is a number, or -1 for the last CPU that we may use.
func To(cpu int) error {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return err
	}
	if cpu < 0 {
		for i := range len(set) * 64 {
			if set.IsSet(i) {
				cpu = i
			}
		}
	}
	set.Zero()
	set.Set(cpu)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil && err != unix.ESRCH {
			return fmt.Errorf("confine thread %d to CPU %d: %w", id, cpu, err)
		}
	}
	return nil
}
