package mountinfo

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"uzram/internal/loopdev"
)

// Search says what to look for: the users of the uzram mount on Dir, or of one device of a mount with many.
type Search struct {
	Dir    string   // canonical: where the mount is, or the device's directory within it
	Alias  string   // another name of the disk in Dir, "" = none
	Loops  []string // loop devices that are the mount's own: their users count, they themselves do not
	Ignore []int    // processes that do not count; this one never does
	Swap   bool     // swap space on Loops does not count either: the caller will end it
}

// Holders returns who keeps the mount on dir busy; loops are its own loop devices.
func Holders(dir string, loops []string) []string { return Search{Dir: dir, Loops: loops}.Holders() }

// Holders returns, in plain words, what keeps the mount busy: file systems mounted in it, other loop devices attached to
// its images, what uses those or the own ones, and processes with files open or working in it. It finds what this process
// may see: an ordinary user sees only his own processes' files.
func (q Search) Holders() []string {
	s := scan{dir: q.Dir, alias: q.Alias, ignore: append([]int{os.Getpid()}, q.Ignore...)}
	if all, err := All(); err == nil {
		s.mounts = all
	}
	var loops []string
	attached, _ := loopdev.FindInside(q.Dir)
	if q.Alias != "" {
		others, _ := loopdev.FindByBacking(q.Alias)
		for _, l := range others {
			attached = append(attached, loopdev.Backed{Loop: l, File: q.Alias})
		}
	}
	for _, a := range attached {
		loops = append(loops, a.Loop)
		if !slices.Contains(q.Loops, a.Loop) {
			s.add("%s is attached to %s", a.Loop, a.File)
		}
	}
	for _, l := range q.Loops {
		if !slices.Contains(loops, l) {
			loops = append(loops, l)
		}
	}
	s.submounts()
	for _, l := range loops {
		s.loopUsers(l, q.Swap && slices.Contains(q.Loops, l))
	}
	return append(s.found, s.processesWithin(searchTime, loops)...)
}

// searchTime bounds the search through processes: the kernel makes who looks at one wait that dies or executes a program
// while one of its threads waits for a file system, perhaps for ever.
const searchTime = 5 * time.Second

// processesWithin is what processes finds in that time.
func (s *scan) processesWithin(limit time.Duration, loops []string) (found []string) {
	finds := make(chan string)
	end := make(chan struct{})
	defer close(end)
	go func() {
		defer close(finds)
		q := scan{dir: s.dir, alias: s.alias, ignore: s.ignore, mounts: s.mounts}
		q.processes(loops, func() bool {
			for _, text := range q.found {
				select {
				case finds <- text:
				case <-end:
					return false
				}
			}
			q.found = q.found[:0]
			return true
		})
	}()
	for timeout := time.After(limit); ; {
		select {
		case text, ok := <-finds:
			if !ok {
				return found
			}
			found = append(found, text)
		case <-timeout:
			return found
		}
	}
}

// scan is one search under way.
type scan struct {
	dir    string
	alias  string
	ignore []int
	mounts []Mount
	found  []string
}

func (s *scan) add(format string, args ...any) {
	s.found = append(s.found, fmt.Sprintf(format, args...))
}

// submounts finds file systems that are mounted on something inside the mount.
func (s *scan) submounts() {
	for _, m := range s.mounts {
		if strings.HasPrefix(m.Point, s.dir+"/") {
			s.add("%s is mounted on %s", m.Type, m.Point)
		}
	}
}

// loopUsers finds what is built on a loop device: file systems, swap space unless that may be, other block devices.
func (s *scan) loopUsers(loop string, swapMayBe bool) {
	name := filepath.Base(loop)
	dev := blockDev(name)
	for _, m := range s.mounts {
		if m.Source == loop || isPartition(m.Source, loop) || dev != 0 && m.Dev == dev {
			s.add("%s is mounted on %s", loop, m.Point)
		}
	}
	for _, used := range SwapsOn(loop) {
		if used != loop || !swapMayBe {
			s.add("%s is in use as swap space", used)
		}
	}
	entries, _ := os.ReadDir(filepath.Join("/sys/block", name, "holders"))
	for _, e := range entries {
		s.add("/dev/%s is built on %s", e.Name(), loop)
	}
}

