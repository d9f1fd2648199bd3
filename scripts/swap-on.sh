#!/bin/sh
# Swap on a uzram device.
set -eu

usage() {
	cat <<'EOF'
usage: swap-on.sh DIR [PRIORITY]

Swap on the uzram device mounted on DIR, with PRIORITY (0 to 32767, default
100). The device needs its disksize. Uses the loop device that is on DIR/image,
or attaches one that goes away by itself at swapoff; writes a swap signature if
there is none, and refuses to overwrite any other. A second call changes nothing.

example:
    uzram mount --detach --loop --disksize 4G --mem-limit 2G /mnt/swap0
    swap-on.sh /mnt/swap0
    swap-off.sh /mnt/swap0
EOF
}
fail() {
	echo "swap-on.sh: $*" >&2
	exit 1
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
dir=$1 prio=${2:-100}
case $prio in
*[!0-9]* | '' | ??????*) prio=99999 ;;
esac
if [ "$prio" -gt 32767 ]; then
	echo "swap-on.sh: priority '$2' is not a number from 0 to 32767" >&2
	exit 2
fi

[ "$(id -u)" -eq 0 ] || fail "swapon needs root (CAP_SYS_ADMIN)"
if [ ! -f "$dir/image" ] || [ ! -f "$dir/disksize" ]; then fail "$dir is not a mounted uzram device"; fi
[ "$(cat "$dir/disksize")" -gt 0 ] || fail "$dir has no disksize yet: echo 4G > $dir/disksize"

attached=
undo() { [ -z "$attached" ] || losetup -d "$attached"; }
trap undo EXIT
trap 'exit 130' INT TERM

loop=$(losetup --noheadings --output NAME --associated "$dir/image" | head -n 1)
if [ -z "$loop" ]; then
	loop=$(losetup --direct-io=on --sector-size 4096 --find --show "$dir/image")
	attached=$loop
	# A daemon that swapping waits for should not be throttled as a writer.
	echo 0 2>/dev/null >"/sys/block/${loop##*/}/queue/wbt_lat_usec" || true
fi

active() { awk -v dev="$loop" '$1 == dev { found = 1 } END { exit !found }' /proc/swaps; }
if active; then
	echo "$dir: already swapping on $loop"
	exit
fi

# blkid exits 2 when it finds no signature.
found=$(blkid --probe --match-tag TYPE --output value "$loop") || [ $? -eq 2 ] || fail "cannot read $loop"
case $found in
swap) ;;
'') mkswap "$loop" >/dev/null ;;
*) fail "$loop holds other data ($found): wipefs -a $loop first if it can go" ;;
esac

# Without --discard the memory of pages swapped in again would never come back.
swapon --discard --priority "$prio" "$loop"
echo "$dir: swapping on $loop, priority $prio"
# The EXIT trap detaches a loop device that was attached here; as the swap
# holds it open, the kernel does so at swapoff.
