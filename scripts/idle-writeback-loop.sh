#!/bin/sh
# Keep writing back what nobody uses.
set -eu

usage() {
	cat <<'EOF'
usage: idle-writeback-loop.sh [-a SECONDS] [-b BUDGET] [-t TYPE] [-n] [-1] DIR

Again and again: mark all pages of the device DIR (a uzram mount, or
/sys/block/zramN) as idle, wait, and move those that nobody used meanwhile to
the backing device.

    -a SECONDS  how long to wait; default 3600
    -b BUDGET   how much may be written a day, as in 2G; default: no limit. Flash
                wears out: divide what it endures by the days that it has to last
    -t TYPE     idle (default), or huge_idle, which moves only what does not
                compress
    -n          dry run: say what would be written, and write nothing. Needs
                block_state
    -1          once, not for ever

example:
    idle-writeback-loop.sh -a 7200 -b 2G /run/z
EOF
}

age=3600 budget='' type=idle dry='' once=''
while getopts a:b:t:n1h option; do
	case $option in
	a) age=$OPTARG ;;
	b) budget=$OPTARG ;;
	t) type=$OPTARG ;;
	n) dry=1 ;;
	1) once=1 ;;
	h)
		usage
		exit
		;;
	*)
		usage >&2
		exit 2
		;;
	esac
done
shift $((OPTIND - 1))
if [ $# -ne 1 ]; then
	usage >&2
	exit 2
fi
dir=${1%/}
here=${0%/*}
# shellcheck source=scripts/zram-lib.sh
. "$here/zram-lib.sh"

is_number "$age" || misuse "-a '$age': accepted is a number of seconds"
case $type in
idle | huge_idle) ;;
*) misuse "-t '$type': accepted are idle and huge_idle" ;;
esac
if [ -n "$budget" ]; then budget=$(blocks "$budget"); fi
need idle writeback bd_stat backing_dev
[ "$(cat "$dir/backing_dev")" != none ] || fail "$dir has no backing device"
if [ -n "$dry" ]; then block_state=$(state); fi

# candidates: how many pages the next writeback would move. A line of block_state
# is index, time and flags, of which the second is w for a page that is on the
# backing device, the third h for huge, the fourth i for idle.
candidates() {
	awk -v type="$type" '
		$NF ~ /^.[^w].i/ && (type == "idle" || $NF ~ /^..h/) { n++ }
		END { print n + 0 }' "$block_state"
}

left=$budget day=$(date +%F)
while :; do
	set_to idle all
	sleep "$age"
	today=$(date +%F)
	if [ "$today" != "$day" ]; then left=$budget day=$today; fi
	if [ -n "$dry" ]; then
		n=$(candidates)
		if [ -n "$left" ] && [ "$n" -gt "$left" ]; then n=$left; fi
		echo "$dir: would write $n pages back, $(mib $((n * 4096)))"
		if [ -n "$left" ]; then left=$((left - n)); fi
	elif [ -z "$left" ]; then
		"$here/writeback.sh" "$dir" "$type"
	elif [ "$left" -gt 0 ]; then
		before=$(column bd_stat 3)
		"$here/writeback.sh" "$dir" "$type" "$((left * 4))K"
		left=$((left - ($(column bd_stat 3) - before)))
	else
		echo "$dir: the budget of $day is used up"
	fi
	[ -z "$once" ] || break
done
