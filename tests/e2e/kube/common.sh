# What the Kubernetes end-to-end scripts share; sourced. Sets ROOT, KUBE_TEST, WORK and, after start_cluster, KUBECONFIG.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=${WHERRY_ROOT:-$(cd "$HERE/../../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/wherry-kube.XXXXXX")
PASSED=0 FAILED=0

clean_up() {
  [[ -n ${REGISTRY_PID:-} ]] && kill "$REGISTRY_PID" 2>/dev/null
  "$HERE/cluster-down.sh" "$WORK" || true
  rm -rf "$WORK"
}
trap clean_up EXIT

# The unit test program of module kube holds the scenarios which need a cluster.
build_kube_test() {
  KUBE_TEST=${WHERRY_KUBE_TEST:-$ROOT/build/dev/bin/kube_test}
  [[ -n ${WHERRY_KUBE_TEST:-} ]] && return
  (cd "$ROOT" && cmake --preset dev >/dev/null && ninja -C build/dev kube_test) >"$WORK/build.log" 2>&1 ||
    { tail -n 30 "$WORK/build.log"; exit 1; }
}

# start_cluster: as cluster-up.sh; ends the script with 77 where there is no cluster to be had.
start_cluster() {
  "$HERE/cluster-up.sh" "$WORK" || exit $?
  export KUBECONFIG=$WORK/kubeconfig
}

k() { "$WORK/kube-all" kubectl "$@"; }

# claim TEXT PATTERN CMD...: the output (both streams) of CMD matches the extended regular expression.
claim() {
  local text=$1 pattern=$2 out
  shift 2
  out=$("$@" 2>&1)
  if [[ $out =~ $pattern ]]; then
    PASSED=$((PASSED + 1)) && echo "ok    $text"
  else
    FAILED=$((FAILED + 1)) && echo "FAIL  $text" && printf '%s\n' "$out" | sed 's/^/      | /'
  fi
}

# ends TEXT STATUS CMD...: CMD ends with this status.
ends() {
  local text=$1 wanted=$2 status=0
  shift 2
  "$@" >"$WORK/out" 2>&1 || status=$?
  if ((status == wanted)); then
    PASSED=$((PASSED + 1)) && echo "ok    $text"
  else
    FAILED=$((FAILED + 1)) && echo "FAIL  $text: status $status, not $wanted" && sed 's/^/      | /' "$WORK/out"
  fi
}

finish() {
  echo "$PASSED claims hold, $FAILED do not"
  ((FAILED == 0))
}
