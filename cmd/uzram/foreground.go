package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"uzram/internal/ctldir"

	"github.com/urfave/cli/v2"
)

// applyVerb is for the daemon alone and not listed.
const applyVerb = "apply"

// resourceFlagName is a flag of apply: the mount was started with CAP_SYS_RESOURCE.
const resourceFlagName = "resource"

// foreground is the face of a daemon that the user started and watches.
type foreground struct {
	apply  []string // arguments of the child that makes the settings
	stdout io.Writer
	loop   string
}

// applyArgs are for a child that makes the settings of a mount.
func applyArgs(o mountOptions) []string {
	args := []string{applyVerb}
	if o.backing.size > 0 {
		args = append(args, "--backing-dev", o.backing.String())
	}
	if o.restore != "" {
		args = append(args, "--"+restoreFlagName, o.restore)
	}
	args = append(args, o.swap.args()...)
	if o.resource {
		args = append(args, "--"+resourceFlagName)
	}
	args = append(args, o.dir)
	for _, s := range o.settings {
		args = append(args, s.String())
	}
	return args
}

// mounted has a child write the settings. The daemon itself must not: a process that waits for its own answer cannot be
// killed, since the kernel ends the connection only when the last of its threads is gone.
func (f *foreground) mounted(loop string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd := exec.Command(exe, f.apply...)
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return childError(err, stderr.String())
	}
	f.loop = loop
	return nil
}

func (f *foreground) guarded() {}

func (f *foreground) settled() {
	if f.loop != "" {
		fmt.Fprintln(f.stdout, f.loop)
	}
	_ = os.Chdir("/")
}

// childError gives a child's sentence and exit code as this process's own.
func childError(err error, stderr string) error {
	text := strings.TrimSpace(strings.TrimPrefix(stderr, "uzram: "))
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || text == "" {
		return fmt.Errorf("apply the settings: %w", err)
	}
	return withCode(exit.ExitCode(), errors.New(text))
}

func applyCommand() *cli.Command {
	return &cli.Command{
		Name:   applyVerb,
		Hidden: true,
		Flags:  []cli.Flag{&cli.StringFlag{Name: "backing-dev"}, restoreFlag(), swapFlag(), besteffortFlag(), &cli.BoolFlag{Name: resourceFlagName}},
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			if len(args) == 0 {
				return usagef("%s is for uzram itself", applyVerb)
			}
			var list []setting
			for _, text := range args[1:] {
				s, err := parseSetting(text)
				if err != nil {
					return err
				}
				list = append(list, s)
			}
			var b backing
			if c.IsSet("backing-dev") {
				var err error
				if b, err = parseBacking(c.String("backing-dev")); err != nil {
					return err
				}
			}
			_, err := configure(ctldir.Open(args[0]), b, list, c.String(restoreFlagName), swapping{parseSwapMode(c), c.Bool(resourceFlagName)})
			return err
		},
	}
}

// configure waits until the mount answers, makes the backing file, applies the settings, fills the disk from a saved one, if
// restore names it, and swaps on. undo removes a file that it made; after an error there is none.
func configure(dir ctldir.Dir, b backing, list []setting, restore string, swap swapping) (undo func(), err error) {
	dirs, err := devicesOf(dir)
	if err != nil {
		return nil, fmt.Errorf("the mount does not answer: %w", err)
	}
	return b.making(func() error {
		for _, dir := range dirs {
			if err := apply(dir, list); err != nil {
				return err
			}
			if err := restoreInto(dir, restore, os.Stderr); err != nil {
				return err
			}
			if err := swap.on(dir); err != nil {
				return err
			}
		}
		return nil
	})
}

// devicesOf returns the control directories of a mount's devices, once it answers.
func devicesOf(mount ctldir.Dir) (dirs []ctldir.Dir, err error) {
	_, err = mount.Read("initstate")
	if err == nil {
		return []ctldir.Dir{mount}, nil
	}
	if !isMulti(mount.Path()) {
		return nil, err
	}
	numbers, err := numbersIn(filepath.Join(mount.Path(), blockDir))
	for _, n := range numbers {
		dirs = append(dirs, deviceOf(mount, n))
	}
	return dirs, err
}
