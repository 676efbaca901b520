# Linters for CI files; sourced. Taken from the PATH, else installed once into $WHERRY_E2E_TOOLS (default
# ~/.cache/wherry-e2e), pinned. What cannot be had is said and left out.

TOOLS=${WHERRY_E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/wherry-e2e}
mkdir -p "$TOOLS/bin"
PATH=$TOOLS/bin:$PATH

skip() { echo "skip  $*"; }

# python_tools: zizmor, check-jsonschema, cfn-lint and PyYAML for the harness itself.
python_tools() {
  PYTHON=$TOOLS/ci-python/bin/python
  "$PYTHON" -c 'import yaml' 2>/dev/null && [[ -x $TOOLS/ci-python/bin/cfn-lint ]] && return
  python3 -m venv "$TOOLS/ci-python" &&
    "$PYTHON" -m pip --quiet install --disable-pip-version-check zizmor==1.32.0 check-jsonschema==0.39.0 cfn-lint==1.58.0 PyYAML
}

# go_tool NAME MODULE@VERSION
go_tool() {
  command -v "$1" >/dev/null && return
  command -v go >/dev/null || return
  GOBIN=$TOOLS/bin go install "$2" 2>"$TOOLS/$1.log"
}

# npm_tool NAME@VERSION
npm_tool() {
  local name=${1%@*}
  [[ -x $TOOLS/node_modules/.bin/$name ]] && return
  command -v npm >/dev/null || return
  npm install --silent --no-fund --no-audit --prefix "$TOOLS" "$1" >"$TOOLS/$name.log" 2>&1
}
