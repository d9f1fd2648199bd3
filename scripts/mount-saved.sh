#!/bin/sh
# Mount a disk that was saved, or a new one if none was.
set -eu

usage() {
	cat <<'EOT'
usage: mount-saved.sh FILE DIR [FLAG ...]

Mount a uzram device on DIR, in the background. If there is a FILE, made by
uzram snapshot save, the disk is what it says. If there is none the disk is a new
one, made with the FLAGs of uzram mount. A FILE that is damaged is refused, and
nothing is mounted: the data in it may be worth more than a disk.

The variable FLAGS has flags of uzram mount for both cases, such as --loop.

example:
    FLAGS=--loop mount-saved.sh /var/lib/uzram/z.snapshot /run/z --disksize 1G
EOT
}

case ${1:-} in
-h | --help)
	usage
	exit
	;;
esac
if [ $# -lt 2 ]; then
	usage >&2
	exit 2
fi
file=$1
dir=$2
shift 2
if [ -e "$file" ]; then
	set -- --restore "$file"
fi
mkdir -p "$dir"
# shellcheck disable=SC2086 # several flags
exec "${UZRAM:-uzram}" mount --detach ${FLAGS:-} "$@" "$dir"
