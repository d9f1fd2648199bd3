package ctldir

import (
	"fmt"
	"strings"
	"syscall"

	"uzram/internal/zramabi"

	"golang.org/x/sys/unix"
)

// Error is a failed read or write of an attribute.
type Error struct {
	Dir, Attr string
	Op        string // "read" or "write"
	Value     string // what was written
	Errno     syscall.Errno
}

func (e *Error) Unwrap() error { return e.Errno }

// Error tells in one sentence what was wrong and what would be right.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s", e.what(), e.why())
}

// what names the command.
func (e *Error) what() string {
	if e.Op == "write" {
		return fmt.Sprintf("%s=%s", e.Attr, quote(e.Value))
	}
	return e.Dir + "/" + e.Attr
}

// quote shortens long values and makes control characters visible.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		s = s[:most] + "..."
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == 0x7f }) || s == "" {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// reason is a sentence for one errno of one attribute.
type reason struct {
	attr  string // "" for all
	op    string // "" for both
	errno syscall.Errno
	text  string
}

const (
	isSetUp   = "the device is already set up; reset it first"
	notSetUp  = "the device is not set up; write disksize first"
	badParams = "accepted are key=value pairs: priority=0..3, algo=NAME, level=N, dict=PATH, deflate.winbits=N; " +
		"an algo must be one that the device is set to use"
	backing = "accepted are a block device and a plain file"
)

// reasons holds the special ones first: the first row that fits wins.
var reasons = []reason{
	{"disksize", "write", unix.EBUSY, isSetUp},
	{"disksize", "write", unix.EINVAL, "it must be a number of bytes above 0 with an optional K M G T P E, and below 16E; " +
		"or the algorithm refuses its level or dictionary"},
	{"disksize", "write", unix.ENOMEM, "there is not enough memory for the table of a disk of that size"},
	{"disksize", "write", unix.EOPNOTSUPP, "the algorithm takes no such level or dictionary"},
	{"comp_algorithm", "write", unix.EINVAL, "no such algorithm; comp_algorithm lists those there are"},
	{"comp_algorithm", "write", unix.E2BIG, "no algorithm has so long a name"},
	{"comp_algorithm", "write", unix.EBUSY, isSetUp},
	{"recomp_algorithm", "write", unix.EBUSY, isSetUp},
	{"recomp_algorithm", "write", unix.EINVAL, "accepted are algo=NAME, one of those that comp_algorithm lists, and priority=1..3"},
	{"recomp_algorithm", "write", unix.E2BIG, "no algorithm has so long a name"},
	{"backing_dev", "write", unix.EBUSY, "the device is already set up, or something else uses the file or block device"},
	{"backing_dev", "write", unix.ENOENT, "there is no such file or block device"},
	{"backing_dev", "write", unix.ENOTDIR, "there is no such file or block device"},
	{"backing_dev", "write", unix.EISDIR, "that is a directory; " + backing},
	{"backing_dev", "write", unix.ENOTBLK, "that is something else; " + backing},
	{"backing_dev", "write", unix.EINVAL, "it is shorter than 4096 bytes"},
	{"backing_dev", "write", unix.EACCES, "it must be one that can be read and written"},
	{"backing_dev", "write", unix.EROFS, "it must be one that can be read and written"},
	{"writeback", "write", unix.ENODEV, "there is no backing device; backing_dev sets it, before disksize"},
	{"writeback", "write", unix.EINVAL, "accepted are idle, huge, huge_idle, incompressible, page_index=N and page_indexes=LO-HI, " +
		"and the device must be set up"},
	{"writeback", "write", unix.ERANGE, "the disk has no such pages"},
	{"writeback", "write", unix.ENOSPC, "the backing device is full"},
	{"writeback", "write", unix.EIO, "the backing device failed, or writeback_limit is used up"},
	{"writeback", "write", unix.EBUSY, "the device was reset meanwhile"},
	{"writeback_batch_size", "write", unix.EINVAL, "it must be a number above 0 that fits in 32 bits"},
	{"writeback_encryption", "write", unix.EPERM, "the key could be swapped out, because memory is not locked; see the guards of uzram status"},
	{"recompress", "write", unix.EINVAL, fmt.Sprintf("accepted are type=idle|huge|huge_idle, threshold=0..%d, max_pages=N, and algo=NAME or ", zramabi.HugeSize-1) +
		"priority=1..3 of an algorithm that recomp_algorithm lists; and the device must be set up"},
	{"recompress", "write", unix.ENOMEM, "there is no memory for the new object of a page"},
	{"recompress", "write", unix.EIO, "an algorithm failed on a page, which is as it was"},
	{"recompress", "write", unix.EBUSY, "the device was reset meanwhile"},
	{"algorithm_params", "write", unix.EINVAL, badParams},
	{"algorithm_params", "write", unix.ERANGE, "level and deflate.winbits must fit in 32 bits"},
	{"algorithm_params", "write", unix.ENOENT, "there is no such dictionary file"},
	{"algorithm_params", "write", unix.EBUSY, isSetUp},
	{"mem_limit", "write", unix.EINVAL, "it must be a number of bytes with an optional K M G T P E, 0 for no limit"},
	{"mem_used_max", "write", unix.EINVAL, "it takes 0 only"},
	{"reset", "write", unix.EBUSY, "the device is in use"},
	{"reset", "write", unix.EINVAL, "it takes a number other than 0"},
	{"reset", "write", unix.ERANGE, "it takes a number from 1 to 65535"},
	{"compact", "write", unix.EINVAL, notSetUp},
	{"idle", "write", unix.EINVAL, "it takes \"all\" or an age in seconds, and the device must be set up"},
	{"debug/status", "read", unix.EACCES, "only the user who mounted it may look into it; mount --allow-other lets others, too"},
	{"debug/classes", "read", unix.EINVAL, notSetUp},
	{"debug/block_state", "read", unix.EINVAL, notSetUp},
	{"debug/page_state", "read", unix.EINVAL, notSetUp},

	{"", "", unix.ENOENT, "there is no such attribute"},
	{"", "", unix.ENOTDIR, "that is no control directory"},
	{"", "", unix.EISDIR, "that is a directory, not an attribute"},
	{"", "write", unix.EACCES, "it can only be read, or you may not write it"},
	{"", "read", unix.EACCES, "it can only be written, or you may not read it"},
	{"", "", unix.EPERM, "you may not do that"},
	{"", "write", unix.E2BIG, fmt.Sprintf("a command has at most %d bytes", maxWrite)},
	{"", "write", unix.EINVAL, "the attribute does not accept that value"},
	{"", "write", unix.ERANGE, "the number is too large"},
	{"", "write", unix.EBUSY, "the device is in use or already set up"},
	{"", "", unix.ENOTCONN, "the daemon behind it is dead; clean up with uzram umount"},
	{"", "", unix.ECONNABORTED, "the daemon behind it is dead; clean up with uzram umount"},
}

// why gives the reason, the system's words where no row fits.
func (e *Error) why() string {
	for _, r := range reasons {
		if r.errno == e.Errno && (r.attr == "" || r.attr == e.Attr) && (r.op == "" || r.op == e.Op) {
			return r.text
		}
	}
	return e.Errno.Error()
}
