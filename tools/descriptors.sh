#!/usr/bin/env bash
# Writes the descriptors of our .proto files, which server reflection answers with, as C++: descriptors.sh [--check]
# --check: only compares them with what is committed.
set -euo pipefail
ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# embed FOLDER OUTPUT FILE…: FILEs are relative to FOLDER, in an order in which imports come first
embed() {
  local folder=$1 output=$2 file
  shift 2
  echo "// Made by tools/descriptors.sh from the .proto files beside it: {file name, serialised FileDescriptorProto}." >"$work/out"
  for file in "$@"; do
    protoc -I "$folder" --descriptor_set_out="$work/set" "$file"
    # A FileDescriptorSet of one file is that file behind a tag byte and its length.
    python3 - "$file" "$work/set" >>"$work/out" <<'PYTHON'
import sys
data = open(sys.argv[2], "rb").read()
at = 1
while data[at] & 0x80:
    at += 1
data = data[at + 1:]
print(f'{{"{sys.argv[1]}",')
print("  {")
for i in range(0, len(data), 24):
    print('   "' + "".join(f"\\{byte:03o}" for byte in data[i:i + 24]) + '"')
print(f"   , {len(data)}}}}},")
PYTHON
  done
  if [[ $mode == --check ]]; then
    cmp "$work/out" "$output" || { echo "$output is not what tools/descriptors.sh makes"; status=1; }
  else
    cp "$work/out" "$output"
  fi
}

mode=${1:-}
embed "$ROOT/src/protocol/proto" "$ROOT/src/protocol/descriptors.inc" model_config.proto grpc_service.proto
embed "$ROOT/src/rpc/proto" "$ROOT/src/rpc/descriptors.inc" grpc/health/v1/health.proto \
  grpc/reflection/v1/reflection.proto grpc/reflection/v1alpha/reflection.proto
exit $status
