#!/usr/bin/env bash
# Two replicas behind a balancer are restarted one after another under load: nothing is lost. The balancer is nginx,
# which asks another replica only when none of a request's bytes were answered, as every load balancer does.
set -euo pipefail
# shellcheck source=tests/e2e/serving_common.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/serving_common.sh"
command -v nginx >/dev/null || { echo "nginx is not installed"; exit 77; }
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
mkdir -p "$work/nginx"
cat >"$work/nginx/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $work/nginx/body; proxy_temp_path $work/nginx/proxy; fastcgi_temp_path $work/nginx/f;
  uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
  upstream replicas { server 127.0.0.1:${ports[0]} max_fails=1 fail_timeout=1s; server 127.0.0.1:${ports[1]} max_fails=1 fail_timeout=1s; keepalive 32; }
  server {
    listen 127.0.0.1:$front;
    location / {
      proxy_pass http://replicas; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_next_upstream error timeout non_idempotent; proxy_connect_timeout 1s;
    }
  }
}
CONF
nginx -c "$work/nginx/nginx.conf" -p "$work/nginx" &
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
  done
done
wait "$load"
read -r _ rate _ _ errors < <(grep RESULT "$work/wrk")
echo "$((2 * ROUNDS)) restarts at $rate requests a second: $errors failed"
((errors == 0)) || { cat "$work/wrk" "$work/nginx/error.log"; fail "requests were lost"; }
