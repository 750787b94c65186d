#!/usr/bin/env bash
# Run rungs of the test ladder, one on each of two cores, in the order given: rungs.sh RUNG...
# Set-up is done. Each line says which rung it is of. Fails when one fails; the others are run all the same.
# What failed is told again at the end, where whoever sees only the last lines finds it.
set -euo pipefail
cd "$(dirname "$0")/../.."

SAID=$(mktemp -d)
export SAID
trap 'rm -rf "$SAID"' EXIT

climb() {
  local start=$SECONDS
  printf '\n== %s\n' "$1"
  if "${MAKE:-make}" --no-print-directory READY=1 "$1" 2>&1 | tee "$SAID/$1" | sed -u "s/^/$1 | /"; then
    printf '== %s: ok, %d s\n' "$1" $((SECONDS - start))
    rm "$SAID/$1"
  else
    printf '== %s: FAILED, %d s\n' "$1" $((SECONDS - start))
    return 1
  fi
}

export -f climb
if ! printf '%s\n' "$@" | xargs -P 2 -I {} bash -o pipefail -c 'climb {}'; then
  for rung in "$@"; do
    [ ! -e "$SAID/$rung" ] || printf '\n== %s: FAILED, its last lines\n%s\n' "$rung" "$(tail -n 60 "$SAID/$rung")"
  done
  printf '\n== failed: %s\n' "$(cd "$SAID" && echo *)"
  grep -hE '^(FAILED|ERROR) ' "$SAID"/* || true
  exit 1
fi