// processes finds those with a file of the mount or one of the loop devices open, or that work inside the mount. After each
// it asks whether to go on.
func (s *scan) processes(loops []string, goOn func() bool) {
	var id string
	if m, ok := holding(s.mounts, s.dir); ok {
		id = strconv.Itoa(m.ID)
	}
	procs, _ := os.ReadDir("/proc")
	for _, p := range procs {
		pid, err := strconv.Atoi(p.Name())
		if err != nil || slices.Contains(s.ignore, pid) {
			continue
		}
		if s.process(pid, id, loops); !goOn() {
			return
		}
	}
}

func (s *scan) process(pid int, mountID string, loops []string) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	for _, link := range []string{"cwd", "root"} {
		if to, err := os.Readlink(filepath.Join(proc, link)); err == nil && s.inside(to) {
			s.add("process %d (%s) works in %s", pid, command(proc), to)
		}
	}
	fds, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return
	}
	var seen []string
	for _, fd := range fds {
		to, err := os.Readlink(filepath.Join(proc, "fd", fd.Name()))
		if err != nil || slices.Contains(seen, to) {
			continue
		}
		if slices.Contains(loops, to) || s.inside(to) && onMount(filepath.Join(proc, "fdinfo", fd.Name()), mountID) {
			seen = append(seen, to)
			s.add("process %d (%s) has %s open", pid, command(proc), to)
		}
	}
}

func (s *scan) inside(path string) bool {
	return path == s.dir || strings.HasPrefix(path, s.dir+"/") || s.alias != "" && path == s.alias
}

// holding returns the mount that dir is on or in.
func holding(all []Mount, dir string) (m Mount, ok bool) {
	for ; ; dir = filepath.Dir(dir) {
		if m, ok = topmost(all, dir); ok || dir == filepath.Dir(dir) {
			return m, ok
		}
	}
}

// onMount reads from an fdinfo file whether the descriptor belongs to that mount: in another mount namespace, or under a
// file system mounted above, the same path may mean something else.
func onMount(fdinfo, mountID string) bool {
	text, err := os.ReadFile(fdinfo)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if id, ok := strings.CutPrefix(line, "mnt_id:"); ok {
			return strings.TrimSpace(id) == mountID
		}
	}
	return false
}

// command returns the name of the process whose directory in /proc is given.
func command(proc string) string {
	text, err := os.ReadFile(filepath.Join(proc, "comm"))
	if err != nil {
		return "?"
	}
	return strings.TrimSuffix(string(text), "\n")
}

// blockDev returns the device number of a block device by its name in sysfs, 0 if it is not there.
func blockDev(name string) uint64 {
	text, err := os.ReadFile(filepath.Join("/sys/block", name, "dev"))
	if err != nil {
		return 0
	}
	dev, err := parseDev(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return dev
}

// SwapsOn returns the swap spaces on disk or a partition of it.
func SwapsOn(disk string) []string {
	text, err := os.ReadFile("/proc/swaps")
	if err != nil {
		return nil
	}
	return swapsOn(string(text), disk)
}

// swapsOn returns the swap spaces on disk (or a partition of it) from the text of /proc/swaps.
func swapsOn(text, disk string) []string {
	var used []string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 && (f[0] == disk || isPartition(f[0], disk)) {
			used = append(used, f[0])
		}
	}
	return used
}

// isPartition says whether name is a partition of disk: /dev/loop1p2 of /dev/loop1.
func isPartition(name, disk string) bool {
	n, ok := strings.CutPrefix(name, disk+"p")
	if !ok {
		return false
	}
	_, err := strconv.ParseUint(n, 10, 16)
	return err == nil
}
