#!/bin/sh
# Replay the kernel's recorded answers (test/oracle) on a uzram mount.
#
#   oracle.sh [CASE...]
#
# Mounts a device of its own in a fresh directory and removes both afterwards,
# whatever happens. The last line is the replayer's "N passed, N failed".
set -eu

# What uzram does not have yet: the cases that need one of these are left out.
absent=ctl

root=$(cd "$(dirname "$0")/.." && pwd)
uzram=$root/bin/uzram
replay=$root/test/oracle/run.sh
dir=$(mktemp -d)

cleanup() {
	rc=$?
	trap - EXIT
	if mountpoint -q "$dir/device"; then "$uzram" umount "$dir/device" || rc=1; fi
	rm -rf --one-file-system "$dir" || rc=1
	exit $rc
}
trap cleanup EXIT
trap 'exit 130' INT TERM

mkdir "$dir/device" "$dir/pages"
"$uzram" mount --detach --log "$dir/log" "$dir/device"
export Z="$dir/device" IMG="$dir/device/image" DBG="$dir/device/debug" PAGES="$dir/pages"

if [ $# -gt 0 ]; then
	"$replay" "$@"
	exit
fi

"$replay" -x "$absent"
