package sysview

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ModuleVerb is what modprobe runs of this program for the module zram.
const ModuleVerb = "sysfs-module"

// modprobeDirs are the directories that modprobe reads, as far as they may be changed or covered.
var modprobeDirs = []string{"etc/modprobe.d", "run/modprobe.d", "usr/local/lib/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d"}

// modprobeFile is the name of our file in such a directory.
const modprobeFile = "uzram.conf"

// shims is the directory of programs for those who lack them, below /dev.
const shims = ".uzram"

// ShimDir is to be the last of a command's PATH.
const ShimDir = "/dev/" + shims

// hasModprobe says whether there is a modprobe where the kernel and an administrator look for it.
func (v *View) hasModprobe() bool {
	for _, dir := range []string{"usr/local/sbin", "usr/sbin", "sbin"} {
		if _, err := os.Stat(v.path(dir, "modprobe")); err == nil {
			return true
		}
	}
	return false
}

// coverModprobe has modprobe ask the mount. Where there is no such program, or it is not in the path, a view with a copy of
// /dev has one.
func (v *View) coverModprobe() error {
	text := fmt.Sprintf("install zram '%[1]s' %[2]s add $CMDLINE_OPTS\nremove zram '%[1]s' %[2]s remove\n", v.o.Exe, ModuleVerb)
	if v.o.system || !v.o.CopyDev { // files of others that change under a cover would not be seen
		dir := v.path("run/modprobe.d")
		if err := makeDirs(dir); err != nil {
			return err
		}
		file := filepath.Join(dir, modprobeFile)
		v.made = append(v.made, file)
		return os.WriteFile(file, []byte(text), 0o644)
	}
	if _, err := exec.LookPath("modprobe"); err != nil {
		if err := os.Mkdir(v.path("dev", shims), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(v.o.Exe, v.path("dev", shims, "modprobe")); err != nil {
			return err
		}
		if !v.hasModprobe() {
			return nil
		}
	}
	dir := ""
	for _, d := range modprobeDirs {
		if st, err := os.Stat(v.path(d)); err == nil && st.IsDir() {
			dir = v.path(d)
			break
		}
	}
	if dir == "" {
		dir = v.path("run/modprobe.d")
		if err := makeDirs(dir); err != nil {
			return err
		}
	}
	return v.cover(dir, 0o755, func(stage string) error {
		if err := os.CopyFS(stage, os.DirFS(dir)); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(stage, modprobeFile), []byte(text), 0o644)
	})
}
