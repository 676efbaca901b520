#!/usr/bin/env bash
# Makes docs/reference/parity.md: fits the models of tests/fixtures/cases in every version of every framework, asks
# each 1000 random rows besides its own, and compares.
#   tests/parity/matrix.sh                       everything (needs the Python versions named in the requirements)
#   tests/parity/matrix.sh sklearn/1.9.1 …       these; printed instead of written
#   WHERRY_MATRIX_ROWS=200                       fewer rows; 0: the fixtures as they stand in tests/fixtures
#   WHERRY_MATRIX_MODELS=DIR                     models made already, by tests/fixtures/make.sh --into DIR; those of
#                                                tests/fixtures stand in for what is not there
#   WHERRY_BIN                                   where wherry and parity_test are (build/dev/bin)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BIN=${WHERRY_BIN:-build/dev/bin}
ROWS=${WHERRY_MATRIX_ROWS:-1000}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

failed=0
# compare FOLDER: models in FOLDER/FRAMEWORK/VERSION/CASE
compare() {
  WHERRY_PARITY_FIXTURES=$1 WHERRY_PARITY_REPORT=$WORK/report.jsonl "$BIN/parity_test" --gtest_brief=1 \
    --gtest_filter='Models/*' > "$WORK/log" || failed=1
  grep -v '^parity ' "$WORK/log" >&2 || true
  local folder
  for folder in "$1"/sklearn/*/; do
    [[ -d $folder ]] || continue
    "$(tests/fixtures/make.sh --venv "sklearn/$(basename "$folder")")" tests/parity/list_estimators.py \
      "$WORK/classes/$(basename "$folder")" >&2
  done
}

if [[ $ROWS == 0 || -n ${WHERRY_MATRIX_MODELS:-} ]]; then
  mkdir "$WORK/models"
  for framework in tests/fixtures/requirements/*/; do
    cp -r "tests/fixtures/$(basename "$framework")" "$WORK/models/"
  done
  [[ -z ${WHERRY_MATRIX_MODELS:-} ]] || cp -r "$WHERRY_MATRIX_MODELS"/. "$WORK/models/"
  compare "$WORK/models"
else
  # One version after the other, so that the models of one at a time are on the disk.
  if [[ $# -gt 0 ]]; then specs=("$@"); else
    mapfile -t specs < <(cd tests/fixtures/requirements && printf '%s\n' */*.txt | sed 's/\.txt$//' | sort -V)
  fi
  for spec in "${specs[@]}"; do
    tests/fixtures/make.sh --rows "$ROWS" --into "$WORK/models" "$spec" >&2 || failed=1
    compare "$WORK/models"
    rm -rf "$WORK/models"
  done
fi
OUT=/dev/stdout
[[ $# -gt 0 ]] || OUT=docs/reference/parity.md
python3 tests/parity/matrix.py "$WORK/report.jsonl" "$WORK/classes" "$BIN/wherry" > "$OUT" || failed=1
exit $failed
