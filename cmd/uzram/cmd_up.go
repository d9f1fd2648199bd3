package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"uzram/internal/ctldir"
	"uzram/internal/guard"
	"uzram/internal/size"
	"uzram/internal/sysview"
	"uzram/internal/zramconf"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// upDir is where up mounts.
const upDir = sysview.DefaultDir

// rootEnv is zram-generator's variable: the configuration and proc/meminfo are looked for below the directory that it names.
const rootEnv = "ZRAM_GENERATOR_ROOT"

func upCommand() *cli.Command {
	return &cli.Command{
		Name:      "up",
		Usage:     "set up the devices of a configuration: swap space and file systems",
		UsageText: "uzram up [flags]",
		Description: "Reads a configuration in the format of zram-generator.conf(5), mounts on " + upDir + ", and sets up there what it\n" +
			"says: zramN of the configuration is " + upDir + "/block/zramN, with a loop device of its own that is swapped on or\n" +
			"mounted. If something fails nothing of it stays. The configuration is " + zramconf.OwnFile + " if that is there,\n" +
			"and else zram-generator's: systemd/zram-generator.conf and systemd/zram-generator.conf.d/*.conf in /usr/lib,\n" +
			"/usr/local/lib, /etc and /run. " + rootEnv + " is understood.\n\n" +
			"Of the algorithms in compression-algorithm the first is the device's, the others are secondary ones with the\n" +
			"priorities 1, 2, 3. Parameters that algorithm_params knows go there. What recompression shall do, as (type=idle), is\n" +
			"written to recompress once, which checks it; pages are recompressed when uzram recompress is run, or its timer.\n" +
			"A writeback-device may be a block device or a file. An algorithm that there is not is left out with a warning.\n\n" +
			"As with mount --swap, swap space is refused that could block the machine; --swap-besteffort goes on.\n\n" +
			"Example:\n\n  uzram up -c my.conf",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "read `FILE` alone"},
			dirFlag(), besteffortFlag(),
		},
		Action: upAction,
	}
}

func dirFlag() cli.Flag {
	return &cli.StringFlag{Name: "dir", Value: upDir, Usage: "the devices are mounted on `DIR`"}
}

func upAction(c *cli.Context) error {
	if c.NArg() > 0 {
		return usagef("up takes no arguments; a file is given as in uzram up -c FILE")
	}
	if c.String("dir") == "" {
		return usagef("--dir needs the name of a directory")
	}
	config, err := upConfig(c)
	if err != nil {
		return err
	}
	for _, note := range config.Notes {
		fmt.Fprintf(c.App.ErrWriter, "uzram: warning: %s\n", note)
	}
	if len(config.Devices) == 0 {
		_, err := fmt.Fprintln(c.App.ErrWriter, "uzram: no device is configured")
		return err
	}
	if !(guard.Kernel{}).Capable(unix.CAP_SYS_ADMIN) {
		return withCode(exitMissing, errors.New("up needs root, for loop devices, swap space and mounts do"))
	}
	dir, made, err := upMountable(c.String("dir"))
	if err == nil {
		err = upOn(c, dir, config.Devices)
	}
	if err != nil && made {
		_ = os.Remove(c.String("dir")) // what is not empty stays
	}
	return err
}

// upOn sets the devices up below dir.
func upOn(c *cli.Context, dir string, devices []zramconf.Device) error {
	r := upRun{
		dir: ctldir.Open(dir), devices: devices, stdout: c.App.Writer, stderr: c.App.ErrWriter,
		swap: swapping{swapSafe, guard.Kernel{}.Capable(unix.CAP_SYS_RESOURCE)},
	}
	if c.Bool(string(swapBesteffort)) {
		r.swap.mode = swapBesteffort
	}
	return r.run()
}

// upConfig reads the configuration. Whatever is wrong with it is the user's.
func upConfig(c *cli.Context) (config zramconf.Config, err error) {
	root := os.Getenv(rootEnv)
	if c.IsSet("config") {
		if c.String("config") == "" {
			return config, usagef("--config needs the name of a file")
		}
		config, err = zramconf.Read(root, []string{c.String("config")})
	} else {
		config, err = zramconf.ReadFound(root)
	}
	if err != nil {
		err = withCode(exitUsage, err)
	}
	return config, err
}

// upMountable returns the canonical name of the directory to mount on. If it is not there it is made.
func upMountable(dir string) (path string, made bool, err error) {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", false, err
		}
		made = true
	}
	path, err = mountable(dir)
	return path, made, err
}

