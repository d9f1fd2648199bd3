package e2e

import (
	"strings"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// verbRow is a command line and the exit code that it must give.
type verbRow struct {
	code int
	args []string
}

func line(code int, args ...string) verbRow { return verbRow{code, args} }

var verbRows = []verbRow{
	line(2),
	line(2, "frobnicate"),
	line(2, "--frobnicate"),
	line(2, "mount"),
	line(2, "mount", ""),
	line(2, "mount", "DIR", "DIR"),
	line(2, "mount", "--frobnicate", "DIR"),
	line(2, "mount", "DIR", "--detach"),
	line(2, "mount", "--detach", "NOWHERE"),
	line(2, "mount", "--detach", "NOWHERE/below"),
	line(2, "mount", "--detach", "FILE"),
	line(2, "mount", "--detach", "FILE/below"),
	line(4, "mount", "--detach", "UNSET"),
	line(2, "mount", "--disksize"),
	line(2, "mount", "--detach", "--disksize", "", "DIR"),
	line(2, "mount", "--detach", "--disksize", "0", "DIR"),
	line(2, "mount", "--detach", "--disksize", "1X", "DIR"),
	line(2, "mount", "--detach", "--disksize", "1GB1", "DIR"),
	line(2, "mount", "--detach", "--disksize", "1KiBi", "DIR"),
	line(2, "mount", "--detach", "--disksize", "1.5G", "DIR"),
	line(2, "mount", "--detach", "--disksize", "-1", "DIR"),
	line(2, "mount", "--detach", "--disksize", "+1G", "DIR"),
	line(2, "mount", "--detach", "--disksize", " 1G", "DIR"),
	line(2, "mount", "--detach", "--disksize", "1 G", "DIR"),
	line(2, "mount", "--detach", "--disksize", "0x1000", "DIR"),
	line(2, "mount", "--detach", "--disksize", "G", "DIR"),
	line(2, "mount", "--detach", "--disksize", "16E", "DIR"),
	line(2, "mount", "--detach", "--disksize", "18446744073709551616", "DIR"),
	line(2, "mount", "--detach", "--mem-limit", "lots", "DIR"),
	line(2, "mount", "--detach", "--mem-limit", "1GiBs", "DIR"),
	line(2, "mount", "--detach", "--algorithm", "", "DIR"),
	line(2, "mount", "--detach", "--algorithm", "nosuch", "DIR"),
	line(2, "mount", "--detach", "--algorithm", "LZ4", "DIR"),
	line(2, "mount", "--detach", "--set", "disksize", "DIR"),
	line(2, "mount", "--detach", "--set", "=1", "DIR"),
	line(2, "mount", "--detach", "--set", "disksize=", "DIR"),
	line(2, "mount", "--detach", "--set", "../disksize=1", "DIR"),
	line(2, "mount", "--detach", "--set", "nosuch=1", "DIR"),
	line(2, "mount", "--detach", "--set", "disksize=abc", "DIR"),
	line(2, "mount", "--detach", "--set", "mm_stat=1", "DIR"),
	line(2, "mount", "--detach", "--set", "disksize=1M", "--disksize", "1M", "DIR"),
	line(2, "mount", "--detach", "--algorithm", "zstd", "--set", "algorithm_params=level=99", "--disksize", "1M", "DIR"),
	line(2, "mount", "--detach", "--loop", "--set", "disksize=abc", "DIR"),
	line(2, "mount", "--algorithm", "nosuch", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", ":1M", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "NOWHERE", "DIR"),
	line(2, "mount", "--backing-dev", "NOWHERE", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "NOWHERE:1X", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "NOWHERE:4095", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "NOWHERE/below:1M", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "FILE/below:1M", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "FILE", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "FILE:1M", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "DIR", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "/dev/null", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "BUSY", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "NOWHERE:1M", "--disksize", "0", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "NOWHERE:1M", "--set", "disksize=abc", "DIR"),
	line(2, "mount", "--backing-dev", "NOWHERE:1M", "--set", "disksize=abc", "DIR"),
	line(2, "mount", "--detach", "--recomp-algorithm", "zstd", "DIR"),
	line(2, "mount", "--detach", "--recomp-algorithm", "1:", "DIR"),
	line(2, "mount", "--detach", "--recomp-algorithm", "4:zstd", "DIR"),
	line(2, "mount", "--detach", "--recomp-algorithm", "1:nosuch", "DIR"),
	line(2, "mount", "--detach", "--backing-dev", "NOWHERE:1M", "--recomp-algorithm", "1:nosuch", "DIR"),
	line(2, "mount", "--backing-dev", "NOWHERE:1M", "--recomp-algorithm", "1:nosuch", "DIR"),
	line(2, "mount", "--detach", "--recomp-algorithm", "1:zstd,speed=9", "DIR"),
	line(2, "mount", "--detach", "--recomp-algorithm", "1:zstd,level=fast", "DIR"),
	line(2, "mount", "--detach", "--recomp-algorithm", "1:zstd,level=99", "DIR"),
	line(2, "mount", "--detach", "--recomp-algorithm", "1:lzo,level=1", "DIR"),
	line(2, "mount", "--detach", "--recomp-algorithm", "1:zstd,dict=NOWHERE", "DIR"),
	line(2, "mount", "--detach", "--recomp-algorithm", "1:zstd", "--recomp-algorithm", "1:deflate", "DIR"),
	line(2, "mount", "--loop", "--set", "disksize=abc", "DIR"),
	line(2, "mount", "--detach", "--swap", "DIR"),
	line(2, "mount", "--detach", "--swap", "--disksize", "32K", "DIR"),
	line(2, "mount", "--detach", "--swap-besteffort", "--set", "disksize=abc", "DIR"),
	line(5, "mount", "--detach", "--swap", "--keeper=false", "--disksize", "1M", "DIR"),
	line(5, "mount", "--detach", "--swap", "--standby=false", "--disksize", "1M", "DIR"),
	line(2, "mount", "--devices", "2", "DIR"),
	line(2, "mount", "--hook", "/bin/true", "DIR"),
	line(2, "mount", "--multi", "--devices", "-1", "DIR"),
	line(2, "mount", "--multi", "--devices", "5000", "DIR"),
	line(2, "mount", "--multi", "--hook", "NOWHERE", "DIR"),
	line(2, "mount", "--multi", "--restore", "NOWHERE", "DIR"),
	line(2, "mount", "--multi", "--backing-dev", "NOWHERE:1M", "DIR"),
	line(2, "mount", "--detach", "--log-level", "loud", "DIR"),
	line(2, "mount", "--detach", "--log", "NOWHERE/log", "DIR"),
	line(2, "mount", "--detach=maybe", "DIR"),
	line(2, "umount"),
	line(2, "umount", "UNSET", "SWAPPED"),
	line(2, "umount", "--force", "UNSET"),
	line(3, "umount", "DIR"),
	line(3, "umount", "FILE"),
	line(3, "umount", "NOWHERE"),
	line(3, "umount", "UNSET/debug"),
	line(3, "umount", "/proc"),
	line(4, "umount", "SWAPPED"),
	line(2, "status"),
	line(2, "status", "--jsn", "UNSET"),
	line(2, "status", "UNSET", "--json"),
	line(2, "status", "UNSET", "SWAPPED"),
	line(3, "status", "DIR"),
	line(3, "status", "--json", "NOWHERE"),
	line(2, "list", "--output", "nosuch"),
	line(2, "list", "--output", ""),
	line(2, "list", "--raw", "--json"),
	line(2, "list", "--output-all", "--output", "name"),
	line(2, "list", "UNSET", "--row"),
	line(2, "list", ""),
	line(3, "list", "DIR"),
	line(3, "list", "NOWHERE"),
	line(3, "list", "FILE"),
	line(3, "list", "/dev/zram4000000"),
	line(2, "add"),
	line(2, "add", "UNSET"),
	line(2, "add", "UNSET", "-s", "1X"),
	line(2, "add", "UNSET", "-s", "0"),
	line(2, "add", "UNSET", "-s"),
	line(2, "add", "UNSET", "--frobnicate", "1"),
	line(3, "add", "DIR"),
	line(2, "remove", "UNSET"),
	line(2, "remove", "UNSET", "one"),
	line(2, "remove", "UNSET", "0"),
	line(3, "remove", "DIR", "0"),
	line(2, "set", "UNSET"),
	line(2, "set", "UNSET", "mem_limit"),
	line(2, "set", "UNSET", "../mem_limit=1"),
	line(2, "set", "UNSET", "mem_limit=lots"),
	line(2, "set", "UNSET", "comp_algorithm=nosuch"),
	line(2, "set", "UNSET", "nosuch=1"),
	line(2, "set", "SWAPPED", "disksize=1M"),
	line(4, "set", "SWAPPED", "reset=1"),
	line(3, "set", "DIR", "mem_limit=1"),
	line(3, "set", "DIR/block/zram0", "mem_limit=1"),
	line(3, "set", "/sys/block/zram4000000", "mem_limit=1"),
	line(2, "up", "DIR"),
	line(2, "up", "-c", "NOWHERE"),
	line(2, "up", "-c", "DIR"),
	line(2, "up", "-c", "FILE", "--dir", ""),
	line(2, "down", "DIR"),
	line(3, "down", "--dir", "DIR"),
	line(3, "down", "--dir", "NOWHERE"),
	line(2, "reset"),
	line(3, "reset", "DIR"),
	line(3, "reset", "NOWHERE"),
	line(3, "reset", "UNSET", "NOWHERE"),
	line(4, "reset", "SWAPPED"),
	line(2, "compact"),
	line(3, "compact", "DIR"),
	line(1, "compact", "UNSET"),
	line(2, "drain"),
	line(2, "drain", "--type", "idle", "UNSET"),
	line(3, "drain", "DIR"),
	line(1, "drain", "UNSET"),
	line(2, "check"),
	line(2, "check", "DIR", "DIR"),
	line(3, "check", "DIR"),
	line(1, "check", "UNSET"),
	line(2, "idle"),
	line(2, "idle", "--age", "UNSET"),
	line(2, "idle", "--age", "soon", "UNSET"),
	line(2, "idle", "--age", "1.5", "UNSET"),
	line(2, "idle", "--age", "-1s", "UNSET"),
	line(2, "idle", "UNSET", "--dry-run"),
	line(3, "idle", "DIR"),
	line(1, "idle", "UNSET"),
	line(1, "idle", "--dry-run", "UNSET"),
	line(2, "writeback"),
	line(2, "writeback", "--type", "all", "SWAPPED"),
	line(2, "writeback", "--type", "", "SWAPPED"),
	line(2, "writeback", "--type", "idle", "--pages", "0-9", "SWAPPED"),
	line(2, "writeback", "--pages", "9-0", "SWAPPED"),
	line(2, "writeback", "--pages", "first", "SWAPPED"),
	line(2, "writeback", "--pages", "0-16384", "SWAPPED"),
	line(2, "writeback", "--dry-run", "--pages", "16384", "SWAPPED"),
	line(2, "writeback", "--budget", "4095", "SWAPPED"),
	line(2, "writeback", "--budget", "some", "SWAPPED"),
	line(2, "writeback", "--batch", "0", "SWAPPED"),
	line(2, "writeback", "--batch", "4294967296", "SWAPPED"),
	line(3, "writeback", "DIR"),
	line(3, "writeback", "NOWHERE", "DIR"),
	line(1, "writeback", "UNSET"),
	line(2, "recompress"),
	line(2, "recompress", "--type", "incompressible", "SWAPPED"),
	line(2, "recompress", "--threshold", "3625", "SWAPPED"),
	line(2, "recompress", "--threshold", "small", "SWAPPED"),
	line(2, "recompress", "--max-pages", "0", "SWAPPED"),
	line(2, "recompress", "--priority", "4", "SWAPPED"),
	line(2, "recompress", "--algorithm", "", "SWAPPED"),
	line(2, "recompress", "SWAPPED"),
	line(2, "recompress", "--algorithm", "nosuch", "SWAPPED"),
	line(2, "recompress", "--dry-run", "--priority", "1", "SWAPPED"),
	line(3, "recompress", "DIR"),
	line(1, "recompress", "UNSET"),
	line(2, "dict"),
	line(2, "dict", "frobnicate"),
	line(2, "dict", "train"),
	line(2, "dict", "train", "--frobnicate"),
	line(2, "dict", "train", "FILE"),
	line(2, "dict", "train", "-o", "NOWHERE"),
	line(2, "dict", "train", "-o", "NOWHERE", ""),
	line(2, "dict", "train", "FILE", "-o", "NOWHERE"),
	line(2, "dict", "train", "-o", "NOWHERE/below", "FILE"),
	line(2, "dict", "train", "-o", "DIR", "FILE"),
	line(2, "dict", "train", "-o", "FILE", "FILE"),
	line(2, "dict", "train", "-o", "NOWHERE", "--size", "65K", "FILE"),
	line(2, "dict", "train", "-o", "NOWHERE", "--size", "1X", "FILE"),
	line(2, "dict", "train", "-o", "NOWHERE", "--samples", "10", "FILE"),
	line(2, "dict", "train", "-o", "NOWHERE", "--algorithm", "lzo", "FILE"),
	line(2, "dict", "train", "-o", "NOWHERE", "--level", "99", "FILE"),
	line(2, "dict", "train", "-o", "NOWHERE", "--algorithm", "lz4", "--raw", "FILE"),
	line(2, "dict", "train", "-o", "NOWHERE", "NOWHERE"),
	line(2, "dict", "train", "-o", "NOWHERE", "/dev/null"),
	line(3, "dict", "train", "-o", "NOWHERE", "DIR"),
	line(1, "dict", "train", "-o", "NOWHERE", "UNSET"),
	line(1, "dict", "train", "-o", "NOWHERE", "FILE"),
	line(2, "version", "DIR"),
	line(2, "version", "--long"),
}

var userRows = []verbRow{
	line(5, "mount", "--detach", "--loop", "DIR"),
	line(5, "mount", "--detach", "--allow-other", "DIR"),
	line(5, "mount", "--detach", "/usr"),
}

// When a row is tried.
const (
	unset  = "unset"
	set    = "set"
	backed = "backed"
	always = "always"
)

// attrRow is a write to an attribute and the error that it must give.
type attrRow struct {
	attr, value string
	when        string
	want        unix.Errno
}

// attrRows is made of the tables below.
var attrRows = func() (rows []attrRow) {
	for _, g := range attrGroups {
		for _, v := range g.values {
			rows = append(rows, attrRow{g.attr, v + "\n", g.when, g.want})
		}
	}
	return rows
}()

var attrGroups = []struct {
	attr   string
	when   string
	want   unix.Errno
	values []string
}{
	{"disksize", always, unix.EINVAL, []string{"", "0", "0K", "abc", "K", "-1", "+4096", " 4096", "=4096", "16E", "18446744073709551615"}},
	{"disksize", set, unix.EBUSY, []string{"1048576", "1M", "2M"}},
	{"reset", always, unix.EINVAL, []string{"", "0", "abc", "-1", " 1", "1x", "0x1"}},
	{"reset", always, unix.ERANGE, []string{"65536"}},
	{"comp_algorithm", always, unix.EINVAL, []string{"", "nosuch", "LZ4", " lz4", "lz4 ", "lz4 zstd", "[lz4]"}},
	{"comp_algorithm", always, unix.E2BIG, []string{strings.Repeat("x", 200)}},
	{"comp_algorithm", set, unix.EBUSY, []string{"lz4", "zstd"}},
	{"algorithm_params", always, unix.EINVAL, []string{"level", "level=", "level=abc", "level=1.5", "level= 1", "foo", "level=1 foo"}},
	{"algorithm_params", unset, unix.EINVAL, []string{"priority=4", "priority=-1 level=1", "algo=nosuch level=1", "algo=zstd level=1"}},
	{"algorithm_params", always, unix.ERANGE, []string{"level=99999999999"}},
	{"algorithm_params", unset, unix.ENOENT, []string{"dict=/nowhere/at/all"}},
	{"algorithm_params", unset, unix.EINVAL, []string{"dict=EMPTYFILE", "dict=/"}},
	{"algorithm_params", set, unix.EBUSY, []string{"level=1", "", "foo=bar"}},
	{"mem_limit", always, unix.EINVAL, []string{"", "abc", "K", "-1", "+1", " 1M"}},
	{"mem_used_max", always, unix.EINVAL, []string{"", "1", "0x0", "-0", "abc", " 0", "0K"}},
	{"idle", always, unix.EINVAL, []string{"", "foo", " all", "all ", "ALL", "-1", "12abc", "1.5", "99999999999"}},
	{"idle", unset, unix.EINVAL, []string{"all", "1"}},
	{"recomp_algorithm", always, unix.EINVAL, []string{"", "zstd", "algo=", "priority=1", "algo=nosuch", "algo=zstd priority=x"}},
	{"recomp_algorithm", unset, unix.EINVAL, []string{"algo=zstd priority=0", "algo=zstd priority=4", "algo=zstd priority=-1"}},
	{"recomp_algorithm", always, unix.ERANGE, []string{"algo=zstd priority=99999999999"}},
	{"recomp_algorithm", always, unix.E2BIG, []string{"algo=" + strings.Repeat("x", 200)}},
	{"recomp_algorithm", set, unix.EBUSY, []string{"algo=zstd", "algo=lz4 priority=3"}},
	{"recompress", always, unix.EINVAL, []string{
		"", "huge", "type=", "type=odd", "threshold=abc", "threshold=-1", "threshold=3625", "max_pages=x", "priority=0", "priority=4", "algo=nosuch",
	}},
	{"recompress", always, unix.ERANGE, []string{"threshold=4294967296", "max_pages=18446744073709551616", "priority=99999999999"}},
	{"backing_dev", unset, unix.ENOENT, []string{"/nowhere/at/all", "EMPTYFILE ", " EMPTYFILE"}},
	{"backing_dev", unset, unix.ENOTDIR, []string{"EMPTYFILE/below"}},
	{"backing_dev", unset, unix.EISDIR, []string{"", "/"}},
	{"backing_dev", unset, unix.ENOTBLK, []string{"/dev/null"}},
	{"backing_dev", unset, unix.EINVAL, []string{"EMPTYFILE"}},
	{"backing_dev", set, unix.EBUSY, []string{"EMPTYFILE", "/nowhere/at/all"}},
	{"writeback", unset, unix.EINVAL, []string{"idle", "foo"}},
	{"writeback", set, unix.ENODEV, []string{"idle", "foo", "page_index=0"}},
	{"writeback", backed, unix.EINVAL, []string{
		"foo", "all", "IDLE", "type=", "type=foo", "page_index=", "page_index=x", "page_index=-1", "page_indexes=5", "page_indexes=5-", "page_indexes=-5",
		"page_index=0 foo",
	}},
	{"writeback", backed, unix.ERANGE, []string{"page_index=256", "page_indexes=0-256", "page_indexes=9-0", "page_index=18446744073709551616", "page_index=0 page_index=256"}},
	{"writeback_limit_enable", always, unix.EINVAL, []string{"", "on", "-1", " 1", "0x1", "18446744073709551616"}},
	{"writeback_limit", always, unix.EINVAL, []string{"", "10K", "-1", " 1", "0x10", "18446744073709551616"}},
	{"writeback_batch_size", always, unix.EINVAL, []string{"", "0", "many", "-1", "32K", "4294967296"}},
	{"compressed_writeback", always, unix.EINVAL, []string{"", "2", "maybe", " 1"}},
	{"compressed_writeback", set, unix.EBUSY, []string{"0", "1"}},
	{"writeback_pack", always, unix.EINVAL, []string{"", "2", "maybe", " 1"}},
	{"writeback_pack", set, unix.EBUSY, []string{"0", "1"}},
	{"writeback_checksum", always, unix.EINVAL, []string{"", "2", "maybe", " 1"}},
	{"writeback_checksum", set, unix.EBUSY, []string{"0", "1"}},
	{"writeback_encryption", always, unix.EINVAL, []string{"", "2", "maybe", " 1"}},
	{"writeback_encryption", set, unix.EBUSY, []string{"0"}},
	{"compact", unset, unix.EINVAL, []string{"1"}},
	{"initstate", always, unix.EACCES, []string{"1"}},
	{"mm_stat", always, unix.EACCES, []string{"0"}},
	{"io_stat", always, unix.EACCES, []string{"0"}},
	{"bd_stat", always, unix.EACCES, []string{"0"}},
	{"debug_stat", always, unix.EACCES, []string{"0"}},
	{"stat", always, unix.EACCES, []string{"0"}},
	{"size", always, unix.EACCES, []string{"0"}},
	{"ro", always, unix.EACCES, []string{"1"}},
	{"removable", always, unix.EACCES, []string{"1"}},
	{"debug/block_state", always, unix.EACCES, []string{"0"}},
	{"debug/page_state", always, unix.EACCES, []string{"0"}},
	{"debug/classes", always, unix.EACCES, []string{"0"}},
	{"debug/status", always, unix.EACCES, []string{"{}"}},
	{"debug/control", always, unix.EINVAL, []string{"", "frobnicate", "log-level", "log-level loud", "log-level info info",
		"free-hint", "free-hint x", "free-hint -1", "free-hint 0 1 2", "free-hint 99999999999999999999"}},
	{"debug/control", unset, unix.EINVAL, []string{"free-hint 0"}},
	{"debug/check", always, unix.EACCES, []string{"1"}},
}

// writeOnly are the attributes that nobody can read.
var writeOnly = []string{"reset", "compact", "mem_limit", "mem_used_max", "idle", "algorithm_params", "recompress", "writeback", "debug/control"}

// callRow is a system call that must fail.
type callRow struct {
	name string
	want unix.Errno
	call func(fd int, dev *harness.Dev) error
}

var callRows = []callRow{
	{"write at the end of the image", unix.ENOSPC, func(fd int, _ *harness.Dev) error { return errOf(unix.Pwrite(fd, []byte("x"), mib)) }},
	{"write far past the end", unix.ENOSPC, func(fd int, _ *harness.Dev) error { return errOf(unix.Pwrite(fd, []byte("x"), 1<<40)) }},
	{"fallocate that would allocate", unix.EOPNOTSUPP, func(fd int, _ *harness.Dev) error { return unix.Fallocate(fd, 0, 0, page) }},
	{"fallocate past the end", unix.EOPNOTSUPP, func(fd int, _ *harness.Dev) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, mib, page)
	}},
	{"fallocate that would collapse", unix.EOPNOTSUPP, func(fd int, _ *harness.Dev) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_COLLAPSE_RANGE, 0, page)
	}},
	{"swapon on the image itself", unix.EINVAL, swapOnImage},
	{"create a file", unix.EACCES, func(_ int, dev *harness.Dev) error {
		return errOf(harness.WriteFile(dev.Path("new"), "x", unix.O_CREAT|unix.O_EXCL))
	}},
	{"make a directory", unix.EPERM, func(_ int, dev *harness.Dev) error { return unix.Mkdir(dev.Path("new"), 0o755) }},
	{"remove an attribute", unix.EPERM, func(_ int, dev *harness.Dev) error { return unix.Unlink(dev.Path("disksize")) }},
	{"remove the image", unix.EPERM, func(_ int, dev *harness.Dev) error { return unix.Unlink(dev.Image) }},
	{"rename an attribute", unix.EPERM, func(_ int, dev *harness.Dev) error { return unix.Rename(dev.Path("disksize"), dev.Path("new")) }},
	{"open what is not there", unix.ENOENT, func(_ int, dev *harness.Dev) error { return errOf(0, dev.Write("nosuch", "1")) }},
}

func errOf(_ int, err error) error { return err }
