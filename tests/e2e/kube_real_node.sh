#!/usr/bin/env bash
# The Kubernetes client against a real node: kubelet, containerd and runc pull from a registry on loopback and run the
# pods under Pod Security "restricted"; their failures are real ones.
set -uo pipefail
# shellcheck source=kube/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/kube/common.sh"
command -v cc >/dev/null || { echo "needs a C compiler"; exit 77; }
export KUBE_NODES=0
start_cluster
"$HERE/node-up.sh" "$WORK" || exit $?
build_kube_test

registry=127.0.0.1:$("$WORK/kube-all" ports 1)
if command -v docker-registry >/dev/null; then
  printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s/registry}}\nhttp: {addr: "%s"}\n' "$WORK" "$registry" >"$WORK/registry.yml"
  docker-registry serve "$WORK/registry.yml" >"$WORK/registry.log" 2>&1 &
else
  "$WORK/kube-all" registry "$registry" >"$WORK/registry.log" 2>&1 &
fi
REGISTRY_PID=$!

cc -O2 -static -s -o "$WORK/web" "$HERE/web.c"
push() { # TAG ENVIRONMENT
  (
    mkdir -p "$WORK/image" && cd "$WORK/image" || exit
    cp "$WORK/web" . && tar -cf layer.tar --owner=0 --group=0 web
    printf '{"architecture":"amd64","os":"linux","config":{"Entrypoint":["/web"],"User":"65532:65532","Env":["VERSION=%s","%s"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
      "$1" "$2" "$(sha256sum <layer.tar | cut -c1-64)" >config.json
    printf '[{"Config":"config.json","RepoTags":["web:%s"],"Layers":["layer.tar"]}]' "$1" >manifest.json
    tar -cf image.tar config.json layer.tar manifest.json
    for ((i = 0; i < 50; i++)); do
      "$WORK/kube-all" push image.tar "$registry/web:$1" 2>/dev/null && exit 0
      sleep 0.1
    done
    echo "cannot push to $registry"
    exit 1
  )
}
push 1 A=b && push crash CRASH=1 && push eat EAT=1 && push notready NOTREADY=1 || exit 1

ends "rollouts on the real node" 0 env WHERRY_TEST_KUBECONFIG="$KUBECONFIG" WHERRY_TEST_REGISTRY="$registry" \
  "$KUBE_TEST" --gtest_filter='RealNode.*'
cat "$WORK/out"

# The whole way: model file, image, registry, rollout, prediction at the pod's address.
model=$ROOT/examples/fraud/model.joblib
image=$("$WHERRY" build "$model" -t "$registry/fraud:1" --push) || FAILED=$((FAILED + 1))
claim "deploy rolls out the image just pushed" "successfully rolled out" \
  "$WHERRY" deploy fraud --image "$image" --namespace shop --create-namespace --replicas 1 --timeout 120
address=$(k -n shop get pods -l app.kubernetes.io/name=fraud -o 'jsonpath={.items[0].status.podIP}')
claim "the pod says ready" '"ready"|ready' curl -sS -m 5 "http://$address:8080/v2/health/ready"
claim "and predicts" '"outputs"' curl -sS -m 5 -H 'Content-Type: application/json' \
  --data "@$ROOT/examples/fraud/requests/v2.json" "http://$address:8080/v2/models/fraud/infer"
finish
