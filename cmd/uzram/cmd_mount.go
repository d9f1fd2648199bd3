package main

import (
	"log/slog"
	"os"

	"uzram/internal/logging"
	"uzram/internal/size"

	"github.com/urfave/cli/v2"
)

// mountOptions is a parsed command line of mount.
type mountOptions struct {
	dir        string // canonical
	settings   []setting
	backing    backing
	loop       bool
	detach     bool
	allowOther bool
	logFile    string // "": stderr, or syslog if detached
	logLevel   slog.Level
}

func mountCommand() *cli.Command {
	return &cli.Command{
		Name:      "mount",
		Usage:     "mount a new compressed RAM disk",
		UsageText: "uzram mount [flags] DIR",
		Description: "Mounts a disk on the existing directory DIR and serves it until it is unmounted: in the foreground, or in the\n" +
			"background with --detach. DIR/image is the disk; the other files are the kernel's zram attributes. Settings are\n" +
			"applied in this order: --algorithm, --backing-dev, each --recomp-algorithm, each --set, --mem-limit, --disksize. If\n" +
			"one is refused nothing stays mounted.\n" +
			"SIZE: " + size.Accepted + "; powers of 1024.\n" +
			"SIGINT and SIGTERM unmount; if something still uses the mount the daemon says what and goes on.\n\n" +
			"Pages are written back to the backing device and recompressed by the secondary algorithms only when asked for: see\n" +
			"the verbs writeback and recompress. PATH of --backing-dev is a block device or a file. What is there is used as it\n" +
			"is, its content is overwritten, and SIZE means nothing then. If nothing is there and a SIZE is given, a sparse file\n" +
			"of that size is made that only its owner may read; it is removed again if the mount fails, and else stays. PRIO of\n" +
			"--recomp-algorithm is 1, 2 or 3.\n\n" +
			"Example: a 4 GiB disk as swap space\n\n" +
			"  mkdir /run/z\n" +
			"  dev=$(uzram mount --detach --loop --algorithm zstd --disksize 4G /run/z)\n" +
			"  mkswap $dev && swapon --discard -p 100 $dev\n\n" +
			"Example: with a file to write pages back to, and a stronger algorithm for those that are not used\n\n" +
			"  uzram mount --detach --backing-dev /var/lib/uzram.back:8G --recomp-algorithm 1:zstd,level=12 --disksize 4G /run/z",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "algorithm", Usage: "compress with `NAME` (default: lz4); DIR/comp_algorithm lists the names"},
			&cli.StringFlag{Name: "backing-dev", Usage: "write pages back to a block device or file, given as `PATH[:SIZE]`"},
			&cli.StringSliceFlag{Name: "recomp-algorithm",
				Usage: "recompress with a secondary algorithm, given as `" + recompUsage + "`; may be repeated"},
			&cli.StringSliceFlag{Name: "set", Usage: "write VALUE to the attribute ATTR, given as `ATTR=VALUE`; may be repeated"},
			&cli.StringFlag{Name: "mem-limit", Usage: "let the compressed data take `SIZE` of memory at most"},
			&cli.StringFlag{Name: "disksize", Usage: "make the disk `SIZE` large; without it, write DIR/disksize later"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "loop", Usage: "attach a loop device (direct I/O, 4096-byte sectors), print its path, detach it when unmounting"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "detach", Usage: "serve in the background and return when the mount answers"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "allow-other", Usage: "let other users use the mount"},
			&cli.StringFlag{Name: "log", Usage: "append the log to `FILE` (default: stderr, or syslog with --detach)"},
			&cli.StringFlag{Name: "log-level", Value: "info", Usage: "log from `L` upwards: " + logging.LevelNames()},
		},
		Action: mountAction,
	}
}

func mountAction(c *cli.Context) error {
	o, err := parseMount(c)
	if link, ok := inheritedLink(); ok {
		if err == nil {
			err = serve(o, link)
		}
		link.failed(err)
		return err
	}
	if err != nil {
		return err
	}
	warnOversize(c.App.ErrWriter, o.settings, totalRAM())
	if o.detach {
		return detach(o, c.App.Writer)
	}
	return serve(o, &foreground{opts: o, stdout: c.App.Writer})
}

// parseMount checks all that can be checked before anything is started.
func parseMount(c *cli.Context) (mountOptions, error) {
	o := mountOptions{
		loop:       c.Bool("loop"),
		detach:     c.Bool("detach"),
		allowOther: c.Bool("allow-other"),
		logFile:    c.String("log"),
	}
	args, err := dirArgs(c, 1)
	if err != nil {
		return o, err
	}
	if c.IsSet("backing-dev") {
		if o.backing, err = parseBacking(c.String("backing-dev")); err != nil {
			return o, err
		}
	}
	if o.settings, err = parseSettings(c, o.backing); err != nil {
		return o, err
	}
	if o.logLevel, err = logging.ParseLevel(c.String("log-level")); err != nil {
		return o, usagef("--log-level: %w", err)
	}
	if c.IsSet("log") {
		if err := tryLog(o.logFile); err != nil {
			return o, err
		}
	}
	o.dir, err = mountable(args[0])
	return o, err
}

// tryLog sees to it that a log file that cannot be written is reported while somebody listens.
func tryLog(name string) error {
	f, err := openLogFile(name)
	if err != nil {
		return usagef("--log: %w", err)
	}
	return f.Close()
}

func openLogFile(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
}
