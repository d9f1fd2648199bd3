#!/bin/sh
# Replay the kernel's recorded answers (test/oracle) on uzram mounts: on one of one
# device, and on a device of one with many, where hot_add and hot_remove are too.
#
#   oracle.sh [CASE...]
#
# Mounts in a fresh directory and removes all of it afterwards, whatever happens.
# The last line of each half is the replayer's "N passed, N failed".
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
uzram=$root/bin/uzram
replay=$root/test/oracle/run.sh
dir=$(mktemp -d)

cleanup() {
	rc=$?
	trap - EXIT
	for d in device devices; do
		if mountpoint -q "$dir/$d"; then "$uzram" umount "$dir/$d" || rc=1; fi
	done
	rm -rf --one-file-system "$dir" || rc=1
	exit $rc
}
trap cleanup EXIT
trap 'exit 130' INT TERM

mkdir "$dir/device" "$dir/devices" "$dir/pages"
export PAGES="$dir/pages"
rc=0

echo "one device:"
"$uzram" mount --detach --log "$dir/log" "$dir/device"
Z="$dir/device" IMG="$dir/device/image" DBG="$dir/device/debug" "$replay" -x ctl "$@" || rc=1

echo "a device of many:"
"$uzram" mount --multi --detach --log "$dir/log" "$dir/devices"
many=$dir/devices
Z="$many/block/zram0" IMG="$many/dev/zram0" DBG="$many/block/zram0/debug" \
	CTL="$many/class/zram-control" ZPAT="$many/block/zram%d" "$replay" "$@" || rc=1
[ $rc -eq 0 ]
