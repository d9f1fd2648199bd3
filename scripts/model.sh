#!/bin/sh
# Check the models of test/model with SPIN, and that each mutation is caught.
#
# For every model and scenario it prints the number of states; for every
# mutation the scenario that catches it. Any error in a model, and any mutation
# that passes all scenarios, fails the run.
set -eu

# model, its scenarios (- for none), how many mutations it has
models='
slotlock  -        6
slot      A,B,C,D  8
reset     -        4
'

root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"

# check MODEL DEFINES...: the verifier's summary; fails when it cannot be made
check() {
	model=$1
	shift
	rm -f pan*
	spin -a "$@" "$root/test/model/$model.pml" >spin.out 2>&1 || { cat spin.out >&2; exit 1; }
	cc -w -O2 -DSAFETY -DCOLLAPSE -o pan pan.c
	./pan -m1000000 -w24 >pan.out
	grep -q '^State-vector.*errors: ' pan.out || { cat pan.out >&2; exit 1; }
}

ok() { grep -q 'errors: 0$' pan.out; }
states() { awk '/states, stored/ { print $1 }' pan.out; }

passed=0 failed=0
while read -r model scenarios mutations; do
	[ -n "$model" ] || continue
	[ "$scenarios" != - ] || scenarios=
	set -- ${scenarios:+$(echo "$scenarios" | tr , ' ')}
	[ $# -gt 0 ] || set -- plain
	for s; do
		check "$model" "-D$s"
		if ok; then
			passed=$((passed + 1)); echo "$model $s: $(states) states, all properties hold"
		else
			failed=$((failed + 1)); echo "$model $s: FAILED"; cat pan.out
		fi
	done
	m=1
	while [ "$m" -le "$mutations" ]; do
		caught=
		for s; do
			check "$model" "-D$s" "-DM$m"
			ok || { caught=$s; break; }
		done
		if [ -n "$caught" ]; then
			passed=$((passed + 1)); echo "$model mutation $m: caught in $caught"
		else
			failed=$((failed + 1)); echo "$model mutation $m: NOT CAUGHT"
		fi
		m=$((m + 1))
	done
done <<X
$models
X
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
