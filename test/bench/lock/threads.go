package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// splitCPUs divides the CPUs that we may use: the last for the two threads, the
// rest for all others of the process. If there is only one it is in both.
func splitCPUs() (rest, last unix.CPUSet, err error) {
	if err = unix.SchedGetaffinity(0, &rest); err != nil {
		return rest, last, err
	}
	cpu := 0
	for i := range len(rest) * 64 {
		if rest.IsSet(i) {
			cpu = i
		}
	}
	last.Set(cpu)
	if rest.Count() > 1 {
		rest.Clear(cpu)
	}
	return rest, last, nil
}

// confineProcess moves all threads there are; those to come inherit it.
func confineProcess(set *unix.CPUSet) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, set); err != nil && err != unix.ESRCH {
			return fmt.Errorf("confine thread %d: %w", id, err)
		}
	}
	return nil
}

// setClass changes the scheduling class of a thread, 0 being the caller's. What
// the thread starts is in the normal class.
func setClass(thread int, policy, priority uint32) error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: priority, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
	if err := unix.SchedSetAttr(thread, &attr, 0); err != nil {
		return fmt.Errorf("scheduling class %d: %w", policy, err)
	}
	return nil
}

// threadTime is the CPU time that the calling thread had.
func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err) // Linux always has this clock
	}
	return time.Duration(ts.Nano())
}
