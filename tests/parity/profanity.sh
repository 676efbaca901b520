#!/usr/bin/env bash
# alt-profanity-check's vectoriser and model, as its releases on PyPI have them, each made with the scikit-learn of that
# number: wherry's answers are scikit-learn's own, for 1,200 texts in many scripts.
#   WHERRY_PROFANITY_VERSIONS   the releases, default: every one with an environment in tests/fixtures/requirements, but
#                               1.1.3: it was written by a joblib newer than that environment's, which cannot read it
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=${WHERRY_ROOT:-$(cd "$HERE/../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
known=$(cd "$ROOT/tests/fixtures/requirements/sklearn" && printf '%s\n' *.txt | sed 's/\.txt$//' | grep -vx 1.1.3 | sort -V | tr '\n' ' ')
versions=${WHERRY_PROFANITY_VERSIONS:-$known}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for version in $versions; do
  python=$("$ROOT/tests/fixtures/make.sh" --venv "sklearn/$version" 2>"$work/log") ||
    { echo "no environment of scikit-learn $version can be made here"; exit 77; }
  "$python" -m pip download -q --no-deps --no-binary :none: -d "$work/$version" "alt-profanity-check==$version" \
    >"$work/log" 2>&1 || { echo "alt-profanity-check cannot be downloaded here"; exit 77; }
  mkdir "$work/$version/files"
  for archive in "$work/$version"/*profanity*; do
    case $archive in
      *.whl) "$python" -m zipfile -e "$archive" "$work/$version/files" ;;
      *) tar xzf "$archive" -C "$work/$version/files" --strip-components 1 ;;
    esac
  done
  "$python" "$HERE/profanity.py" "$WHERRY" "$work/$version/files/profanity_check/data"
done
