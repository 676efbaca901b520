#!/usr/bin/env bash
# Ten minutes of load, both computed where it arrives and through the queue: memory does not grow, nothing fails.
# WHERRY_E2E_SOAK_SECONDS shortens it.
set -euo pipefail
# shellcheck source=tests/e2e/serving_common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/serving_common.sh"
command -v wrk >/dev/null || { echo "wrk is not installed"; exit 77; }
SOAK=${WHERRY_E2E_SOAK_SECONDS:-600}

mkdir -p "$work/repository/fraud" "$work/repository/queued"
"$WHERRY" convert "$ROOT/examples/fraud/model.joblib" -o "$work/repository/fraud/1" --quiet
cp -r "$work/repository/fraud/1" "$work/repository/queued/1"
echo '{"inline_microseconds": 0, "dynamic_batching": {"max_queue_delay_microseconds": 200}}' >"$work/repository/queued/serving.json"
start_server "$work/log" --repository "$work/repository"
base=http://127.0.0.1:$port
python3 "$HERE/first_rows.py" "$base" fraud "$work/body"
python3 "$HERE/first_rows.py" "$base" fraud "$work/body100" 100
slice=$((SOAK / 6))
((slice > 2)) || slice=2
first=0
for round in 1 2 3 4 5 6; do
  BODY_FILE=$work/body wrk -t1 -c32 -d"${slice}s" -s "$ROOT/bench/serving/post.lua" "$base/v2/models/fraud/infer" >"$work/wrk1" &
  one=$!
  BODY_FILE=$work/body100 wrk -t1 -c8 -d"${slice}s" -s "$ROOT/bench/serving/post.lua" "$base/v2/models/queued/infer" >"$work/wrk2" &
  two=$!
  wait "$one"
  wait "$two"
  rss=$(rss_kib "$server")
  ((round == 1)) && first=$rss
  errors=$(cat "$work/wrk1" "$work/wrk2" | awk '/RESULT/ {sum += $5} END {print sum + 0}')
  rate=$(cat "$work/wrk1" "$work/wrk2" | awk '/RESULT/ {sum += $2} END {print sum + 0}')
  echo "round $round: $rate requests a second, $errors failed, $rss KiB resident"
  ((errors == 0)) || fail "requests failed"
done
((rss < first + 2048)) || fail "memory grew from $first to $rss KiB"
kill -TERM "$server"
wait "$server" || fail "the server did not end with 0"
servers=()
