package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"uzram/internal/ctldir"
	"uzram/internal/guard"
	"uzram/internal/status"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// upgradeEnd is how long a new program may take from the moment that it was ready.
const upgradeEnd = 30 * time.Second

func upgradeCommand() *cli.Command {
	return &cli.Command{
		Name:      "upgrade",
		Usage:     "have another version of the program serve a mounted disk",
		UsageText: "uzram upgrade [--binary PATH] DIR",
		Description: "Starts the program, waits until it says that it can read what is in memory, and has it take over when the old one\n" +
			"has answered the requests under way. If it cannot, the old one goes on and the message says why. The keeper itself\n" +
			"stays as it is. A mount keeps the format of memory that it was made with, so that an older program can take it over\n" +
			"again if it reads that.\n\n" +
			"Example:\n\n  uzram upgrade /run/z",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "binary", Usage: "upgrade to the program `PATH` (default: this one, as it lies on the disk)"},
		},
		Action: func(c *cli.Context) error {
			dir, err := mountedArg(c)
			if err != nil {
				return err
			}
			path := c.String("binary")
			if !c.IsSet("binary") {
				if path, err = os.Executable(); err != nil {
					return err
				}
			}
			if path, err = program("--binary", path); err != nil {
				return err
			}
			return upgradeMount(dir, path)
		},
	}
}

// program returns the absolute name of a program that may be executed, which a flag gave.
func program(flag, path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	st, err := os.Stat(abs)
	switch {
	case err != nil:
		return "", usagef("%s: %w", flag, err)
	case !st.Mode().IsRegular() || unix.Access(abs, unix.X_OK) != nil:
		return "", usagef("%s: %s is not a program", flag, path)
	}
	return abs, nil
}

// upgradeMount returns when the program serves the mount on dir.
func upgradeMount(dir, path string) error {
	before, err := readStatus(dir)
	if err != nil {
		return deadOr(dir, err)
	}
	if before.KeeperPID == nil {
		return noKeeper(dir, before)
	}
	err = ctldir.Open(dir).Write("debug/control", "upgrade "+url.PathEscape(path)+" "+rand.Text())
	if err != nil {
		return refusedUpgrade(dir, err)
	}
	for end := time.Now().Add(upgradeEnd); ; time.Sleep(5 * time.Millisecond) {
		st, err := readStatus(dir)
		switch {
		case err != nil:
			return deadOr(dir, err)
		case st.UpgradeRefused != "":
			return fmt.Errorf("not upgraded to %s", st.UpgradeRefused)
		case st.WorkerPID != before.WorkerPID:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("not upgraded to %s: the old program still serves after %v", path, upgradeEnd)
		}
	}
}

// noKeeper says why a mount without a keeper cannot be upgraded.
func noKeeper(dir string, st status.Status) error {
	if guardActive(st, guard.KeeperName) {
		return fmt.Errorf("%s is kept by systemd, for it was mounted with --fdstore; replace the program and use "+
			"systemctl kill -s KILL on its service", dir)
	}
	return fmt.Errorf("%s has no keeper, so nothing can be handed over; it was mounted with --keeper=false", dir)
}

// refusedUpgrade words why an upgrade was refused; the mount's status has the reason.
func refusedUpgrade(dir string, err error) error {
	if errors.Is(err, unix.EBUSY) {
		return withCode(exitBusy, errors.New("another upgrade is under way"))
	}
	if st, serr := readStatus(dir); serr == nil && st.UpgradeRefused != "" {
		return fmt.Errorf("not upgraded to %s", st.UpgradeRefused)
	}
	return err
}
