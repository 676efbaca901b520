#!/usr/bin/env bash
# Slow, huge, broken and too many requests: bounded answers, and others are served meanwhile.
set -euo pipefail
# shellcheck source=tests/e2e/serving_common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/serving_common.sh"

mkdir -p "$work/repository/fraud" "$work/repository/slow"
"$WHERRY" convert "$ROOT/examples/fraud/model.joblib" -o "$work/repository/fraud/1" --quiet
slow=$ROOT/tests/fixtures/sklearn/1.2.2/knn_classifier_many_neighbors_distance/model.joblib
[[ -e $slow ]] || { echo "the fixture of neighbours is missing"; exit 77; }
"$WHERRY" convert "$slow" -o "$work/repository/slow/1" --quiet
# The model is small: what makes it slow here is that everything goes through one worker and little may wait.
echo '{"inline_microseconds": 0, "max_batch_size": 1, "instance_group": [{"count": 1}], "dynamic_batching": {"default_queue_policy": {"max_queue_size": 4}}}' \
  >"$work/repository/slow/serving.json"
start_server "$work/log" --repository "$work/repository" --max-body 8M
python3 "$HERE/hostile.py" "$port"
kill -TERM "$server"
wait "$server" || fail "the server did not end with 0"
servers=()
