#!/usr/bin/env bash
# Models loaded, unloaded and swapped while clients ask: no request fails, and what is replaced is freed.
set -euo pipefail
# shellcheck source=tests/e2e/serving_common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/serving_common.sh"
SECONDS_LOADED=${WHERRY_E2E_SWAP_SECONDS:-20}
command -v wrk >/dev/null || { echo "wrk is not installed"; exit 77; }

mkdir -p "$work/repository/fraud"
"$WHERRY" convert "$ROOT/examples/fraud/model.joblib" -o "$work/bundle" --quiet
cp -r "$work/bundle" "$work/repository/fraud/1"
mkdir "$work/repository/other"
cp -r "$work/bundle" "$work/repository/other/1"
start_server "$work/log" --repository "$work/repository" --model-control poll --poll-interval 200ms --versions latest:1
base=http://127.0.0.1:$port
python3 "$HERE/first_rows.py" "$base" fraud "$work/body"

# Not through the queue, then through it: both ways lose nothing.
for settings in '{}' '{"inline_microseconds": 0}'; do
  echo "$settings" >"$work/repository/fraud/serving.json"
  BODY_FILE=$work/body wrk -t1 -c16 -d"${SECONDS_LOADED}s" -s "$ROOT/bench/serving/post.lua" "$base/v2/models/fraud/infer" >"$work/wrk" &
  load=$!
  version=1
  while kill -0 "$load" 2>/dev/null; do
    next=$((version + 1))
    cp -r "$work/bundle" "$work/repository/fraud/.$next" # as a careful publisher does: whole, then in place
    mv "$work/repository/fraud/.$next" "$work/repository/fraud/$next"
    for _ in $(seq 50); do
      [[ $(curl -fs "$base/v2/models/fraud" | python3 -c 'import json, sys; print(json.load(sys.stdin)["versions"][-1])') == "$next" ]] && break
      sleep 0.1
    done
    rm -rf "$work/repository/fraud/$version"
    version=$next
  done
  wait "$load"
  read -r _ rate _ _ errors < <(grep RESULT "$work/wrk")
  echo "settings $settings: $((version - 1)) swaps at $rate requests a second, $errors failed"
  ((errors == 0)) || fail "requests failed while models were swapped"
  ((version > 2)) || fail "only $((version - 1)) swaps"
  mv "$work/repository/fraud/$version" "$work/repository/fraud/1" 2>/dev/null || true
  for _ in $(seq 50); do
    [[ $(curl -fs "$base/v2/models/fraud" | python3 -c 'import json, sys; print(json.load(sys.stdin)["versions"][-1])') == 1 ]] && break
    sleep 0.1
  done
done

# Everything replaced is freed.
for _ in $(seq 100); do
  unloaded=$(grep -c '"event":"model_unloaded"' "$work/log" || true)
  freed=$(grep -c '"event":"model_freed"' "$work/log" || true)
  ((freed >= unloaded)) && break
  sleep 0.1
done
echo "$unloaded unloaded, $freed freed, $(rss_kib "$server") KiB resident"
((freed >= unloaded)) || fail "not every unloaded model was freed"

# A version that cannot be loaded leaves the old one serving, and says so.
mkdir "$work/repository/fraud/99"
echo '{"format": "wherry-bundle"' >"$work/repository/fraud/99/bundle.json"
for _ in $(seq 50); do
  index=$(curl -fs -d '{}' "$base/v2/repository/index")
  [[ $index == *'"version":"99","state":"UNAVAILABLE","reason":"'[!\"]* ]] && break
  sleep 0.1
done
[[ $index == *'"version":"99","state":"UNAVAILABLE","reason":"'[!\"]* ]] || fail "the index does not tell of the bad version: $index"
metrics=$(curl -fs "$base/metrics")
[[ $metrics == *'wherry_model_loads_total{result="failed"} '[1-9]* ]] || fail "the metrics do not count the failed load"
grep -q '"event":"model_failed"' "$work/log" || fail "the log does not tell of the failed load"
curl -fs -H 'Content-Type: application/json' --data-binary "@$work/body" "$base/v2/models/fraud/infer" >/dev/null || fail "the old version does not answer"
kill -TERM "$server"
wait "$server" || fail "the server did not end with 0"
servers=()
echo "swapped without a failed request"
