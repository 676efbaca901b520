#!/usr/bin/env bash
# docs/reference/commands.md is the output of `wherry help reference`: reference.sh WHERRY. WHERRY_ACCEPT=1 rewrites it.
set -euo pipefail
page=$(dirname "${BASH_SOURCE[0]}")/../docs/reference/commands.md
if [[ ${WHERRY_ACCEPT:-} == 1 ]]; then
  "$1" help reference >"$page"
fi
diff -u "$page" <("$1" help reference)
