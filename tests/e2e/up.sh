#!/usr/bin/env bash
# The first command of the README as a new user runs it: `wherry up`, the curl line it prints, the page in Chromium, Ctrl-C.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=${WHERRY_ROOT:-$(cd "$HERE/../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
cd "$ROOT"

WORK=$(mktemp -d)
export WHERRY_CACHE=$WORK/cache
UP=
cleanup() {
  [[ -z $UP ]] || kill -KILL "$UP" 2>/dev/null || true
  rm -rf "$WORK"
}
trap cleanup EXIT
step() { printf '== %s\n' "$*"; }
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  cat "$WORK/up.log" >&2 || true
  exit 1
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
start() {
  PORT=$(free_port)
  # Not a background job of this script: those ignore the interrupt that Ctrl-C sends.
  python3 -c 'import signal, sys, os; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
    "$WHERRY" up examples/fraud/model.joblib --port "$PORT" >"$WORK/up.log" 2>&1 &
  UP=$!
  for _ in $(seq 600); do
    grep -q '^curl ' "$WORK/up.log" && return 0
    kill -0 "$UP" 2>/dev/null || fail "up ended before it was ready"
    sleep 0.01
  done
  fail "up did not become ready"
}

step "first call, empty cache"
began=$(date +%s%N)
start
printf 'ready after %s ms\n' $((($(date +%s%N) - began) / 1000000))
grep -q '32 golden predictions recorded by scikit-learn' "$WORK/up.log" || fail "golden predictions are not mentioned"

step "the curl line works as printed"
answer=$(bash -c "$(grep -m1 '^curl ' "$WORK/up.log")")
[[ $answer == '{"predictions":[0]}' ]] || fail "curl answered: $answer"

step "every request of the example is answered as scikit-learn does"
for request in one records split; do
  got=$(curl -sf -d "@examples/fraud/requests/$request.json" -H 'content-type: application/json' "http://127.0.0.1:$PORT/invocations" | jq -c .predictions)
  [[ $got == "$(jq -c .predict "examples/fraud/expected/$request.json")" ]] || fail "$request.json: $got"
done
got=$(curl -sf --data-binary @examples/fraud/requests/rows.csv -H 'content-type: text/csv' "http://127.0.0.1:$PORT/invocations" | jq -c .predictions)
[[ $got == "$(jq -c .predict examples/fraud/expected/rows.json)" ]] || fail "rows.csv: $got"
got=$(curl -sf -d @examples/fraud/requests/v2.json -H 'content-type: application/json' "http://127.0.0.1:$PORT/v2/models/fraud/infer" |
  jq -c '.outputs[] | select(.name == "predict_proba") | .data')
[[ $got == "$(jq -c '.predict_proba | flatten' examples/fraud/expected/v2.json)" ]] || fail "v2.json: $got"

step "the page in Chromium"
if command -v chromedriver >/dev/null && command -v chromium >/dev/null; then
  python3 "$HERE/page.py" "http://127.0.0.1:$PORT/" "${WHERRY_SCREENSHOTS:-$WORK}" || fail "the page"
else
  echo "skipped: chromium and chromedriver are not installed"
fi

step "Ctrl-C drains and ends with status 0"
kill -INT "$UP"
status=0
wait "$UP" || status=$?
UP=
((status == 0)) || fail "status $status"

step "a second call is ready in well under a second"
began=$(date +%s%N)
start
took=$((($(date +%s%N) - began) / 1000000))
printf 'ready after %s ms\n' "$took"
((took < 1000)) || fail "the second call took $took ms"
kill -TERM "$UP"
wait "$UP" || fail "SIGTERM: status $?"
UP=
step "all passed"
