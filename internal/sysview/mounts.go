package sysview

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// source is how the file systems of a view are named in the mount table.
const source = "uzram-view"

// cover mounts a tmpfs over target when fill has built all of it. fill may mount things in the directory that it is given.
func cover(target string, mode os.FileMode, fill func(stage string) error) error {
	if err := os.MkdirAll(filepath.Dir(runDir), 0o755); err != nil {
		return err
	}
	stage, err := os.MkdirTemp(filepath.Dir(runDir), "view")
	if err != nil {
		return err
	}
	defer os.Remove(stage)
	options := fmt.Sprintf("mode=%o", mode.Perm())
	if err := unix.Mount(source, stage, "tmpfs", unix.MS_NOSUID, options); err != nil {
		return fmt.Errorf("mount a tmpfs for %s: %w", target, err)
	}
	defer unix.Unmount(stage, unix.MNT_DETACH)
	if err := unix.Mount("", stage, "", unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := fill(stage); err != nil {
		return err
	}
	// What is bound there follows what is mounted and unmounted below it, and not the other way round.
	if err := unix.Mount("", stage, "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return err
	}
	return bindTree(unix.AT_FDCWD, stage, target)
}

// bindTree mounts what is at path below the directory dirfd over target, with all that is mounted in it.
func bindTree(dirfd int, path, target string) error {
	tree, err := unix.OpenTree(dirfd, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE|unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return &os.PathError{Op: "open_tree", Path: path, Err: err}
	}
	defer unix.Close(tree)
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return &os.PathError{Op: "move_mount", Path: target, Err: err}
	}
	return nil
}

// bindDir makes a directory and mounts another one there.
func bindDir(dirfd int, path, target string) error {
	if err := os.Mkdir(target, 0o755); err != nil && !os.IsExist(err) {
		return err
	}
	return bindTree(dirfd, path, target)
}

// setLink makes a symbolic link, in place of what has that name.
func setLink(text, path string) error {
	fresh := path + ".new"
	os.Remove(fresh)
	if err := os.Symlink(text, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}
