# Finds or builds the Kubernetes binaries; sourced. Needs $here, the folder of this file.

# kube_binary kube-all|kube-node: prints the path of the program; 77 when there is none and building is not asked for.
kube_binary() {
  local name=$1 variable dir key version version_package=k8s.io/component-base/version package=.
  variable=$(tr 'a-z-' 'A-Z_' <<<"$name")_BIN
  if [[ -n ${!variable:-} ]]; then
    [[ -x ${!variable} ]] || { echo "$variable=${!variable} is not a program" >&2; return 1; }
    echo "${!variable}"
    return
  fi
  key=$(cat "$here"/kube-all/{go.mod,go.sum,*.go,node/*.go} | sha256sum | cut -c1-16)
  dir=${XDG_CACHE_HOME:-$HOME/.cache}/wherry-kube/$key
  if [[ -x $dir/$name ]]; then
    echo "$dir/$name"
    return
  fi
  if [[ ${WHERRY_BUILD_KUBE:-} != 1 ]]; then
    echo "no $name: set $variable to one, or WHERRY_BUILD_KUBE=1 to build it (Go 1.26, network, about 15 minutes)" >&2
    return 77
  fi
  command -v go >/dev/null || { echo "building $name needs Go 1.26 or newer on the PATH" >&2; return 77; }
  [[ $name == kube-node ]] && package=./node
  version=$(sed -n 's|^\tk8s.io/kubernetes \(v[0-9.]*\)$|\1|p' "$here/kube-all/go.mod")
  mkdir -p "$dir"
  (
    exec 9>"$dir/.lock"
    flock 9
    [[ -x $dir/$name ]] && exit 0
    echo "building $name ($version) into $dir" >&2
    cd "$here/kube-all" || exit 1
    go build -mod=readonly -trimpath -tags selinux,notest,grpcnotrace -o "$dir/$name.new" \
      -ldflags "-s -w -X $version_package.gitVersion=$version -X $version_package.gitMajor=1 -X $version_package.gitMinor=$(cut -d. -f2 <<<"$version") -X $version_package.gitTreeState=clean" \
      "$package" || exit 1
    if [[ $name == kube-all && ! -d $dir/gateway-api ]]; then
      go mod download sigs.k8s.io/gateway-api && mkdir -p "$dir/gateway-api.new" &&
        cp "$(go list -mod=readonly -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)"/config/crd/standard/gateway*.yaml "$dir/gateway-api.new/" &&
        chmod -R u+w "$dir/gateway-api.new" && mv "$dir/gateway-api.new" "$dir/gateway-api" || exit 1
    fi
    mv "$dir/$name.new" "$dir/$name"
  ) >&2 || return 1
  echo "$dir/$name"
}