// upRun is one setting up under way.
type upRun struct {
	dir            ctldir.Dir // of the mount
	devices        []zramconf.Device
	swap           swapping
	stdout, stderr io.Writer
}

// run mounts and sets all devices up. A signal ends it as an error does: what was done is undone.
func (r *upRun) run() error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	err := r.mount()
	if err != nil {
		return err
	}
	var lines []string
	for _, d := range r.devices {
		var line string
		if line, err = r.device(d); err != nil {
			err = fmt.Errorf("%s: %w", deviceName(d.Number), err)
			break
		}
		lines = append(lines, line)
		select {
		case sig := <-signals:
			err = fmt.Errorf("ended by a signal: %v", sig)
		default:
			continue
		}
		break
	}
	if err != nil {
		return errors.Join(err, takeDown(r.dir.Path()))
	}
	for _, line := range lines {
		fmt.Fprintln(r.stdout, line)
	}
	return nil
}

// mount mounts and leaves the devices that are configured, no others.
func (r *upRun) mount() error {
	last := r.devices[len(r.devices)-1].Number
	if err := runSelf("mount", "--detach", "--multi", "--loop", "--devices", strconv.Itoa(last+1), r.dir.Path()); err != nil {
		return err
	}
	for n := range last {
		if slices.ContainsFunc(r.devices, func(d zramconf.Device) bool { return d.Number == n }) {
			continue
		}
		if err := removeDevice(r.dir, n); err != nil {
			return errors.Join(err, takeDown(r.dir.Path()))
		}
	}
	return nil
}

// device sets one device up; line says what it is now.
func (r *upRun) device(d zramconf.Device) (line string, err error) {
	dir := deviceOf(r.dir, d.Number)
	if d.FSType == zramconf.Swap {
		if err := r.swap.check(dir.Path()); err != nil {
			return "", err
		}
	}
	if err := r.settings(dir, d); err != nil {
		return "", err
	}
	st, err := readStatus(dir.Path())
	if err != nil {
		return "", err
	}
	if st.Loop == nil {
		return "", errors.New("it has no loop device")
	}
	use := "on " + *st.Loop
	switch {
	case d.FSType == zramconf.Swap:
		use = "swap space " + use
		err = r.swapOn(dir, d, *st.Loop)
	case d.MountPoint != "":
		use = d.FSType + " " + use + ", mounted on " + d.MountPoint
		if err = makeFS(d.FSType, *st.Loop); err == nil {
			err = mountFS(d, *st.Loop)
		}
	default:
		use = d.FSType + " " + use
		err = makeFS(d.FSType, *st.Loop)
	}
	return fmt.Sprintf("%s: %s, %s, %s", deviceName(d.Number), size.Format(st.Disksize), st.Algorithm, use), err
}

// swapOn makes swap space of a device and swaps on it.
func (r *upRun) swapOn(dir ctldir.Dir, d zramconf.Device, loop string) error {
	if err := runProgram("mkswap", "--label", deviceName(d.Number), loop); err != nil {
		return err
	}
	// With the first page that is stored the reserve is built.
	if err := waitReserve(dir.Path()); err != nil && r.swap.mode == swapSafe {
		return err
	}
	var args []string
	if d.SwapPriority >= 0 {
		args = append(args, "-p", strconv.Itoa(d.SwapPriority))
	}
	if d.Options != "" {
		args = append(args, "-o", d.Options)
	}
	return runProgram("swapon", append(args, loop)...)
}

// fsFlags keep the programs quiet, and from discarding a disk that is empty.
var fsFlags = map[string][]string{
	"ext2": {"-q", "-m", "0", "-E", "nodiscard"}, "ext3": {"-q", "-m", "0", "-E", "nodiscard"}, "ext4": {"-q", "-m", "0", "-E", "nodiscard"},
	"xfs": {"-q", "-K"}, "btrfs": {"-q", "-K"}, "f2fs": {"-q", "-t", "0"},
}

func makeFS(fsType, loop string) error {
	return runProgram("mkfs."+fsType, append(slices.Clone(fsFlags[fsType]), loop)...)
}

// mountFS mounts the file system of a device. The directory is made if it is not there.
func mountFS(d zramconf.Device, loop string) error {
	if err := os.MkdirAll(d.MountPoint, 0o755); err != nil {
		return err
	}
	args := []string{"-t", d.FSType}
	if d.Options != "" {
		args = append(args, "-o", d.Options)
	}
	return runProgram("mount", append(args, loop, filepath.Clean(d.MountPoint))...)
}
