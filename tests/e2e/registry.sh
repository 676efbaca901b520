#!/usr/bin/env bash
# build, push and dockerfile against real parts: Debian's docker-registry, skopeo, podman and umoci.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=${WHERRY_ROOT:-$(cd "$HERE/../.." && pwd)}
WHERRY=${WHERRY:-$ROOT/build/release/bin/wherry}
MODEL=$ROOT/examples/fraud/model.joblib
REQUEST=$ROOT/examples/fraud/requests/records.json

for tool in docker-registry skopeo podman runc umoci jq curl; do
  command -v "$tool" >/dev/null || { echo "$tool is not installed"; exit 77; }
done

WORK=$(mktemp -d)
mkdir "$WORK/home"
export WHERRY_CACHE=$WORK/cache HOME=$WORK/home CONTAINERS_CONF=$WORK/containers.conf
printf '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1000:1000"]\n[engine]\nruntime="runc"\n' >"$CONTAINERS_CONF"
declare -a CHILDREN=() CONTAINERS=() IMAGES=()
cleanup() {
  local one
  for one in "${CONTAINERS[@]}"; do podman rm -f -t 0 "$one" >/dev/null 2>&1 || true; done
  for one in "${IMAGES[@]}"; do podman rmi -f "$one" >/dev/null 2>&1 || true; done
  for one in "${CHILDREN[@]}"; do kill "$one" 2>/dev/null || true; done
  rm -rf "$WORK"
}
trap cleanup EXIT

step() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
same() { [[ $1 == "$2" ]] || fail "$3: '$1' is not '$2'"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
await() { # URL
  for _ in $(seq 100); do
    curl -fsS -o /dev/null "$1" 2>/dev/null && return 0
    sleep 0.1
  done
  fail "$1 does not answer"
}
expect_exit() { # STATUS ID COMMAND…: the command ends so, and names the error
  local wanted=$1 id=$2 status=0
  shift 2
  "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
  same "$status" "$wanted" "exit status of $*"
  grep -qF "$id" "$WORK/err" || fail "$* does not say $id: $(cat "$WORK/err")"
  grep -q '^hint: ' "$WORK/err" || fail "$* gives no hint: $(cat "$WORK/err")"
}
start_registry() { # NAME [YAML of auth]: sets REGISTRY
  local port
  port=$(free_port)
  printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n%s\n' \
    "$WORK/$1" "$port" "${2:-}" >"$WORK/$1.yml"
  docker-registry serve "$WORK/$1.yml" >"$WORK/$1.log" 2>&1 &
  CHILDREN+=($!)
  REGISTRY=127.0.0.1:$port
  for _ in $(seq 100); do
    curl -s -o /dev/null "http://$REGISTRY/v2/" && return 0
    sleep 0.1
  done
  fail "docker-registry does not start: $(cat "$WORK/$1.log")"
}

step "registry client: the scenarios of the fake on the real one"
start_registry open
OPEN=$REGISTRY
TESTS=${WHERRY_OCI_TEST:-$ROOT/build/dev/bin/oci_test}
if [[ ! -x $TESTS ]]; then
  (cd "$ROOT" && cmake --preset dev >/dev/null && ninja -C build/dev oci_test >/dev/null)
fi
(cd "$ROOT" && WHERRY_TEST_REGISTRY=$OPEN "$TESTS" --gtest_filter='*RegistryScenario*Real' --gtest_brief=1) | tee "$WORK/scenarios"
grep -q 'PASSED  . [1-9]' "$WORK/scenarios" || fail "no scenario ran"

step "build twice from nothing: same digest"
first=$("$WHERRY" build "$MODEL" 2>/dev/null)
second=$(umask 077; TZ=Asia/Tokyo LC_ALL=C WHERRY_CACHE=$WORK/other "$WHERRY" build "$MODEL" 2>/dev/null)
same "$first" "$second" "digest of the second build"
best=999999
for _ in 1 2 3; do
  rm -rf "$WORK/other"
  began=$(date +%s%N)
  WHERRY_CACHE=$WORK/other "$WHERRY" build "$MODEL" >/dev/null 2>&1
  took=$((($(date +%s%N) - began) / 1000000))
  ((took < best)) && best=$took
done
began=$(date +%s%N)
"$WHERRY" build "$MODEL" >/dev/null 2>&1
echo "build from nothing: $best ms; again: $((($(date +%s%N) - began) / 1000000)) ms"
size=$("$WHERRY" build "$MODEL" --output json 2>/dev/null | jq .size)
echo "image: $size bytes compressed"
((size <= 8000000)) || fail "the image is larger than 8 MB"

step "push: what is printed is what skopeo and podman see"
pushed=$("$WHERRY" build "$MODEL" -t "$OPEN/team/fraud:1" -t "$OPEN/team/fraud:latest" --push 2>"$WORK/err" | head -n 1)
cat "$WORK/err"
same "$pushed" "$OPEN/team/fraud@$first" "the pinned reference"
same "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$OPEN/team/fraud:1")" "$first" "skopeo's digest"
skopeo copy -q --src-tls-verify=false "docker://$pushed" "dir:$WORK/copied" # reads and hashes every blob
podman pull -q --tls-verify=false "$pushed" >"$WORK/id"
IMAGES+=("$(cat "$WORK/id")")
same "$(podman image inspect --format '{{.Digest}}' "$(cat "$WORK/id")")" "$first" "podman's digest"
same "$(podman image inspect --format '{{.Config.User}}' "$(cat "$WORK/id")")" 65532:65532 "the user"

