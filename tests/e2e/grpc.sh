#!/usr/bin/env bash
# The server asked over gRPC, and over HTTP with binary tensors, by other people's clients: tritonclient, grpcio,
# grpcurl, grpc_health_probe, ghz. Without Go the last three are left out, which the output says.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=${WHERRY_ROOT:-$(cd "$HERE/../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
TOOLS=${WHERRY_E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/wherry-e2e}

if [[ ! -e $TOOLS/grpc/ready ]]; then
  rm -rf "$TOOLS/grpc"
  { python3 -m venv "$TOOLS/grpc" &&
    "$TOOLS/grpc/bin/pip" install -q 'tritonclient[http,grpc]' grpcio-health-checking grpcio-reflection &&
    touch "$TOOLS/grpc/ready"; } || { echo "tritonclient cannot be installed here"; exit 77; }
fi
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || { kill "$server" 2>/dev/null; wait "$server"; } || true; rm -rf "$work"' EXIT
"$WHERRY" convert "$ROOT/examples/fraud/model.joblib" -o "$work/bundle" --quiet
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$(dirname "$WHERRY")/wherry-server" "$work/bundle" --port "$port" 2>"$work/log" &
server=$!
"$TOOLS/grpc/bin/python" "$HERE/grpc_clients.py" "127.0.0.1:$port" "$ROOT/examples/fraud"

# A bare call, whose head grpcio would not send so: an unknown coding, a time which is over, HTTP/1.1.
address=http://127.0.0.1:$port/inference.GRPCInferenceService
printf '\0\0\0\0\0' >"$work/empty"
call() {
  curl -s --http2-prior-knowledge -o /dev/null -D - --data-binary "@$work/empty" -H 'content-type: application/grpc' -H 'te: trailers' "$@"
}
call "$address/ServerLive" | grep -qi '^grpc-status: 0' || { echo "no status of a good call"; exit 1; }
call -H 'grpc-encoding: snappy' "$address/ServerLive" >"$work/head"
grep -qi '^grpc-status: 12' "$work/head" && grep -qi '^grpc-accept-encoding: identity' "$work/head" || { cat "$work/head"; exit 1; }
[[ $(curl -s -o /dev/null -w '%{http_code}' -H 'content-type: application/grpc' --data-binary "@$work/empty" "$address/ServerLive") == 426 ]]
[[ $(curl -s -o /dev/null -w '%{http_code}' -H 'content-type: application/json' -d '{}' "$address/ServerLive") == 415 ]]

if ! command -v go >/dev/null; then
  echo "there is no Go here: grpcurl, grpc_health_probe and ghz are left out"
  exit 0
fi
export GOBIN=$TOOLS/grpc-go GOFLAGS=-mod=mod
for tool in fullstorydev/grpcurl/cmd/grpcurl@v1.9.4 bojand/ghz/cmd/ghz@latest grpc-ecosystem/grpc-health-probe@latest; do
  name=${tool%@*}
  [[ -x $GOBIN/${name##*/} ]] || go install "github.com/$tool" >"$work/go.log" 2>&1 ||
    { echo "${name##*/} cannot be installed here; what came before passed"; exit 0; }
done
"$GOBIN/grpcurl" -plaintext "127.0.0.1:$port" list | grep -qx inference.GRPCInferenceService
"$GOBIN/grpcurl" -plaintext "127.0.0.1:$port" describe inference.ModelInferRequest | grep -q raw_input_contents
"$GOBIN/grpcurl" -plaintext -d '{"name": "fraud"}' "127.0.0.1:$port" inference.GRPCInferenceService/ModelMetadata |
  jq -e '.name == "fraud" and .inputs[0].name == "amount"' >/dev/null
if "$GOBIN/grpcurl" -plaintext -d '{"model_name": "nothing"}' "127.0.0.1:$port" inference.GRPCInferenceService/ModelInfer 2>"$work/error"; then
  echo "an unknown model was answered"
  exit 1
fi
grep -q 'Code: NotFound' "$work/error"
"$GOBIN/grpc-health-probe" -addr "127.0.0.1:$port" 2>/dev/null
"$GOBIN/ghz" --insecure --proto "$ROOT/src/protocol/proto/grpc_service.proto" --call inference.GRPCInferenceService.ModelReady \
  -d '{"name": "fraud"}' -n 2000 -c 20 --format json "127.0.0.1:$port" | jq -e '.statusCodeDistribution == {"OK": 2000}' >/dev/null
echo "grpcurl, grpc_health_probe and ghz are content"
