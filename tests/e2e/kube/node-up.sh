#!/usr/bin/env bash
# Joins a real node (containerd, runc, kubelet) to the control plane which cluster-up.sh started, so that pods run
# real images. Needs root, and Debian's containerd, runc, containernetworking-plugins and iproute2. The node lives in
# mount and pid namespaces of its own and under cgroups of its own; on the host it shows as the bridge kube-pods, over
# which every pod is reached at its own address.
#
#   KUBE_NODES=0 cluster-up.sh WORKDIR   a control plane without fake nodes
#   node-up.sh WORKDIR [IMAGE.tar]...    the node; images to put into it beforehand
#   node-down.sh WORKDIR                 ends the node and all of its pods
#
# KUBE_NODE_NET   first three bytes of the pods' network (default 10.244.99); cluster-up.sh must be given the same
# KUBE_NODE_BIN, WHERRY_BUILD_KUBE   as KUBE_ALL_BIN for cluster-up.sh
# Exit 77: this machine cannot run a node; the last line says why.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fail() { echo "node-up: $*" >&2; exit 1; }
skip() { echo "no real node: $*" >&2; exit 77; }
net=${KUBE_NODE_NET:-10.244.99}

# ---- inside: process 1 of the node's namespaces ----
if [[ ${1:-} == --inside ]]; then
  node=$2 bin=$3
  cd "$node"
  # The kubelet sets these and gives up if it cannot. Let it read what it wants
  # to read, and leave the machine's own alone.
  for kv in kernel/panic=10 kernel/panic_on_oops=1 vm/overcommit_memory=1; do
    echo "${kv#*=}" >"sysctl.${kv##*/}"
    mount --bind "sysctl.${kv##*/}" "/proc/sys/${kv%=*}"
  done
  mkdir -p /run/netns
  mount -t tmpfs tmpfs /run/netns
  mount --make-rshared /
  containerd -c containerd.toml >log/containerd.log 2>&1 &
  for ((i = 0; i < 100; i++)); do
    ctr -a cd/sock version >/dev/null 2>&1 && break
    sleep 0.1
  done
  for image in pause.tar images/*; do
    [[ -f $image ]] && ctr -a cd/sock -n k8s.io images import "$image" >>log/import.log 2>&1
  done
  "$bin" kubelet --config kubelet.yaml --kubeconfig ../pki/node.kubeconfig --root-dir "$node/kubelet" \
    --cert-dir "$node/kubelet/pki" --hostname-override real-0 --node-ip "$net.1" >log/kubelet.log 2>&1 &
  wait -n
  exit 1
fi

# ---- outside ----
[[ $# -ge 1 && -f $1/kubeconfig ]] || fail "usage: node-up.sh WORKDIR [IMAGE.tar]..."
work=$(cd "$1" && pwd)
shift
[[ $EUID == 0 ]] || skip "needs root"
for tool in containerd ctr runc ip unshare cc; do
  command -v "$tool" >/dev/null || skip "needs $tool"
done
[[ -x /usr/lib/cni/bridge ]] || skip "needs containernetworking-plugins"
[[ -d /sys/fs/cgroup/cpuset && -d /sys/fs/cgroup/memory ]] || skip "needs cgroup v1 or the hybrid layout"
[[ -f $work/run/node.pid ]] && fail "$work has a node: run node-down.sh there first"

# shellcheck source=build.sh
source "$here/build.sh"
bin=$(kube_binary kube-node) || exit $?

node=$work/node
rm -rf "$node"
mkdir -p "$node"/{log,images,cni,podlogs}
for image in "$@"; do cp "$image" "$node/images/"; done

# The image every pod's sandbox runs: one program that waits.
cat >"$node/pause.c" <<'C'
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void leave(int s) { (void)s; _exit(0); }
static void reap(int s) { (void)s; while (waitpid(-1, 0, WNOHANG) > 0) {} }
int main(void) { signal(SIGINT, leave); signal(SIGTERM, leave); signal(SIGCHLD, reap); for (;;) pause(); }
C
cc -O2 -static -s -o "$node/pause" "$node/pause.c"
(
  cd "$node"
  tar -cf layer.tar --owner=0 --group=0 pause
  printf '{"architecture":"amd64","os":"linux","config":{"Entrypoint":["/pause"],"User":"65535:65535"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(sha256sum <layer.tar | cut -c1-64)" >config.json
  echo '[{"Config":"config.json","RepoTags":["localhost/pause:1"],"Layers":["layer.tar"]}]' >manifest.json
  tar -cf pause.tar config.json layer.tar manifest.json
)

cat >"$node/cni/10-pods.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "kube-pods", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$node/cni/leases",
            "ranges": [[{"subnet": "$net.0/24", "gateway": "$net.1"}]]}},
  {"type": "loopback"}]}
JSON
cat >"$node/containerd.toml" <<TOML
version = 2
root = "$node/cd/root"
state = "$node/cd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "$node/cd/sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  # Without CAP_SYS_RESOURCE no process may lower its oom_score_adj.
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$node/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
TOML
group=kube-$(basename "$work")-$$
cat >"$node/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $net.1
port: $("$work/kube-all" ports 1)
healthzPort: 0
authentication: {anonymous: {enabled: false}, x509: {clientCAFile: $work/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $work/pki/node.crt
tlsPrivateKeyFile: $work/pki/node.key
containerRuntimeEndpoint: unix://$node/cd/sock
cgroupDriver: cgroupfs
cgroupRoot: /$group
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
maxOpenFiles: $(ulimit -Hn)
localStorageCapacityIsolation: false
makeIPTablesUtilChains: false
resolvConf: ""
podLogsDir: $node/podlogs
YAML

trap 'code=$?; if ((code)); then tail -n 5 "$node"/log/*.log >&2 || true; "$here/node-down.sh" "$work"; fi' EXIT
echo "$group" >"$work/run/node.cgroup"
for c in cpu cpuacct cpuset memory devices freezer pids blkio systemd; do
  [[ -d /sys/fs/cgroup/$c ]] && mkdir -p "/sys/fs/cgroup/$c/$group"
done
for f in cpus mems; do cat "/sys/fs/cgroup/cpuset/cpuset.$f" >"/sys/fs/cgroup/cpuset/$group/cpuset.$f"; done
ip link add kube-pods type bridge
ip addr add "$net.1/24" dev kube-pods
ip link set kube-pods up

KUBE_NODE_NET=$net setsid unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
  "${BASH_SOURCE[0]}" --inside "$node" "$bin" >"$node/log/inside.log" 2>&1 </dev/null &
pid=$!
echo "$pid $(cut -d' ' -f22 "/proc/$pid/stat")" >"$work/run/node.pid"
end=$((SECONDS + 90))
until [[ $("$work/kube-all" kubectl --kubeconfig "$work/kubeconfig" get node real-0 -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null) == True ]]; do
  kill -0 "$pid" 2>/dev/null || fail "the node died at start: see $node/log"
  ((SECONDS < end)) || fail "waited 90 s for the node"
  sleep 0.2
done
# Where the kubelet cannot measure the disk it advertises none, and pods which request some would wait for ever.
"$work/kube-all" kubectl --kubeconfig "$work/kubeconfig" patch node real-0 --subresource=status --type=merge \
  -p '{"status": {"capacity": {"ephemeral-storage": "10Gi"}, "allocatable": {"ephemeral-storage": "10Gi"}}}' >/dev/null
echo "node-up: node real-0 is ready after $SECONDS s" >&2