step "push again: nothing is sent; another repository: everything is mounted"
"$WHERRY" build "$MODEL" -t "$OPEN/team/fraud:2" --push 2>&1 >/dev/null | grep 'pushed:' | tee "$WORK/err"
grep -q 'uploaded' "$WORK/err" && fail "blobs were sent twice"
"$WHERRY" build "$MODEL" -t "$OPEN/prod/fraud:1" --push --mount-from team/fraud 2>&1 >/dev/null | grep 'pushed:' | tee "$WORK/err"
grep -q 'mounted' "$WORK/err" || fail "nothing was mounted"
promoted=$("$WHERRY" push "$OPEN/team/fraud:1" -t "$OPEN/live/fraud:1" 2>/dev/null)
same "$promoted" "$OPEN/live/fraud@$first" "the promoted image"

serve_and_ask() { # NAME IMAGE
  local port
  port=$(free_port)
  podman run -d --name "$1" --network host --read-only --cap-drop=all --security-opt no-new-privileges --user 65532:65532 \
    -e WHERRY_PORT="$port" "$2" >/dev/null
  CONTAINERS+=("$1")
  ADDRESS=http://127.0.0.1:$port
  await "$ADDRESS/v2/health/ready"
  curl -fsS -H 'content-type: application/json' --data-binary "@$REQUEST" "$ADDRESS/invocations" >"$WORK/$1.json"
}

step "the pulled image answers and stops without losing a request"
NAME=wherry-e2e-$$
serve_and_ask "$NAME" "$pushed"
cat "$WORK/$NAME.json" && echo
same "$(jq -c .predictions "$WORK/$NAME.json")" \
  "$("$WHERRY" predict "$MODEL" --input "$REQUEST" --output json 2>/dev/null | jq -c .outputs.predict)" "the predictions"
python3 "$HERE/keep_asking.py" "$ADDRESS" "$REQUEST" >"$WORK/asked" 2>&1 &
asking=$!
CHILDREN+=("$asking")
sleep 1
began=$SECONDS
podman stop -t 30 "$NAME" >/dev/null
same "$(podman inspect --format '{{.State.ExitCode}}' "$NAME")" 0 "exit status after SIGTERM"
((SECONDS - began < 28)) || fail "the container had to be killed"
wait "$asking" || fail "requests were lost: $(cat "$WORK/asked")"
cat "$WORK/asked"

step "layouts and archives are what other tools read"
"$WHERRY" build "$MODEL" -t "$OPEN/team/fraud:1" --output "oci:$WORK/layout" --output "oci-archive:$WORK/oci.tar" \
  --output "docker-archive:$WORK/docker.tar" >/dev/null 2>&1
