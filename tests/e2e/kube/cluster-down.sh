#!/usr/bin/env bash
# cluster-down.sh WORKDIR: stops the processes which cluster-up.sh and node-up.sh started for WORKDIR, each by the pid
# and start time noted, so that a pid which was used again is left alone.
set -uo pipefail
[[ $# == 1 && -d $1 ]] || { echo "usage: cluster-down.sh WORKDIR" >&2; exit 2; }

running() { [[ $(cut -d' ' -f22 "/proc/$1/stat" 2>/dev/null) == "$2" ]] && [[ $(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null) != Z ]]; }

[[ -f $1/run/node.pid ]] && "$(dirname "${BASH_SOURCE[0]}")/node-down.sh" "$1"
for name in kwok scheduler controller-manager apiserver etcd; do
  file=$1/run/$name.pid
  [[ -f $file ]] || continue
  read -r pid since <"$file"
  if running "$pid" "$since"; then
    kill -TERM "$pid" 2>/dev/null
    for ((i = 0; i < 100; i++)); do
      running "$pid" "$since" || break
      sleep 0.1
    done
    running "$pid" "$since" && kill -KILL "$pid" 2>/dev/null
  fi
  rm -f "$file"
done
exit 0
