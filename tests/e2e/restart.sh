#!/usr/bin/env bash
# Two replicas behind a balancer are restarted one after another under load: nothing is lost. The balancer is haproxy,
# which looks at readiness, as Kubernetes does, and tries a connection again but never a request.
set -euo pipefail
# shellcheck source=tests/e2e/serving_common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/serving_common.sh"
command -v haproxy >/dev/null || { echo "haproxy is not installed"; exit 77; }
command -v wrk >/dev/null || { echo "wrk is not installed"; exit 77; }
ROUNDS=${WHERRY_E2E_RESTARTS:-3}

"$WHERRY" convert "$ROOT/examples/fraud/model.joblib" -o "$work/bundle" --quiet
ports=("$(free_port)" "$(free_port)")
front=$(free_port)
pids=(0 0)
start_replica() { # NUMBER
  "$SERVER" "$work/bundle" --port "${ports[$1]}" --host 127.0.0.1 --access-log off --drain-delay 1s 2>>"$work/log$1" &
  pids[$1]=$!
  servers+=("${pids[$1]}")
  for _ in $(seq 200); do
    curl -fs -o /dev/null "http://127.0.0.1:${ports[$1]}/v2/health/ready" && return 0
    sleep 0.05
  done
  fail "replica $1 did not become ready"
}
start_replica 0
start_replica 1
cat >"$work/haproxy.cfg" <<CONF
global
  maxconn 1024
defaults
  mode http
  timeout connect 3s
  timeout client 30s
  timeout server 30s
  retries 3
  option redispatch 1
frontend front
  bind 127.0.0.1:$front
  default_backend replicas
backend replicas
  balance roundrobin
  option httpchk GET /v2/health/ready
  default-server check inter 100ms fall 1 rise 1
  server first 127.0.0.1:${ports[0]}
  server second 127.0.0.1:${ports[1]}
CONF
haproxy -f "$work/haproxy.cfg" -db >"$work/haproxy.log" 2>&1 &
servers+=("$!")
for _ in $(seq 100); do
  curl -fs -o /dev/null "http://127.0.0.1:$front/v2/health/ready" && break
  sleep 0.05
done
python3 "$HERE/first_rows.py" "http://127.0.0.1:$front" fraud "$work/body"
BODY_FILE=$work/body wrk -t1 -c16 -d"$((ROUNDS * 6))s" -s "$ROOT/bench/serving/post.lua" "http://127.0.0.1:$front/v2/models/fraud/infer" >"$work/wrk" &
load=$!
sleep 1
for ((round = 0; round < ROUNDS; ++round)); do
  for replica in 0 1; do
    kill -TERM "${pids[$replica]}"
    wait "${pids[$replica]}" || fail "replica $replica ended with $?"
    grep -q '"event":"ended","connections_cut":0' "$work/log$replica" || fail "replica $replica cut connections"
    start_replica "$replica"
    sleep 0.5 # until the balancer has seen it
  done
done
wait "$load"
read -r _ rate _ _ errors < <(grep RESULT "$work/wrk")
echo "$((2 * ROUNDS)) restarts at $rate requests a second: $errors failed"
((errors == 0)) || { tail -n 20 "$work/wrk" "$work/haproxy.log"; fail "requests were lost"; }
