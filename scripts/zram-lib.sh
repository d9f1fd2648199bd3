# What the scripts that mark, write back and recompress have in common. They
# use the control files alone, so they work on a uzram directory as on
# /sys/block/zramN. Sourced with dir set to that.
# shellcheck shell=sh disable=SC2154

name=${0##*/}

fail() {
	echo "$name: $*" >&2
	exit 1
}

misuse() {
	echo "$name: $*" >&2
	exit 2
}

# need ATTR ...: the device is set up and has these attributes.
need() {
	if [ ! -f "$dir/disksize" ] || [ ! -f "$dir/initstate" ]; then fail "$dir is neither a uzram device nor one in /sys/block"; fi
	for attr in "$@"; do
		[ -e "$dir/$attr" ] || fail "$dir has no $attr: its kernel was built without that"
	done
	[ "$(cat "$dir/initstate")" = 1 ] || fail "$dir has no disksize yet"
}

# put ATTR VALUE: one write; why it was refused is on stdout.
put() { (printf '%s\n' "$2" >"$dir/$1") 2>&1; }

# set_to ATTR VALUE: a write that has to succeed.
set_to() {
	why=$(put "$1" "$2") || fail "$dir/$1 refuses '$2': ${why##*: }"
}

# column FILE N: the N-th number of a statistics file.
column() { awk -v n="$2" '{ print $n; exit }' "$dir/$1"; }

is_number() {
	case $1 in
	'' | *[!0-9]*) return 1 ;;
	esac
}

# blocks SIZE: a size, with K, M, G or T after it for powers of 1024, in blocks
# of 4 KiB, rounded down.
blocks() {
	n=${1%[KMGT]}
	is_number "$n" || misuse "'$1' is not a size: accepted are digits with at most one of K M G T after them"
	case $1 in
	*K) echo $((n / 4)) ;;
	*M) echo $((n * 256)) ;;
	*G) echo $((n * 262144)) ;;
	*T) echo $((n * 268435456)) ;;
	*) echo $((n / 4096)) ;;
	esac
}

# state: the file with a line for each page in use.
state() {
	for file in "$dir/debug/block_state" "/sys/kernel/debug/zram/${dir##*/}/block_state"; do
		if [ -e "$file" ]; then
			echo "$file"
			return
		fi
	done
	fail "$dir has no block_state: its kernel was built without memory tracking, or debugfs is not mounted"
}

mib() { awk -v n="$1" 'BEGIN { printf "%.1f MiB", n / 1048576 }'; }
