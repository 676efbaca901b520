#!/usr/bin/env bash
# Runs the end-to-end scripts one after another: run.sh [NAME…]   (default: every *.sh of this folder)
# A script ends with 0 (passed), 77 (skipped, its last line says why) or anything else (failed). WHERRY_E2E_SECONDS bounds
# the whole run: scripts which would begin later are skipped and said so.
set -uo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
LIMIT=${WHERRY_E2E_SECONDS:-7200}
LOGS=$ROOT/build/e2e
mkdir -p "$LOGS"

"$ROOT/wherry" version >/dev/null || exit 3
export WHERRY=$ROOT/build/release/bin/wherry WHERRY_ROOT=$ROOT

names=("$@")
if ((${#names[@]} == 0)); then
  for script in "$HERE"/*.sh; do
    name=$(basename "$script" .sh)
    [[ $name == run || $name == *common ]] || names+=("$name")
  done
fi

passed=0 failed=0 skipped=0
for name in "${names[@]}"; do
  left=$((LIMIT - SECONDS))
  if ((left < 60)); then
    echo "skipped: $name: no time left"
    skipped=$((skipped + 1))
    continue
  fi
  began=$SECONDS
  timeout --kill-after=30 "$left" bash "$HERE/$name.sh" >"$LOGS/$name.log" 2>&1
  status=$?
  took=$((SECONDS - began))
  case $status in
    0) echo "passed: $name (${took} s)" && passed=$((passed + 1)) ;;
    77) echo "skipped: $name: $(tail -n 1 "$LOGS/$name.log")" && skipped=$((skipped + 1)) ;;
    *)
      echo "failed: $name: status $status after ${took} s; the end of build/e2e/$name.log:"
      tail -n 40 "$LOGS/$name.log" | sed 's/^/    /'
      failed=$((failed + 1))
      ;;
  esac
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
