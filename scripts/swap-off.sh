#!/bin/sh
# Stop swapping on a uzram device.
set -eu

usage() {
	cat <<'EOF'
usage: swap-off.sh DIR

Stop swapping on the uzram device mounted on DIR. What is swapped out is read
back, which needs as much free memory. A loop device that swap-on.sh attached
goes away; one that the mount or the user attached stays. A second call changes
nothing.

example:
    swap-off.sh /mnt/swap0 && uzram umount /mnt/swap0
EOF
}
fail() {
	echo "swap-off.sh: $*" >&2
	exit 1
}

case ${1:-} in
-h | --help)
	usage
	exit
	;;
esac
if [ $# -ne 1 ]; then
	usage >&2
	exit 2
fi
dir=$1

[ "$(id -u)" -eq 0 ] || fail "swapoff needs root (CAP_SYS_ADMIN)"
if [ ! -f "$dir/image" ] || [ ! -f "$dir/disksize" ]; then fail "$dir is not a mounted uzram device"; fi

off=
for loop in $(losetup --noheadings --output NAME --associated "$dir/image"); do
	if awk -v dev="$loop" '$1 == dev { found = 1 } END { exit !found }' /proc/swaps; then
		swapoff "$loop" || fail "swapoff $loop failed: it needs room in memory for what is swapped out"
		echo "$dir: no longer swapping on $loop"
		off=1
	fi
done
[ -n "$off" ] || echo "$dir: was not swapping"
