package main

import (
	"log/slog"
	"os"
	"path/filepath"

	"uzram/internal/keeper"
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
	multi      bool // many devices
	devices    int  // of these, to begin with
	hook       string
	restore    string // a saved disk; "" = none
	swap       swapMode
	resource   bool // there is a right to all guards; asked for before the worker gives it up
	keeper     bool
	standby    bool // of use with a keeper only
	fdstore    bool // systemd is the keeper
	wipe       bool
	detach     bool
	allowOther bool
	logFile    string // "": stderr, or syslog if detached
	logLevel   slog.Level
}

func mountCommand() *cli.Command {
	return &cli.Command{
		Name:      "mount",
		Usage:     "mount a new compressed RAM disk",
		UsageText: "uzram mount [--multi [--devices N] [--hook PROG]] [flags] DIR",
		Description: "Mounts a disk on the existing directory DIR and serves it until it is unmounted: in the foreground, or in the\n" +
			"background with --detach. DIR/image is the disk; the other files are the kernel's zram attributes. Settings are\n" +
			"applied in this order: --algorithm, --backing-dev, each --recomp-algorithm, each --set, --mem-limit, --disksize. If\n" +
			"one is refused nothing stays mounted.\n" +
			"SIZE: " + size.Accepted + "; powers of 1024.\n" +
			"--restore makes a disk of a file of uzram snapshot save, when all of the file was found right. It has all settings,\n" +
			"so that none may be given with it, but for --backing-dev, which takes the place of the file's.\n" +
			"SIGINT and SIGTERM unmount; if something still uses the mount the daemon says what and goes on.\n\n" +
			"Pages are written back to the backing device and recompressed by the secondary algorithms only when asked for: see\n" +
			"the verbs writeback and recompress. PATH of --backing-dev is a block device or a file. What is there is used as it\n" +
			"is, its content is overwritten, and SIZE means nothing then. If nothing is there and a SIZE is given, a sparse file\n" +
			"of that size is made that only its owner may read; it is removed again if the mount fails, and else stays. PRIO of\n" +
			"--recomp-algorithm is 1, 2 or 3.\n\n" +
			"--swap refuses to swap where that could block the machine: it needs locked memory, a reserve that is filled, a keeper\n" +
			"with a standby, and the guards io_flusher and oom_score_adj where there is a right to them. uzram umount, SIGINT and\n" +
			"SIGTERM end the swapping first, which reads everything back. --swap-besteffort does the same whatever is missing.\n\n" +
			"--multi makes DIR the directory of many devices, with the shape of /sys: DIR/class/zram-control/hot_add and hot_remove,\n" +
			"DIR/block/zramN for each device, DIR/dev/zramN for its image. Settings, --loop and --swap are then those of each of\n" +
			"the N devices that there are to begin with; --loop is for those that come later too, and one path a line is printed.\n" +
			"All verbs take DIR/block/zramN for a device; umount and upgrade take DIR.\n\n" +
			"PROG of --hook is run with the rights that the mount was started with, and for 30 seconds at most: add zramN MAJOR MINOR\n" +
			"before a read of hot_add shows the number, remove zramN MAJOR MINOR before a write to hot_remove returns, and for each\n" +
			"device when DIR was unmounted. The numbers are those of the device's loop device, 0 0 if it has none. If it fails, the\n" +
			"device is not added, or not removed. When the process that serves the mount dies meanwhile, it may be run once more.\n\n" +
			"Example: 4 GiB of swap space\n\n" +
			"  mkdir /run/z\n" +
			"  uzram mount --detach --swap --algorithm zstd --disksize 4G /run/z\n\n" +
			"Example: with a file to write pages back to, and a stronger algorithm for those that are not used\n\n" +
			"  uzram mount --detach --backing-dev /var/lib/uzram.back:8G --recomp-algorithm 1:zstd,level=12 --disksize 4G /run/z",
		Flags:  mountFlags(),
		Action: mountAction,
	}
}

func mountFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "algorithm", Usage: "compress with `NAME` (default: lz4); DIR/comp_algorithm lists the names"},
		&cli.StringFlag{Name: "backing-dev", Usage: "write pages back to a block device or file, given as `PATH[:SIZE]`"},
		&cli.StringSliceFlag{Name: "recomp-algorithm",
			Usage: "recompress with a secondary algorithm, given as `" + recompUsage + "`; may be repeated"},
		&cli.StringSliceFlag{Name: "set", Usage: "write VALUE to the attribute ATTR, given as `ATTR=VALUE`; may be repeated"},
		&cli.StringFlag{Name: "mem-limit", Usage: "let the compressed data take `SIZE` of memory at most"},
		&cli.StringFlag{Name: "disksize", Usage: "make the disk `SIZE` large; without it, write DIR/disksize later"},
		&cli.BoolFlag{DisableDefaultText: true, Name: "loop", Usage: "attach a loop device (direct I/O, 4096-byte sectors), print its path, detach it when unmounting"},
		&cli.BoolFlag{DisableDefaultText: true, Name: "multi", Usage: "mount a directory of many devices, of the shape of /sys"},
		&cli.IntFlag{Name: "devices", Value: 1, Usage: "with --multi: make `N` devices at once"},
		&cli.StringFlag{Name: "hook", Usage: "with --multi: run `PROG` add|remove zramN MAJOR MINOR when a device has come or is about to go"},
		&cli.BoolFlag{DisableDefaultText: true, Name: "keeper", Value: true,
			Usage: "have a small process keep the data, so that nothing is lost when the one that serves them dies (default: true)"},
		&cli.BoolFlag{DisableDefaultText: true, Name: "standby",
			Usage: "have the next process ready beforehand (default: as --loop or --swap)"},
		&cli.BoolFlag{DisableDefaultText: true, Name: "fdstore", Usage: "have systemd keep the data in place of a keeper; for services only"},
		restoreFlag(),
		swapFlag(), besteffortFlag(),
		&cli.BoolFlag{DisableDefaultText: true, Name: "detach", Usage: "serve in the background and return when the mount answers"},
		&cli.BoolFlag{DisableDefaultText: true, Name: "wipe", Usage: "zero the memory of a page as soon as the page is freed or overwritten"},
		&cli.BoolFlag{DisableDefaultText: true, Name: "allow-other", Usage: "let other users use the mount"},
		&cli.StringFlag{Name: "log", Usage: "append the log to `FILE` (default: stderr, or syslog with --detach)"},
		&cli.StringFlag{Name: "log-level", Value: "info", Usage: "log from `L` upwards: " + logging.LevelNames()},
	}
}

func mountAction(c *cli.Context) error {
	o, err := parseMount(c)
	if link, ok := inheritedLink(); ok {
		if err == nil {
			err = o.run(link, link)
		}
		link.failed(err)
		return err
	}
	if err != nil {
		return err
	}
	_, kept := keeper.StoreFilled()
	if o.restore != "" && !(o.fdstore && kept) { // else the disk is there, and the file may be gone
		if _, _, err := verifySnapshot(o.restore, c.App.ErrWriter); err != nil {
			return err
		}
	}
	warnOversize(c.App.ErrWriter, o.settings, o.count(), totalRAM())
	if o.detach {
		return detach(o, c.App.Writer)
	}
	return o.run(&foreground{apply: applyArgs(o), stdout: c.App.Writer}, nil)
}

// run is the daemon: a keeper, or all in one. link is nil in the foreground.
func (o mountOptions) run(f face, link *starter) error {
	if o.multi {
		manyFiles()
	}
	switch {
	case o.fdstore:
		store, err := keeper.InheritedStore()
		if err != nil {
			return err
		}
		return serve(o, f, store)
	case o.keeper:
		return runKeeper(o, link)
	}
	return serve(o, f, nil)
}

// parseMount checks all that can be checked before anything is started.
func parseMount(c *cli.Context) (mountOptions, error) {
	o := mountOptions{
		loop:       c.Bool("loop"),
		wipe:       c.Bool("wipe"),
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
	if err := o.parseMulti(c); err != nil {
		return o, err
	}
	if err := o.parseRestore(c); err != nil {
		return o, err
	}
	if err := o.parseSwap(c); err != nil {
		return o, err
	}
	if c.IsSet("log") {
		if err := tryLog(o.logFile); err != nil {
			return o, err
		}
		if o.logFile, err = filepath.Abs(o.logFile); err != nil { // a successor may work elsewhere
			return o, err
		}
	}
	if err := o.parseKeeper(c); err != nil {
		return o, err
	}
	if filled, _ := keeper.StoreFilled(); o.fdstore && filled { // the mount is there, and nobody answers yet
		o.dir, err = canonical(args[0])
		return o, err
	}
	o.dir, err = mountable(args[0])
	return o, err
}

// parseKeeper says who keeps the data. With --swap the loop flag is set by now.
func (o *mountOptions) parseKeeper(c *cli.Context) error {
	o.keeper, o.fdstore, o.standby = c.Bool("keeper"), c.Bool("fdstore"), o.loop
	if c.IsSet("standby") {
		o.standby = c.Bool("standby")
	}
	switch {
	case o.standby && !o.keeper && c.IsSet("standby"):
		return usagef("--standby needs --keeper")
	case o.fdstore && c.IsSet("keeper") && o.keeper:
		return usagef("--fdstore is in place of --keeper; give one of them")
	case o.fdstore && o.detach:
		return usagef("--fdstore is for services, which are not detached; leave --detach out")
	case o.fdstore && !keeper.StoreOffered():
		return usagef("--fdstore needs systemd: NOTIFY_SOCKET is not set")
	}
	return nil
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
