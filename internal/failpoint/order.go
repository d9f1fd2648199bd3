package failpoint

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Action is what happens at a point.
type Action uint32

// The actions.
const (
	Kill  Action = iota + 1 // SIGKILL to the own process
	Stall                   // the goroutine sleeps
	Fail                    // the step fails
	Short                   // half of the bytes are delivered
)

// Order says what is to happen at a point, and when.
type Order struct {
	Point  Point
	Nth    int64 // hits from now on
	Repeat bool  // every Nth
	Action Action
	arg    uint64
}

// stallTime is how long a stall takes unless said otherwise.
const stallTime = time.Second

// KillAt is the order to die at the nth hit.
func KillAt(p Point, nth int64) Order { return Order{Point: p, Nth: nth, Action: Kill} }

// StallAt is the order to sleep at the nth hit.
func StallAt(p Point, nth int64, d time.Duration) Order {
	return Order{Point: p, Nth: nth, Action: Stall, arg: uint64(d)}
}

// FailAt is the order to fail at the nth hit.
func FailAt(p Point, nth int64, errno syscall.Errno) Order {
	return Order{Point: p, Nth: nth, Action: Fail, arg: uint64(errno)}
}

// Parse reads orders. EINVAL: a point or an action that is not known, or a
// number that is none.
func Parse(text string) (orders []Order, err error) {
	separator := func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }
	for _, word := range strings.FieldsFunc(text, separator) {
		o, err := parseOrder(word)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", err, unix.EINVAL)
		}
		orders = append(orders, o)
	}
	return orders, nil
}

func parseOrder(word string) (o Order, err error) {
	where, what, ok := strings.Cut(word, "=")
	if !ok {
		return o, fmt.Errorf("%q has no action", word)
	}
	where, o.Repeat = strings.CutSuffix(where, "+")
	name, nth, counted := strings.Cut(where, ":")
	if o.Point, ok = Lookup(name); !ok {
		return o, fmt.Errorf("no point %q", name)
	}
	o.Nth = 1
	if counted {
		if o.Nth, err = strconv.ParseInt(nth, 10, 64); err != nil || o.Nth < 1 {
			return o, fmt.Errorf("%q is no number of hits", nth)
		}
	}
	return o, o.parseAction(what)
}

func (o *Order) parseAction(what string) error {
	name, arg, given := strings.Cut(what, ":")
	switch name {
	case "kill", "short":
		if given {
			return fmt.Errorf("%s takes no argument", name)
		}
		o.Action = Kill
		if name == "short" {
			o.Action = Short
		}
	case "stall":
		o.Action, o.arg = Stall, uint64(stallTime)
		if given {
			d, err := time.ParseDuration(arg)
			if err != nil || d <= 0 {
				return fmt.Errorf("%q is no time", arg)
			}
			o.arg = uint64(d)
		}
	case "error":
		o.Action, o.arg = Fail, uint64(syscall.EIO)
		if given {
			errno, ok := parseErrno(arg)
			if !ok {
				return fmt.Errorf("no errno %q", arg)
			}
			o.arg = uint64(errno)
		}
	default:
		return fmt.Errorf("no action %q", name)
	}
	return nil
}

// errnos are those that a step can be told to fail with.
var errnos = [...]struct {
	name  string
	errno syscall.Errno
}{
	{"EIO", syscall.EIO}, {"ENOMEM", syscall.ENOMEM}, {"ENOSPC", syscall.ENOSPC}, {"EINTR", syscall.EINTR},
	{"EAGAIN", syscall.EAGAIN}, {"ENOENT", syscall.ENOENT}, {"ENODEV", syscall.ENODEV}, {"EINVAL", syscall.EINVAL},
}

func parseErrno(name string) (syscall.Errno, bool) {
	for _, e := range errnos {
		if e.name == name {
			return e.errno, true
		}
	}
	return 0, false
}
