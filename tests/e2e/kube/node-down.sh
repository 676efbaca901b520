#!/usr/bin/env bash
# node-down.sh WORKDIR: ends the node that node-up.sh started there. Its pid
# namespace dies with its first process, and its mounts with the last.
set -uo pipefail
[[ $# == 1 && -d $1 ]] || { echo "usage: node-down.sh WORKDIR" >&2; exit 2; }
work=$(cd "$1" && pwd)
if [[ -f $work/run/node.pid ]]; then
  read -r pid since <"$work/run/node.pid"
  [[ $(cut -d' ' -f22 "/proc/$pid/stat" 2>/dev/null) == "$since" ]] && kill -KILL "$pid"
  rm -f "$work/run/node.pid"
fi
if [[ -f $work/run/node.cgroup ]]; then
  group=$(<"$work/run/node.cgroup")
  for ((i = 0; i < 100; i++)); do
    find /sys/fs/cgroup/*/"$group" -depth -type d -exec rmdir {} + 2>/dev/null
    compgen -G "/sys/fs/cgroup/*/$group" >/dev/null || break
    sleep 0.1
  done
  ip link delete kube-pods 2>/dev/null
  rm -f "$work/run/node.cgroup"
fi
[[ -f $work/kubeconfig ]] && timeout 10 "$work/kube-all" kubectl --kubeconfig "$work/kubeconfig" delete node real-0 --ignore-not-found --wait=false >/dev/null 2>&1
exit 0
