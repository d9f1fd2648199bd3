#!/bin/sh
# Check the models of test/model with SPIN, and that each mutation is caught.
#
# For every model and scenario it prints the number of states; for every
# mutation the scenario that catches it. Any error in a model, and any mutation
# that passes its scenario, fails the run. MODEL=name checks one model only.
set -eu

# model, scenario (- for the only one), what to look for, mutations that must be
# caught there. "safety" is assertions and deadlocks, "cycles" runs without end.
runs='
slotlock  -  safety  1 2 3 4 5 6
slot      A  safety  1 2
slot      B  safety  3
slot      C  safety
slot      D  safety  5 6 8 23
slot      E  safety  9 10 11 12 13 14 15 16 17
slot      F  safety
slot      G  safety  7 18 22 24 25
slot      H  safety  4 19 20 21
slot      I  safety
reserve   A  safety  1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 17 18
reserve   B  safety  16
reserve   C  safety
reset     A  safety  1 3 4 6 7 23
reset     A  cycles  18
reset     B  safety  8
reset     C  safety  5 9 12 14 15 16 19 21 22
reset     C  cycles  13
reset     D  safety  2 10 11 17 20
'

root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"
# check MODEL safety|cycles DEFINES...: the verifier's summary; fails when it cannot be made
check() {
	model=$1 kind=$2
	shift 2
	rm -f pan*
	spin -a "$@" "$root/test/model/$model.pml" >spin.out 2>&1 || { cat spin.out >&2; exit 1; }
	case $kind in
	safety)
		cc -w -O1 -DSAFETY -DCOLLAPSE -o pan pan.c
		./pan -m1000000 -w24 >pan.out
		;;
	cycles)
		cc -w -O1 -DNP -DNOFAIR -DCOLLAPSE -o pan pan.c
		./pan -l -m1000000 -w24 >pan.out
		;;
	esac
	grep -q '^State-vector.*errors: ' pan.out || { cat pan.out >&2; exit 1; }
	! grep -q 'max search depth too small' pan.out || { echo "$model: search cut short" >&2; exit 1; }
}

ok() { grep -q 'errors: 0$' pan.out; }
states() { awk '/states, stored/ { print $1 }' pan.out; }
passed=0 failed=0
pass() { passed=$((passed + 1)); echo "$1"; }
fail() { failed=$((failed + 1)); echo "$1"; }

while read -r model scenario kind mutations; do
	[ -n "$model" ] || continue
	[ "${MODEL:-$model}" = "$model" ] || continue
	name="$model $scenario" holds='all properties hold'
	[ "$scenario" != - ] || name=$model scenario=PLAIN
	[ "$kind" = safety ] || name="$name $kind" holds='nothing runs for ever'
	check "$model" "$kind" "-D$scenario"
	if ok; then pass "$name: $(states) states, $holds"; else fail "$name: FAILED"; cat pan.out; fi
	for m in $mutations; do
		check "$model" "$kind" "-D$scenario" "-DM$m"
		if ok; then fail "$model mutation $m: NOT CAUGHT"; else pass "$model mutation $m: caught in $name"; fi
	done
done <<X
$runs
X
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
