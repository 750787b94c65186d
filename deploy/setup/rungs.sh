#!/usr/bin/env bash
# Run rungs of the test ladder, one on each of two cores, in the order given: rungs.sh RUNG...
# Set-up is done. Each line says which rung it is of. Fails when one fails; the others are run all the same.
set -euo pipefail
cd "$(dirname "$0")/../.."

climb() {
  local start=$SECONDS
  printf '\n== %s\n' "$1"
  if "${MAKE:-make}" --no-print-directory READY=1 "$1" 2>&1 | sed -u "s/^/$1 | /"; then
    printf '== %s: ok, %d s\n' "$1" $((SECONDS - start))
  else
    printf '== %s: FAILED\n' "$1"
    return 1
  fi
}

export -f climb
printf '%s\n' "$@" | xargs -P 2 -I {} bash -o pipefail -c 'climb {}'
