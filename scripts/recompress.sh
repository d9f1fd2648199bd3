#!/bin/sh
# Recompress pages of a zram or uzram device.
set -eu

usage() {
	cat <<'EOF'
usage: recompress.sh DIR [PARAMETER ...]

Compress pages of the device DIR (a uzram mount, or /sys/block/zramN) once more
by one of its secondary algorithms. PARAMETERs are those of the file recompress:
type=idle, type=huge or type=huge_idle, threshold=BYTES, max_pages=N,
algo=NAME, priority=N; without any, every page by the algorithm of priority 1.
Prints how much memory came free.

example:
    echo algo=zstd > /run/z/recomp_algorithm    # before disksize
    idle-mark.sh /run/z 600 && recompress.sh /run/z type=idle
EOF
}

case ${1:-} in
-h | --help)
	usage
	exit
	;;
esac
if [ $# -lt 1 ]; then
	usage >&2
	exit 2
fi
dir=${1%/}
shift
# shellcheck source=scripts/zram-lib.sh
. "${0%/*}/zram-lib.sh"

need recompress recomp_algorithm
[ -n "$(cat "$dir/recomp_algorithm")" ] || fail "$dir has no secondary algorithm"
data=$(column mm_stat 2) used=$(column mm_stat 3)
set_to recompress "${*:-priority=1}"
# Objects that became smaller leave holes.
set_to compact 1
echo "$dir: objects are $(mib $((data - $(column mm_stat 2)))) smaller, $(mib $((used - $(column mm_stat 3)))) of memory came free"
