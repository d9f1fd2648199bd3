#!/bin/sh
# Run stages of the Makefile one after another, naming and timing each.
#
#   stages.sh STAGE...
#
# Stops at the first that fails, with its status. Prints nothing after the last
# stage, so that the run ends in that stage's own output.
set -eu
[ $# -gt 0 ] || { echo "usage: stages.sh STAGE..." >&2; exit 2; }

took=
for stage; do
	printf '\n== %s%s\n' "$stage" "${took:+   ($took)}"
	start=$(date +%s)
	"${MAKE:-make}" --no-print-directory "$stage" || {
		rc=$?
		echo "== $stage FAILED after $(($(date +%s) - start)) s" >&2
		exit "$rc"
	}
	took="$stage took $(($(date +%s) - start)) s"
done
