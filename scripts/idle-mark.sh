#!/bin/sh
# Mark pages of a zram or uzram device as idle.
set -eu

usage() {
	cat <<'EOF'
usage: idle-mark.sh DIR [AGE]

Mark pages of the device DIR (a uzram mount, or /sys/block/zramN) as idle: all
that hold memory, or with AGE those that were not used for more than so many
seconds. What is used later loses its mark. AGE needs a kernel that tracks
access times; uzram always does.

example:
    idle-mark.sh /run/z 3600 && writeback.sh /run/z idle
EOF
}

case ${1:-} in
-h | --help)
	usage
	exit
	;;
esac
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
	usage >&2
	exit 2
fi
dir=${1%/} age=${2:-all}
# shellcheck source=scripts/zram-lib.sh
. "${0%/*}/zram-lib.sh"

if [ "$age" != all ] && ! is_number "$age"; then misuse "age '$age': accepted is a number of seconds"; fi
need idle
set_to idle "$age"
