#!/usr/bin/env bash
# The linked program can speak TLS: tls.sh WHERRY. A second copy of libcrypto in it once took the symbols of the one that libcurl loads, and
# every handshake failed, which no unit test of a module can see.
set -euo pipefail
work=$(mktemp -d)
server=
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
openssl s_server -accept "127.0.0.1:$port" -key "$work/key.pem" -cert "$work/cert.pem" -www >"$work/server.log" 2>&1 &
server=$!
cat >"$work/kubeconfig" <<KUBECONFIG
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: "https://127.0.0.1:$port", insecure-skip-tls-verify: true}}]
users: [{name: me, user: {token: secret}}]
KUBECONFIG
for _ in $(seq 50); do
  "$1" status nothing --kubeconfig "$work/kubeconfig" >"$work/out" 2>&1 || true
  grep -q 'refused' "$work/out" || break
  sleep 0.1
done
cat "$work/out"
# The server answers HTML, not Kubernetes; what matters is that its answer was read.
grep -q 'kube.answer_malformed' "$work/out"
