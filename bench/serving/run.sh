#!/usr/bin/env bash
# bench/serving/run.sh [bench.py options]: installs the peers into ${WHERRY_BENCH:-~/.cache/wherry-bench}, trains the models, measures.
# Needs python3 ≥ 3.11, node ≥ 18 with npm, wrk. About ten minutes; leave the machine alone meanwhile.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
WORK=${WHERRY_BENCH:-${XDG_CACHE_HOME:-$HOME/.cache}/wherry-bench}
mkdir -p "$WORK/models" "$WORK/bundles" "$WORK/node"

for tool in python3 node npm wrk; do
  command -v "$tool" >/dev/null || { echo "error: $tool is missing" >&2; exit 3; }
done
if [[ ! -e $WORK/venv/ready ]]; then
  python3 -m venv "$WORK/venv"
  "$WORK/venv/bin/pip" install -q fastapi 'uvicorn[standard]' scikit-learn joblib skl2onnx
  touch "$WORK/venv/ready"
fi
if [[ ! -d $WORK/node/node_modules ]]; then
  cp "$HERE/peers/node/package.json" "$WORK/node/"
  (cd "$WORK/node" && ONNXRUNTIME_NODE_INSTALL=skip npm install --silent)
fi
"$WORK/venv/bin/python" "$HERE/train.py" "$WORK/models"
"$ROOT/wherry" version >/dev/null
exec python3 "$HERE/bench.py" --work "$WORK" --wherry "$ROOT/build/release/bin/wherry" "$@"
