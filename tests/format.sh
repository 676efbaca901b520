#!/usr/bin/env bash
# Every C++ file is as clang-format 19 writes it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
git ls-files '*.cc' '*.h' | xargs clang-format-19 --dry-run -Werror
