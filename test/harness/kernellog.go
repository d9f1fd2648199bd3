package harness

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// kernelTrouble are the messages of the kernel that no test may cause.
var kernelTrouble = regexp.MustCompile(`I/O error|blocked for more than|[Rr]ead-error on swap|[Ww]rite-error on swap|` +
	`EXT4-fs (error|warning)|Bad swap|unable to handle|soft lockup|oom-kill|Out of memory`)

var loopName = regexp.MustCompile(`\bloop\d+\b`)

// CheckKernelLog fails the test if the kernel reports trouble until its end. A message that names only loop devices that
// are not the test's own (loops gives "/dev/loopN") is another program's.
func CheckKernelLog(t testing.TB, loops func() []string) {
	t.Helper()
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("/dev/kmsg: %v", err)
	}
	if _, err := unix.Seek(fd, 0, unix.SEEK_END); err != nil {
		t.Fatalf("/dev/kmsg: %v", err)
	}
	t.Cleanup(func() {
		defer unix.Close(fd)
		for _, line := range readLog(fd) {
			if kernelTrouble.MatchString(line) && !foreign(line, loops()) {
				t.Errorf("kernel log: %s", line)
			}
		}
	})
}

// readLog returns the messages that came since; one read gives one record.
func readLog(fd int) (lines []string) {
	buf := make([]byte, 8192)
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case err == unix.EPIPE: // records were overwritten before they were read
			continue
		case err != nil || n == 0:
			return lines
		}
		_, text, _ := strings.Cut(string(buf[:n]), ";")
		first, _, _ := strings.Cut(text, "\n")
		lines = append(lines, first)
	}
}

func foreign(line string, own []string) bool {
	named := loopName.FindAllString(line, -1)
	return len(named) > 0 && !slices.ContainsFunc(named, func(n string) bool { return slices.Contains(own, "/dev/"+n) })
}
