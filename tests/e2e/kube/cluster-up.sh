#!/usr/bin/env bash
# Starts a Kubernetes control plane on 127.0.0.1 with fake nodes (kwok), for tests.
#
#   cluster-up.sh WORKDIR       starts everything, waits until it serves, writes WORKDIR/kubeconfig (cluster-admin)
#   cluster-down.sh WORKDIR     stops what was started there, and nothing else
#
# KUBE_ALL_BIN       a built kube-all (one program which is etcd, apiserver, controller-manager, scheduler, kwok and
#                    kubectl; sources in kube-all/)
# WHERRY_BUILD_KUBE  1: build it when KUBE_ALL_BIN is unset (Go >= 1.26, network, about 15 minutes on 2 cores)
# KUBE_NODES         how many fake nodes (default 3)
# KUBE_NODE_NET      first three bytes of a real node's pod network (default 10.244.99), see node-up.sh
# Exit 77: there is no kube-all and building is not asked for.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fail() { echo "cluster-up: $*" >&2; exit 1; }
[[ $# == 1 ]] || fail "usage: cluster-up.sh WORKDIR"
# shellcheck source=build.sh
source "$here/build.sh"
bin=$(kube_binary kube-all) || exit $?
crds=$(dirname "$bin")/gateway-api

mkdir -p "$1"
work=$(cd "$1" && pwd)
compgen -G "$work/run/*.pid" >/dev/null && fail "$work is in use: run cluster-down.sh there first"
rm -rf "$work"/{pki,etcd,run,log,kubeconfig}
mkdir -p "$work"/{run,log}
ln -sfn "$bin" "$work/kube-all"
trap 'code=$?; if ((code)); then tail -n 5 "$work"/log/*.log >&2 || true; "$here/cluster-down.sh" "$work"; fi' EXIT

# start NAME ARGS...: one part in the background, its pid and start time kept.
start() {
  local name=$1
  shift
  setsid "$bin" "$@" >"$work/log/$name.log" 2>&1 </dev/null &
  local pid=$!
  echo "$pid $(cut -d' ' -f22 "/proc/$pid/stat")" >"$work/run/$name.pid"
}
alive() { kill -0 "$(cut -d' ' -f1 "$work/run/$1.pid")" 2>/dev/null || fail "$1 died at start: see $work/log/$1.log"; }
k() { "$bin" kubectl --kubeconfig "$work/pki/admin.kubeconfig" "$@"; }
# await WHAT CMD...: until CMD succeeds, for two minutes at most.
await() {
  local what=$1 end=$((SECONDS + 120)) part
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || fail "waited two minutes for $what"
    for part in "$work"/run/*.pid; do alive "$(basename "$part" .pid)"; done
    sleep 0.1
  done
}

mapfile -t port < <("$bin" ports 4)
server=https://127.0.0.1:${port[0]}
pki=$work/pki
"$bin" pki "$pki" "$server" "${KUBE_NODE_NET:-10.244.99}.1"

start etcd etcd --data-dir "$work/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls "http://127.0.0.1:${port[1]}" --advertise-client-urls "http://127.0.0.1:${port[1]}" \
  --listen-peer-urls "http://127.0.0.1:${port[2]}" --initial-advertise-peer-urls "http://127.0.0.1:${port[2]}" \
  --initial-cluster "default=http://127.0.0.1:${port[2]}"

start apiserver apiserver --etcd-servers "http://127.0.0.1:${port[1]}" \
  --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --endpoint-reconciler-type none --secure-port "${port[0]}" \
  --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" --client-ca-file "$pki/ca.crt" \
  --service-account-issuer https://kubernetes.default.svc.cluster.local \
  --service-account-key-file "$pki/sa.pub" --service-account-signing-key-file "$pki/sa.key" \
  --kubelet-certificate-authority "$pki/ca.crt" \
  --kubelet-preferred-address-types InternalIP --kubelet-client-certificate "$pki/kubelet-client.crt" \
  --kubelet-client-key "$pki/kubelet-client.key" \
  --service-cluster-ip-range 10.96.0.0/16 --authorization-mode Node,RBAC --anonymous-auth=false \
  --allow-privileged --enable-admission-plugins NodeRestriction --profiling=false
await "the API server" k get --raw /readyz

start controller-manager controller-manager --kubeconfig "$pki/controller-manager.kubeconfig" \
  --service-account-private-key-file "$pki/sa.key" --root-ca-file "$pki/ca.crt" \
  --use-service-account-credentials --leader-elect=false --secure-port 0 \
  --kube-api-qps 200 --kube-api-burst 400 --profiling=false
start scheduler scheduler --kubeconfig "$pki/scheduler.kubeconfig" \
  --leader-elect=false --secure-port 0 --kube-api-qps 200 --kube-api-burst 400 --profiling=false

nodes=${KUBE_NODES:-3}
if ((nodes)); then
  fate=$(<"$here/fate.jq")
  stages=$(<"$here/stages.yaml")
  echo "${stages//@FATE@/$fate}" >"$work/stages.yaml"
  start kwok kwok --kubeconfig "$pki/kwok.kubeconfig" --config "$work/stages.yaml" \
    --manage-nodes-with-annotation-selector kwok.x-k8s.io/node=fake \
    --cidr 10.244.0.1/16 --node-ip 127.0.0.1 --node-port "${port[3]}" --server-address "127.0.0.1:${port[3]}" \
    --tls-cert-file "$pki/node.crt" --tls-private-key-file "$pki/node.key" --node-lease-duration-seconds 40

  for ((i = 0; i < nodes; i++)); do
    printf 'apiVersion: v1\nkind: Node\nmetadata: {name: fake-%s, annotations: {kwok.x-k8s.io/node: fake}, labels: {kubernetes.io/os: linux, kubernetes.io/arch: amd64, kubernetes.io/hostname: fake-%s}}\n---\n' "$i" "$i"
  done | k apply -f - >/dev/null
fi
[[ -d $crds ]] && k apply --server-side -f "$crds" >/dev/null
await "the default service account" k -n default get serviceaccount default
((nodes)) && k wait --for=condition=Ready node --all --timeout=60s >/dev/null
[[ -d $crds ]] && k wait --for=condition=Established crd --all --timeout=60s >/dev/null

cp "$pki/admin.kubeconfig" "$work/kubeconfig"
echo "cluster-up: $server is ready after $SECONDS s; KUBECONFIG=$work/kubeconfig" >&2
