#!/usr/bin/env bash
# The server as operators see it: access with keys and tokens whose keys come from a URL, promtool on /metrics, spans as
# opentelemetry-proto reads them, drift against a profile as NumPy computes it, the prediction log, /v2/logging.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=${WHERRY_ROOT:-$(cd "$HERE/../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
TOOLS=${WHERRY_E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/wherry-e2e}

if [[ ! -e $TOOLS/observe/ready ]]; then
  rm -rf "$TOOLS/observe"
  { python3 -m venv "$TOOLS/observe" &&
    "$TOOLS/observe/bin/pip" install -q 'pyjwt[crypto]' jwcrypto opentelemetry-proto prometheus-client numpy pandas pyseccomp &&
    touch "$TOOLS/observe/ready"; } || { echo "the Python packages cannot be installed here"; exit 77; }
fi
promtool=$(command -v promtool || true)
[[ -n $promtool ]] || { echo "promtool (Debian package prometheus) is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && "$TOOLS/observe/bin/python" "$ROOT/examples/fraud/generate.py" 12000 7 >/dev/null)
"$WHERRY" convert "$ROOT/examples/fraud/model.joblib" -o "$work/bundle" --profile "$work/transactions.csv" --quiet
"$TOOLS/observe/bin/python" "$HERE/observe.py" "$(dirname "$WHERRY")/wherry-server" "$work" "$promtool"
