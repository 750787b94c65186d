#!/usr/bin/env bash
# Run two groups of rungs of the test ladder at once, one for each core: rungs.sh "A B" "C".
# Set-up is done. The second group's output is shown as it comes, the first's when it is done. Fails when one fails.
set -euo pipefail
cd "$(dirname "$0")/../.."

climb() {
  local rung start
  for rung in $1; do
    start=$SECONDS
    printf '\n== %s\n' "$rung"
    "${MAKE:-make}" --no-print-directory READY=1 "$rung" || { printf '== %s: FAILED\n' "$rung"; return 1; }
    printf '== %s: ok, %d s\n' "$rung" $((SECONDS - start))
  done
}

aside=$(mktemp)
trap 'rm -f "$aside"' EXIT
printf '== beside each other: %s | %s\n' "$1" "$2"
climb "$1" > "$aside" 2>&1 &
first=$!
status=0
climb "$2" || status=1
wait "$first" || status=1
cat "$aside"
exit "$status"
