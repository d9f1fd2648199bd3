#!/bin/sh
# Write pages of a zram or uzram device back.
set -eu

usage() {
	cat <<'EOF'
usage: writeback.sh DIR [TYPE] [BUDGET]

Move pages of the device DIR (a uzram mount, or /sys/block/zramN) to its backing
device: those of TYPE, which is idle (default), huge, huge_idle or
incompressible. BUDGET is how much may be written at most, as in 100M; the
device's own writeback_limit holds too, if it is switched on. Prints what was
written. Running out of budget is no error.

example:
    writeback.sh /run/z huge 512M
EOF
}

case ${1:-} in
-h | --help)
	usage
	exit
	;;
esac
if [ $# -lt 1 ] || [ $# -gt 3 ]; then
	usage >&2
	exit 2
fi
dir=${1%/} type=${2:-idle} budget=${3:-}
# shellcheck source=scripts/zram-lib.sh
. "${0%/*}/zram-lib.sh"

case $type in
idle | huge | huge_idle | incompressible) ;;
*) misuse "type '$type': accepted are idle, huge, huge_idle and incompressible" ;;
esac
if [ -n "$budget" ]; then budget=$(blocks "$budget"); fi
need writeback backing_dev bd_stat writeback_limit writeback_limit_enable
[ "$(cat "$dir/backing_dev")" != none ] || fail "$dir has no backing device"

before=$(column bd_stat 3)
if [ -n "$budget" ]; then
	# The budget is this run's own: what was set before comes back, less what was
	# written if it was switched on.
	limit=$(cat "$dir/writeback_limit") enable=$(cat "$dir/writeback_limit_enable")
	if [ "$enable" = 1 ] && [ "$limit" -lt "$budget" ]; then budget=$limit; fi
	restore() {
		if [ "$enable" = 1 ]; then limit=$((limit - ($(column bd_stat 3) - before))); fi
		put writeback_limit "$limit" >/dev/null
		put writeback_limit_enable "$enable" >/dev/null
	}
	trap restore EXIT
	trap 'exit 130' INT TERM
	set_to writeback_limit "$budget"
	set_to writeback_limit_enable 1
fi
used_up() { [ "$(cat "$dir/writeback_limit_enable")" = 1 ] && [ "$(cat "$dir/writeback_limit")" = 0 ]; }

used=$(column mm_stat 3) note=
if ! why=$(put writeback "$type"); then
	used_up || fail "writeback of $type pages: ${why##*: }"
	note=', the budget is used up'
fi
written=$(($(column bd_stat 3) - before)) freed=$((used - $(column mm_stat 3)))
echo "$dir: wrote $(mib $((written * 4096))) back, $(mib "$freed") of memory came free$note"
