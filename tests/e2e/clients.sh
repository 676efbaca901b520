#!/usr/bin/env bash
# The server asked by other people's clients: tritonclient over HTTP, and prometheus_client reading /metrics.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=${WHERRY_ROOT:-$(cd "$HERE/../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
TOOLS=${WHERRY_E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/wherry-e2e}

if [[ ! -e $TOOLS/clients/ready ]]; then
  rm -rf "$TOOLS/clients"
  { python3 -m venv "$TOOLS/clients" && "$TOOLS/clients/bin/pip" install -q 'tritonclient[http]' prometheus-client &&
    touch "$TOOLS/clients/ready"; } || { echo "tritonclient cannot be installed here"; exit 77; }
fi
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || { kill "$server" 2>/dev/null; wait "$server"; } || true; rm -rf "$work"' EXIT
"$WHERRY" convert "$ROOT/examples/fraud/model.joblib" -o "$work/bundle" --quiet
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$(dirname "$WHERRY")/wherry-server" "$work/bundle" --port "$port" 2>"$work/log" &
server=$!
"$TOOLS/clients/bin/python" "$HERE/clients.py" "127.0.0.1:$port" "$ROOT/examples/fraud"
