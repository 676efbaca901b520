#!/usr/bin/env bash
# What people and programs learn the server's interface from: /openapi.json (openapi-spec-validator, schemathesis), the pages
# (Chromium with axe-core), and V1 as KServe's client sends it.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=${WHERRY_ROOT:-$(cd "$HERE/../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
TOOLS=${WHERRY_E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/wherry-e2e}

if [[ ! -e $TOOLS/interface/ready ]]; then
  rm -rf "$TOOLS/interface"
  { python3 -m venv "$TOOLS/interface" && "$TOOLS/interface/bin/pip" install -q schemathesis openapi-spec-validator pyyaml &&
    touch "$TOOLS/interface/ready"; } || { echo "schemathesis cannot be installed here"; exit 77; }
fi
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || { kill "$server" 2>/dev/null; wait "$server"; } || true; rm -rf "$work"' EXIT
"$WHERRY" convert "$ROOT/examples/fraud/model.joblib" -o "$work/bundle" --quiet
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$(dirname "$WHERRY")/wherry-server" "$work/bundle" --port "$port" --access-log off 2>"$work/log" &
server=$!
url=http://127.0.0.1:$port
curl -s --retry 50 --retry-delay 0 --retry-connrefused --retry-all-errors -f -o /dev/null "$url/v2/health/ready"

echo "== the OpenAPI document is valid, and the YAML says the same"
curl -sf "$url/openapi.json" -o "$work/openapi.json"
"$TOOLS/interface/bin/openapi-spec-validator" "$work/openapi.json"
curl -sf "$url/openapi.yaml" -o "$work/openapi.yaml"
"$TOOLS/interface/bin/python" -c '
import json, sys, yaml
assert json.load(open(sys.argv[1])) == yaml.safe_load(open(sys.argv[2])), "the two differ"' "$work/openapi.json" "$work/openapi.yaml"

echo "== schemathesis finds no 500, no status and no answer which the document does not describe"
"$TOOLS/interface/bin/schemathesis" run "$url/openapi.json" --max-examples "${WHERRY_E2E_EXAMPLES:-40}" --phases examples,coverage,fuzzing \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance \
  --continue-on-failure --warnings off >"$work/schemathesis" 2>&1 || { tail -n 80 "$work/schemathesis"; exit 1; }
tail -n 4 "$work/schemathesis"

echo "== the pages in Chromium"
if command -v chromedriver >/dev/null && command -v chromium >/dev/null; then
  if command -v npm >/dev/null && npm install --silent --prefix "$TOOLS" axe-core >/dev/null 2>&1; then
    export AXE=$TOOLS/node_modules/axe-core/axe.min.js
  else
    echo "without axe-core: npm cannot install it here"
  fi
  python3 "$HERE/page.py" "$url/" "${WHERRY_SCREENSHOTS:-$work}"
else
  echo "skipped: no Chromium here"
fi
