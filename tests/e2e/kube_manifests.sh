#!/usr/bin/env bash
# What `wherry render` writes is valid by the published schemas of the Kubernetes versions it claims to fit.
set -uo pipefail
ROOT=${WHERRY_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
tools=${XDG_CACHE_HOME:-$HOME/.cache}/wherry-e2e/kubernetes-validate-1.37.0
if [[ ! -x $tools/bin/kubernetes-validate ]]; then
  python3 -m venv "$tools" >/dev/null && "$tools/bin/pip" -q install kubernetes-validate==1.37.0 ||
    { rm -rf "$tools"; echo "kubernetes-validate cannot be installed with pip"; exit 77; }
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
check() { # VERSION FILE
  "$tools/bin/kubernetes-validate" --strict -k "$1" "$2" || { echo "FAIL  $2 against $1"; failed=1; }
}
"$WHERRY" render fraud --image registry.example/fraud:1 --namespace shop --create-namespace --env A=b \
  --env-secret TOKEN=secret/key --pull-secret login --label team=risk --priority-class high >"$work/rendered.yaml" || exit 1
for version in 1.27 1.30 1.33 1.37; do
  for file in "$work/rendered.yaml" "$ROOT"/src/kube/testdata/{minimal,everything}.yaml; do check "$version" "$file"; done
done
check 1.25 "$ROOT/src/kube/testdata/old_server.yaml"
# The validator does notice: without this the above proves nothing.
sed 's/replicas: 2/replicas: "2"/' "$work/rendered.yaml" >"$work/bad.yaml"
if "$tools/bin/kubernetes-validate" --strict -k 1.37 "$work/bad.yaml" >/dev/null 2>&1; then
  echo "FAIL  a replica count which is text passes"
  failed=1
fi
exit $failed
