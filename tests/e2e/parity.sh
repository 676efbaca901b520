#!/usr/bin/env bash
# The newest version of every framework, its models asked 1000 random rows each, against what wherry predicts.
set -uo pipefail
ROOT=${WHERRY_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
cd "$ROOT" || exit 1
[[ -x build/dev/bin/parity_test ]] || { echo "parity_test is not built: ./test builds it"; exit 77; }
specs=()
for folder in tests/fixtures/requirements/*/; do
  framework=$(basename "$folder")
  newest=$(cd "$folder" && printf '%s\n' *.txt | sed 's/\.txt$//' | sort -V | tail -n 1)
  if tests/fixtures/make.sh --venv "$framework/$newest"; then
    specs+=("$framework/$newest")
  else
    echo "left out: $framework $newest cannot be installed here"
  fi
done
((${#specs[@]} > 0)) || { echo "no framework can be installed here"; exit 77; }
tests/parity/matrix.sh "${specs[@]}"
