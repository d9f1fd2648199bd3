#!/bin/sh
# Run every fuzz target for a time each, one after another.
#
#   fuzz.sh [TIME]      TIME as go test takes it; default 30s
set -eu
time=${1:-30s}
cd "$(dirname "$0")/.."
targets=$(grep -rn --include='*_test.go' '^func Fuzz' . | sed 's|^\./\(.*\)/[^/]*:[0-9]*:func \(Fuzz[A-Za-z0-9_]*\)(.*|\1 \2|')
[ -n "$targets" ] || { echo "fuzz.sh: no fuzz targets found" >&2; exit 1; }
echo "$targets" | while read -r package target; do
	echo "== $package $target"
	go test "./$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 5x </dev/null
done
