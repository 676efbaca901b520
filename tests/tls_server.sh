#!/usr/bin/env bash
# The server's TLS as others see it, openssl s_client and curl: tls_server.sh WHERRY WHERRY_SERVER.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
server=
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
fail() { echo "FAILED: $1"; tail -n 5 "$work/log" "$work/out"; exit 1; }
expect() { grep -q "$2" "$work/out" || fail "$1: no '$2'"; echo "ok: $1"; }

# An authority, and what it (or a stranger) issues: issue NAME AUTHORITY DAYS SUBJECT.
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
    -keyout "$work/$1.key" -out "$work/$1.crt" 2>/dev/null
}
issue() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$4" -keyout "$work/$1.key" \
    -out "$work/$1.csr" 2>/dev/null
  openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.crt" -CAkey "$work/$2.key" -CAcreateserial -days "$3" \
    -extfile <(echo subjectAltName=DNS:localhost,IP:127.0.0.1) -out "$work/$1.crt" 2>/dev/null
}
authority ca
authority stranger
issue server ca 1 localhost
issue client ca 1 me
issue wrong stranger 1 me
issue expired ca -1 me

"$1" convert "$root/examples/fraud/model.joblib" -o "$work/bundle" --quiet
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=https://localhost:$port
start() {
  "$server_binary" "$work/bundle" --port "$port" --tls-cert "$work/server.crt" --tls-key "$work/server.key" "$@" 2>"$work/log" &
  server=$!
  for _ in $(seq 100); do grep -q '"ready"' "$work/log" && return; kill -0 "$server" 2>/dev/null || break; sleep 0.1; done
  fail "the server did not start"
}
stop() { kill "$server"; wait "$server" || fail "the server did not end well"; }
server_binary=$2
s_client() { openssl s_client -connect "127.0.0.1:$port" -CAfile "$work/ca.crt" "$@" </dev/null >"$work/out" 2>&1 || true; }
get() { curl -sS --cacert "$work/ca.crt" "$@" >"$work/out" 2>&1 || true; }

start
get --tls-max 1.2 -v "$url/v2/health/live"; expect "TLS 1.2" 'TLSv1.2 / ECDHE'; expect "answer over TLS 1.2" '"live":true'
get --tlsv1.3 -v "$url/v2/health/live"; expect "TLS 1.3" 'TLSv1.3'; expect "answer over TLS 1.3" '"live":true'
s_client -tls1_1; expect "TLS 1.1 is refused" 'Cipher is (NONE)'
s_client -alpn h2,http/1.1; expect "ALPN h2" 'ALPN protocol: h2'
s_client -alpn http/1.1; expect "ALPN http/1.1" 'ALPN protocol: http/1.1'
s_client -alpn smtp; expect "ALPN without a common protocol" 'no application protocol'
for version in tls1_2 tls1_3; do
  (printf 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n'; sleep 0.3) | openssl s_client -connect "127.0.0.1:$port" -$version \
    -sess_out "$work/session" >/dev/null 2>&1 || true
  s_client -$version -sess_in "$work/session"; expect "resumption with $version" '^Reused'
done
s_client; expect "certificate verifies" 'Verify return code: 0'
(printf 'R\n'; sleep 0.3) | openssl s_client -connect "127.0.0.1:$port" -tls1_2 >"$work/out" 2>&1 || true
expect "renegotiation is refused" 'no renegotiation'
get "http://localhost:$port/"; expect "plain HTTP is told" 'begin with https'

# Renewed while it runs.
before=$(openssl x509 -in "$work/server.crt" -noout -serial)
issue server ca 1 localhost
for _ in $(seq 150); do grep -q tls_reloaded "$work/log" && break; sleep 0.1; done
grep -q tls_reloaded "$work/log" || fail "not reloaded"
echo "ok: reload"
s_client; openssl x509 -in "$work/out" -noout -serial >"$work/serial"
[ "$before" != "$(cat "$work/serial")" ] || fail "the old certificate is still served"
cp "$work/wrong.key" "$work/server.key"
for _ in $(seq 150); do grep -q tls_not_reloaded "$work/log" && break; sleep 0.1; done
grep -q tls_not_reloaded "$work/log" || fail "a broken key was not reported"
get "$url/v2/health/live"; expect "the old certificate serves on" '"live":true'
stop

issue server ca 1 localhost
start --tls-client-ca "$work/ca.crt"
get "$url/ping"; expect "no client certificate" 'alert certificate required\|alert handshake failure'
get --cert "$work/client.crt" --key "$work/client.key" "$url/ping"; expect "client certificate" '"status":"ok"'
get --cert "$work/wrong.crt" --key "$work/wrong.key" "$url/ping"; expect "a stranger's certificate" 'alert unknown ca'
get --cert "$work/expired.crt" --key "$work/expired.key" "$url/ping"; expect "an expired certificate" 'alert certificate expired'
stop
start --tls-client-ca "$work/ca.crt" --tls-client optional
get "$url/ping"; expect "optional: none" '"status":"ok"'
get --cert "$work/wrong.crt" --key "$work/wrong.key" "$url/ping"; expect "optional: a stranger's" 'alert unknown ca'
stop

issue old ca -1 localhost
"$server_binary" "$work/bundle" --port "$port" --tls-cert "$work/old.crt" --tls-key "$work/old.key" >"$work/out" 2>&1 && fail "started"
expect "an expired certificate at start" 'expired at'