same "$(skopeo inspect --format '{{.Digest}}' "oci:$WORK/layout:1")" "$first" "digest in the layout"
umoci unpack --rootless --image "$WORK/layout:1" "$WORK/unpacked" >/dev/null
[[ -x $WORK/unpacked/rootfs/wherry-server && -f $WORK/unpacked/rootfs/model/bundle.json ]] || fail "files are missing in the image"
"$WORK/unpacked/rootfs/wherry-server" --version >/dev/null
for kind in oci docker; do
  podman load -q -i "$WORK/$kind.tar" >"$WORK/loaded"
  loaded=$(sed 's/^Loaded image[^:]*: *//' "$WORK/loaded")
  IMAGES+=("$loaded")
  same "$(podman image inspect --format '{{.Id}}' "$loaded")" "$(podman image inspect --format '{{.Id}}' "$(cat "$WORK/id")")" "the image of $kind.tar"
done
relayed=$("$WHERRY" push "oci:$WORK/layout:1" -t "$OPEN/team/relayed:1" 2>/dev/null)
same "$relayed" "$OPEN/team/relayed@$first" "the layout pushed"

step "the Dockerfile builds an image which answers the same"
"$WHERRY" dockerfile "$MODEL" --context "$WORK/context" >"$WORK/Dockerfile" 2>/dev/null
cmp "$WORK/Dockerfile" "$WORK/context/Dockerfile"
podman build -q --isolation chroot -t "localhost/$NAME-built" "$WORK/context" >/dev/null
IMAGES+=("localhost/$NAME-built")
same "$(podman image inspect --format '{{.Config.User}} {{.Config.Entrypoint}} {{.Config.WorkingDir}}' "localhost/$NAME-built")" \
  "$(podman image inspect --format '{{.Config.User}} {{.Config.Entrypoint}} {{.Config.WorkingDir}}' "$(cat "$WORK/id")")" "settings"
serve_and_ask "$NAME-built" "localhost/$NAME-built"
cmp "$WORK/$NAME.json" "$WORK/$NAME-built.json"

step "logins: Basic from the configuration, and from a credential helper"
/usr/bin/python3 -W ignore -c 'import crypt; print("ada:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' >"$WORK/htpasswd"
start_registry closed "auth: {htpasswd: {realm: test, path: $WORK/htpasswd}}"
CLOSED=$REGISTRY
expect_exit 3 oci.unauthorized "$WHERRY" build "$MODEL" -t "$CLOSED/team/fraud:1" --push
mkdir -p "$HOME/.docker" "$WORK/bin"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$CLOSED" "$(printf 'ada:secret' | base64)" >"$HOME/.docker/config.json"
same "$("$WHERRY" build "$MODEL" -t "$CLOSED/team/fraud:1" --push 2>/dev/null)" "$CLOSED/team/fraud@$first" "push with a login"
printf '#!/bin/sh\n[ "$1" = get ] || exit 1\nread -r server\nprintf "{\\"ServerURL\\":\\"%%s\\",\\"Username\\":\\"ada\\",\\"Secret\\":\\"secret\\"}" "$server"\n' \
  >"$WORK/bin/docker-credential-e2e"
chmod +x "$WORK/bin/docker-credential-e2e"
printf '{"credHelpers":{"%s":"e2e"}}' "$CLOSED" >"$HOME/.docker/config.json"
same "$(PATH=$WORK/bin:$PATH "$WHERRY" build "$MODEL" -t "$CLOSED/team/fraud:2" --push 2>/dev/null)" "$CLOSED/team/fraud@$first" "push with a helper"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$CLOSED" "$(printf 'ada:wrong' | base64)" >"$HOME/.docker/config.json"
expect_exit 3 oci.unauthorized "$WHERRY" build "$MODEL" -t "$CLOSED/team/fraud:3" --push
rm "$HOME/.docker/config.json"

step "what goes wrong is said in a line with what to do"
expect_exit 2 oci.reference_invalid "$WHERRY" build "$MODEL" -t "$OPEN/Team/Fraud:1" --push
expect_exit 2 cli.usage "$WHERRY" build "$MODEL" --push
expect_exit 2 oci.output_invalid "$WHERRY" build "$MODEL" --output tar:x
expect_exit 3 http_client.refused "$WHERRY" build "$MODEL" -t "127.0.0.1:$(free_port)/fraud:1" --push
expect_exit 3 oci.manifest_missing "$WHERRY" push "$OPEN/team/fraud:absent" -t "$OPEN/x:1"
mkdir "$WORK/mine" && touch "$WORK/mine/notes"
expect_exit 2 oci.output_exists "$WHERRY" build "$MODEL" --output "oci:$WORK/mine"

echo "all passed"
