#!/bin/sh
# Make sure that the system packages of a target are there.
#
#   deps.sh run|test|clients|bench|codecs|model
#
# As root it installs what is missing with apt-get; otherwise, or where there is
# no apt-get, it names the packages and fails. It looks for the programs that
# are needed, not for packages, so any origin of a program will do.
set -eu
cd "$(dirname "$0")/.."

# program or absolute path, and the Debian package that has it
root='
losetup         mount
mount           mount
mkfs.ext4       e2fsprogs
'
user='
fusermount3     fuse3
'
tests='
mountpoint      util-linux
shellcheck      shellcheck
gcc             gcc
/usr/include/stdlib.h libc6-dev
fio             fio
fsck.ext4       e2fsprogs
blkdiscard      util-linux
blockdev        util-linux
fallocate       util-linux
blkid           util-linux
mkswap          util-linux
swapon          mount
setpriv         util-linux
diff            diffutils
awk             mawk
zramctl         util-linux
systemd-analyze systemd
'
peers='
fio             fio
nbdkit          nbdkit
nbdfuse         libnbd-bin
'
codecs='
gcc             gcc
/usr/include/stdlib.h libc6-dev
/usr/include/lz4.h liblz4-dev
/usr/include/lzo/lzo1x.h liblzo2-dev
/usr/include/zdict.h libzstd-dev
/usr/include/zlib.h zlib1g-dev
'
clients='
htop            htop
tmux            tmux
modprobe        kmod
mkfs.xfs        xfsprogs
btrfs           btrfs-progs
lsblk           util-linux
logger          bsdutils
/lib/systemd/systemd-makefs systemd
'
# Unpacked into the user's cache, not installed: the machine would set up swap
# space or run udev at the next boot. A program of the package, and the package.
unpacked='
usr/sbin/zramswap zram-tools
lib/systemd/system-generators/zram-generator systemd-zram-generator
bin/udevadm udev
'
models='
spin            spin
cc              gcc
/usr/include/stdlib.h libc6-dev
'
case ${1:-} in
run) if [ "$(id -u)" -eq 0 ]; then wanted=$root; else wanted=$user; fi ;;
test) wanted=$root$user$tests$codecs$clients ;;
clients) wanted=$root$user$tests$clients ;;
bench) wanted=$root$user$peers ;;
codecs) wanted=$codecs ;;
model) wanted=$models ;;
*)
	echo "usage: deps.sh run|test|clients|bench|codecs|model" >&2
	exit 2
	;;
esac

# An ordinary user's PATH often lacks the administrator's programs.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

missing() {
	echo "$wanted" | while read -r program package; do
		[ -n "$program" ] || continue
		case $program in
		/*) [ -e "$program" ] || echo "$package" ;;
		*) command -v "$program" >/dev/null || echo "$package" ;;
		esac
	done | sort -u | tr '\n' ' '
}

# fusermount3 unmounts nothing without /etc/mtab. The init system makes that
# link at boot; where none ever ran (a bare root directory) it is missing.
case $wanted in
*fusermount3*)
	if [ ! -e /etc/mtab ]; then
		[ "$(id -u)" -eq 0 ] || { echo "/etc/mtab is missing: ln -s /proc/self/mounts /etc/mtab" >&2; exit 1; }
		echo "making /etc/mtab, which fusermount3 needs"
		ln -s /proc/self/mounts /etc/mtab
	fi
	;;
esac

updated=
update() {
	[ -z "$updated" ] || return 0
	[ "$(id -u)" -ne 0 ] || apt-get update -qq
	updated=yes
}

# unpack PACKAGE DIR puts the files of a package into a directory.
unpack() {
	command -v apt-get >/dev/null || { echo "$1 is needed in $2, and there is no apt-get to fetch it" >&2; exit 1; }
	echo "unpacking: $1"
	update
	mkdir -p "$(dirname "$2")"
	new=$(mktemp -d "$2.XXXXXX")
	# apt's sandbox user may not write there, about which it warns
	if ! (cd "$new" && apt-get -o APT::Sandbox::User=root download -qq "$1" && dpkg-deb -x ./*.deb . && rm ./*.deb); then
		rm -rf "$new"
		echo "the package $1 cannot be had" >&2
		exit 1
	fi
	chmod 0755 "$new"
	rm -rf "$2"
	mv "$new" "$2"
}

if [ "${1:-}" = clients ]; then
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/uzram/clients # where the tests look
	absent=$(echo "$unpacked" | while read -r program package; do
		[ -z "$program" ] || [ -e "$cache/$package/$program" ] || echo "$package"
	done)
	for package in $absent; do
		unpack "$package" "$cache/$package"
	done
fi

packages=$(missing)
[ -n "$packages" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "missing packages, please install them: $packages" >&2
	exit 1
fi
echo "installing: $packages"
export DEBIAN_FRONTEND=noninteractive
update
# shellcheck disable=SC2086 # one word per package
apt-get install -y -qq --no-install-recommends $packages >/dev/null
packages=$(missing)
[ -z "$packages" ] || { echo "still missing after apt-get install: $packages" >&2; exit 1; }
