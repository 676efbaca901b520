# Sourced by the scripts that look at the server under load: where things are, servers that end with the script.
ROOT=${WHERRY_ROOT:-$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
SERVER=${WHERRY_SERVER:-$(dirname "$WHERRY")/wherry-server}
HERE=$ROOT/tests/e2e
work=$(mktemp -d)
servers=()
stop_all() {
  for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${servers[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap stop_all EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# start_server LOG ARGUMENT…: sets `port` and `server`, returns when it is ready.
start_server() {
  local log=$1
  shift
  port=$(free_port)
  "$SERVER" "$@" --port "$port" --host 127.0.0.1 --access-log off 2>"$log" &
  server=$!
  servers+=("$server")
  for _ in $(seq 600); do
    curl -fs -o /dev/null "http://127.0.0.1:$port/v2/health/ready" && return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  echo "the server did not become ready:"
  cat "$log"
  return 1
}

rss_kib() { awk '/^VmRSS/ {print $2}' "/proc/$1/status"; }

fail() {
  echo "failed: $*"
  exit 1
}
