#!/usr/bin/env bash
# Models of tensors asked by other people's clients: curl, tritonclient over HTTP and gRPC, and a person at the page (Chromium).
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=${WHERRY_ROOT:-$(cd "$HERE/../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
TOOLS=${WHERRY_E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/wherry-e2e}

if [[ ! -e $TOOLS/tensors/ready ]]; then
  rm -rf "$TOOLS/tensors"
  { python3 -m venv "$TOOLS/tensors" && "$TOOLS/tensors/bin/pip" install -q 'tritonclient[http,grpc]' numpy &&
    touch "$TOOLS/tensors/ready"; } || { echo "tritonclient cannot be installed here"; exit 77; }
fi
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || { kill "$server" 2>/dev/null; wait "$server"; } || true; rm -rf "$work"' EXIT
mkdir "$work/models"
for model in pixels words; do
  "$WHERRY" convert "$ROOT/examples/tensors/$model.onnx" -o "$work/models/$model" --quiet >/dev/null || {
    status=$?
    "$WHERRY" predict "$ROOT/examples/tensors/$model.onnx" 2>&1 </dev/null | grep -q 'runtime.not_found' && exit 77
    exit $status
  }
done
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$(dirname "$WHERRY")/wherry-server" --repository "$work/models" --port "$port" --access-log off 2>"$work/log" &
server=$!
url=http://127.0.0.1:$port
curl -s --retry 50 --retry-delay 0 --retry-connrefused --retry-all-errors -f -o /dev/null "$url/v2/health/ready"

echo "== curl: V1, the whole tensor as bytes, and a refusal which names the input"
json=(-H "content-type: application/json")
curl -sf "$url/v1/models/words:predict" "${json[@]}" -d @"$ROOT/examples/tensors/words.json" | tee "$work/v1"
echo
grep -q '"words":3' "$work/v1"
head -c 64 /dev/zero >"$work/raw"
curl -sf "$url/v2/models/pixels/infer" -H 'Inference-Header-Content-Length: 0' --data-binary @"$work/raw" -o "$work/answer" -D "$work/head"
grep -qi '^inference-header-content-length:' "$work/head"
status=$(curl -s -o "$work/refusal" -w '%{http_code}' "$url/v1/models/pixels:predict" "${json[@]}" -d '{"instances": [[[0, 1]]]}')
cat "$work/refusal"
echo
[[ $status == 400 ]] && grep -q "input 'pixels'" "$work/refusal"

echo "== tritonclient over HTTP and gRPC"
"$TOOLS/tensors/bin/python" "$HERE/tensor_clients.py" "127.0.0.1:$port" "$ROOT/examples/tensors"

echo "== every example of the OpenAPI document succeeds"
"$TOOLS/tensors/bin/python" - "$url" <<'END'
import json, sys, urllib.request
url = sys.argv[1]
document = json.load(urllib.request.urlopen(url + "/openapi.json"))
posted = 0
for path, methods in document["paths"].items():
    for content in methods.get("post", {}).get("requestBody", {}).get("content", {}).values():
        if "example" not in content or "{label}" in path:
            continue
        request = urllib.request.Request(url + path.replace("{version}", "1"), json.dumps(content["example"]).encode(),
                                         {"content-type": "application/json"})
        assert urllib.request.urlopen(request).status == 200, path
        posted += 1
assert posted >= 4, posted
print(posted, "examples posted")
END

echo "== the page in Chromium"
if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then
  python3 "$HERE/tensor_page.py" "$url/?model=words" "${WHERRY_SCREENSHOTS:-$work}"
else
  echo "skipped: no Chromium here"
fi
