#!/bin/sh
# Check test/oracle and test/corpus against test/SHA256SUMS: every file listed
# is there unchanged, and no other file is. Where the originals stand beside
# the tree (../shared), they must be the same too.
#
#   sums.sh            check
#   sums.sh --update   write SHA256SUMS anew
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root/test"

files() { find oracle corpus -type f | LC_ALL=C sort; }

case ${1:-} in
--update)
	files | xargs sha256sum >SHA256SUMS
	exit
	;;
'') ;;
*)
	echo "usage: sums.sh [--update]" >&2
	exit 2
	;;
esac

sha256sum --check --quiet --strict SHA256SUMS
want=$(awk '{print $2}' SHA256SUMS)
have=$(files)
if [ "$want" != "$have" ]; then
	echo "files of test/oracle and test/corpus that SHA256SUMS does not list:" >&2
	printf '%s\n' "$have" | grep -vxF "$want" >&2
	exit 1
fi
for d in oracle corpus; do
	[ -d "$root/../shared/$d" ] || continue
	diff -r "$root/../shared/$d" "$d"
done
echo "ok: $(printf '%s\n' "$have" | wc -l) files as listed"
