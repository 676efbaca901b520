#!/usr/bin/env bash
# Pipelines which `wherry ci init` writes: linted by each system's own or best linter, and every command of their steps
# executed: against docker-registry with a password, and a Kubernetes control plane where there is one (KUBE_ALL_BIN).
set -uo pipefail
# shellcheck source=kube/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/kube/common.sh"
E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ci/tools.sh
source "$E2E/ci/tools.sh"

ECR=123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/fraud
IMAGES=("" ghcr.io/acme/fraud "$ECR" europe-west1-docker.pkg.dev/project/models/fraud acme.azurecr.io/fraud
  de.icr.io/acme/fraud registry.example.com:5000/acme/fraud)

# application FOLDER: a repository with a model in it, as a user has one.
application() {
  mkdir -p "$1/models"
  cp "$ROOT/examples/fraud/model.joblib" "$1/models/fraud v2.joblib"
  cp "$ROOT/examples/fraud/model.golden.jsonl" "$1/models/fraud v2.golden.jsonl"
  git -C "$1" init --quiet --initial-branch main
}

# pipeline FOLDER SYSTEM [options]: writes the files there.
pipeline() {
  local folder=$1
  shift
  (cd "$folder" && "$WHERRY" ci init "$@" --model "models/fraud v2.joblib" --name fraud --namespace shop)
}

lint_folder() { # SYSTEM: a fresh application with each image the system takes, one folder per image
  local system=$1 image index=0
  for image in "${IMAGES[@]}"; do
    index=$((index + 1))
    local folder=$WORK/lint/$system/$index
    mkdir -p "$folder"
    application "$folder"
    pipeline "$folder" "$system" ${image:+--image "$image"} >/dev/null 2>"$folder/error" ||
      { grep -q unsupported_combination "$folder/error" && rm -rf "$folder"; }
  done
}

# ---- writing -----------------------------------------------------------------------------------------------------
APP=$WORK/app
mkdir -p "$APP"
application "$APP"
claim "the first run creates" "created +.github/workflows/wherry.yml" pipeline "$APP" github
claim "the second changes nothing" "unchanged +.github/workflows/wherry.yml" pipeline "$APP" github
echo "# mine" >>"$APP/.github/workflows/wherry.yml"
ends "an edited file is refused" 2 pipeline "$APP" github
claim "with the way to compare" "diff -u .github/workflows/wherry.yml" pipeline "$APP" github
ends "--force replaces it" 0 pipeline "$APP" github --force
claim "an unknown system gets the nearest name" "did you mean jenkins" pipeline "$APP" jenkns
claim "a missing model is named" "no file 'models/other.joblib'" env -C "$APP" "$WHERRY" ci init github --model models/other.joblib

# ---- linting -----------------------------------------------------------------------------------------------------
for system in github gitlab jenkins travis codepipeline; do lint_folder "$system"; done

if go_tool actionlint github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 && command -v actionlint >/dev/null; then
  for folder in "$WORK"/lint/github/*; do ends "actionlint: github/${folder##*/}" 0 env -C "$folder" actionlint; done
else
  skip "actionlint: neither on the PATH nor installable with go"
fi
if python_tools; then
  bin=$TOOLS/ci-python/bin
  for folder in "$WORK"/lint/github/*; do
    ends "zizmor: github/${folder##*/}" 0 "$bin/zizmor" --offline --no-progress --persona=pedantic "$folder/.github/workflows"
  done
  for folder in "$WORK"/lint/travis/*; do
    ends "Travis schema: ${folder##*/}" 0 "$bin/check-jsonschema" --builtin-schema vendor.travis "$folder/.travis.yml"
  done
  for folder in "$WORK"/lint/gitlab/*; do
    ends "GitLab schema: ${folder##*/}" 0 "$bin/check-jsonschema" --builtin-schema vendor.gitlab-ci "$folder/.gitlab-ci.yml"
  done
  for folder in "$WORK"/lint/codepipeline/*; do
    ends "cfn-lint: codepipeline/${folder##*/}" 0 "$bin/cfn-lint" "$folder/ci/codepipeline.yml"
  done
else
  skip "zizmor, check-jsonschema, cfn-lint and the execution of steps: pip could not install them"
  finish
  exit
fi
if npm_tool npm-groovy-lint@16.2.0 && command -v java >/dev/null; then
  ends "npm-groovy-lint: every Jenkinsfile" 0 env -C "$WORK/lint/jenkins" \
    "$TOOLS/node_modules/.bin/npm-groovy-lint" --noserver --parse --failon error -f '**/Jenkinsfile'
else
  skip "npm-groovy-lint: needs npm and java"
fi
if command -v shellcheck >/dev/null; then
  ends "shellcheck: ci/wherry.sh" 0 shellcheck "$APP/ci/wherry.sh"
else
  skip "shellcheck: not on the PATH"
fi

# ---- executing ---------------------------------------------------------------------------------------------------
# A registry which wants a password, so that pushing proves the login as well.
PORT=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
IMAGE=127.0.0.1:$PORT/acme/fraud
PASSWORD='p:"a s$s\word'
"$PYTHON" -W ignore -c 'import crypt, sys
for user in ("AWS", "ci", "octocat"): print(user + ":" + crypt.crypt(sys.argv[1], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' \
  "$PASSWORD" >"$WORK/htpasswd"
cat >"$WORK/registry.yml" <<YAML
version: 0.1
storage: {filesystem: {rootdirectory: $WORK/registry}}
http: {addr: "127.0.0.1:$PORT"}
auth: {htpasswd: {realm: test, path: $WORK/htpasswd}}
YAML
docker-registry serve "$WORK/registry.yml" >"$WORK/registry.log" 2>&1 &
REGISTRY_PID=$!
for _ in $(seq 50); do curl -s -o "$WORK/out" "http://127.0.0.1:$PORT/v2/" && break || sleep 0.1; done

# The commands of a cloud's own tools are played: they hand out the password and the cluster of this machine.
mkdir -p "$WORK/bin"
cat >"$WORK/bin/aws" <<'SH'
#!/bin/sh
case "$1 $2" in
  "ecr get-login-password") printf '%s\n' "$TEST_REGISTRY_PASSWORD" ;;
  "eks update-kubeconfig") [ "$3 $4" = "--name prod" ] && { [ -z "$KUBECONFIG" ] || [ -s "$KUBECONFIG" ]; } ;;
  *) echo "aws: unexpected: $*" >&2; exit 1 ;;
esac
SH
printf '#!/bin/sh\nexit 0\n' >"$WORK/bin/apt-get"
chmod +x "$WORK/bin/aws" "$WORK/bin/apt-get"

# Where the pipeline gets wherry from: a git repository which "builds" by copying the binaries of this tree.
SOURCE=$WORK/wherry-source
git init --quiet --initial-branch main "$SOURCE"
cat >"$SOURCE/wherry" <<SH
#!/bin/sh
here=\$(cd "\$(dirname "\$0")" && pwd)
mkdir -p "\$here/build/release/bin"
cp "$(dirname "$WHERRY")/wherry" "$(dirname "$WHERRY")/wherry-server" "\$here/build/release/bin/"
echo built >>"$WORK/builds"
exec "\$here/build/release/bin/wherry" "\$@"
SH
chmod +x "$SOURCE/wherry"
git -C "$SOURCE" add wherry
git -C "$SOURCE" -c user.name=test -c user.email=test@example.com commit --quiet -m "a wherry which builds fast"
COMMIT=$(git -C "$SOURCE" rev-parse HEAD)

"$E2E/kube/cluster-up.sh" "$WORK"
case $? in
  0)
    export KUBECONFIG=$WORK/kubeconfig
    k create namespace shop >/dev/null
    k label namespace shop pod-security.kubernetes.io/enforce=restricted >/dev/null
    CLUSTER=1
    ;;
  77) CLUSTER=0 && skip "deploying to a cluster: KUBE_ALL_BIN names none; the steps up to the push are executed" ;;
  *) exit 1 ;;
esac

run_pipeline() { # FOLDER SYSTEM [options]
  local folder=$1 system=$2
  shift 2
  mkdir -p "$folder/../home"
  env HOME="$folder/../home" PATH="$WORK/bin:$(sed "s#$(dirname "$WHERRY")##" <<<"$PATH")" TEST_REGISTRY_PASSWORD="$PASSWORD" \
    "$PYTHON" "$E2E/ci/run_pipeline.py" "$system" "$folder" \
    --set WHERRY_REPOSITORY="$SOURCE" --set WHERRY_VERSION="$COMMIT" --set TEST_REGISTRY_PASSWORD="$PASSWORD" "$@"
}

# pushed TEXT: what the last run pushed can be read back, and the Deployment names that very digest.
pushed() {
  local digest
  digest=$(curl -sI -u "ci:$PASSWORD" -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
    "http://$(sed 's#/#/v2/#' <<<"$IMAGE")/manifests/0123456789abcdef0123456789abcdef01234567" |
    sed -n 's/^docker-content-digest: \(sha256:[0-9a-f]*\).*/\1/Ip')
  claim "$1: the registry has it under the commit" "^sha256:[0-9a-f]{64}$" echo "$digest"
  if ((CLUSTER)); then
    claim "$1: the Deployment names its digest" "^$IMAGE@$digest$" \
      k -n shop get deployment fraud -o 'jsonpath={.spec.template.spec.containers[0].image}'
    k -n shop delete deployment fraud --wait >/dev/null 2>&1
  fi
}

KUBECONFIG_TEXT=$([[ -n ${KUBECONFIG:-} ]] && cat "$KUBECONFIG")
run_system() { # SYSTEM [options of run_pipeline]
  local system=$1 folder=$WORK/run/$1/app
  shift
  mkdir -p "$folder"
  application "$folder"
  pipeline "$folder" "$system" >/dev/null 2>&1
  ((CLUSTER)) || sed -i "s/wherry deploy /true wherry deploy /" "$folder"/{.github/workflows/wherry.yml,.gitlab-ci.yml,Jenkinsfile,.travis.yml,ci/deploy.buildspec.yml} 2>/dev/null
  rm -rf "$WORK/registry"
  ends "$system: every command of a push" 0 run_pipeline "$folder" "$system" "$@"
  grep -E '^(golden|pushed|[0-9a-z.:]+/acme/fraud@|.*successfully rolled out)' "$WORK/out" | sed 's/^/      /'
  pushed "$system"
  claim "$system: wherry is built once, then cached" "^1$" wc -l <"$WORK/builds"
  rm -f "$WORK/builds"
  [[ $system == codepipeline ]] && return
  rm -rf "$WORK/registry"
  ends "$system: every command of a pull request" 0 run_pipeline "$folder" "$system" --event pull_request "$@"
  claim "$system: a pull request pushes nothing" "NAME_UNKNOWN" \
    curl -s -u "ci:$PASSWORD" "http://$(sed 's#/#/v2/#' <<<"$IMAGE")/tags/list"
  claim "$system: a rerun takes the cached wherry" "No such file" cat "$WORK/builds"
}

run_system github --override IMAGE="$IMAGE" --set GITHUB_TOKEN="$PASSWORD" --set KUBECONFIG="$KUBECONFIG_TEXT"
run_system gitlab --set CI_REGISTRY="127.0.0.1:$PORT" --set CI_REGISTRY_IMAGE="$IMAGE" --set CI_REGISTRY_USER=ci \
  --set CI_REGISTRY_PASSWORD="$PASSWORD" --set KUBECONFIG="${KUBECONFIG:-}"
run_system jenkins --set IMAGE="$IMAGE" --set REGISTRY_USER=ci --set REGISTRY_PASSWORD="$PASSWORD" --set KUBECONFIG="$KUBECONFIG_TEXT"
run_system travis --set IMAGE="$IMAGE" --set REGISTRY_USER=ci --set REGISTRY_PASSWORD="$PASSWORD" \
  --set KUBECONFIG_BASE64="$(base64 -w0 <<<"$KUBECONFIG_TEXT")"
run_system codepipeline --set IMAGE="$IMAGE" --set EKS_CLUSTER=prod

# A model which no longer gives its golden predictions stops every pipeline before anything is pushed.
for system in github gitlab jenkins travis codepipeline; do
  folder=$WORK/run/$system/app
  sed -i '1,20s/0\.[1-9]/0.999/' "$folder/models/fraud v2.golden.jsonl"
  rm -rf "$WORK/registry"
  ends "$system: a wrong golden prediction stops it" 1 run_pipeline "$folder" "$system" --override IMAGE="$IMAGE" \
    --set IMAGE="$IMAGE" --set CI_REGISTRY="127.0.0.1:$PORT" --set CI_REGISTRY_IMAGE="$IMAGE" --set EKS_CLUSTER=prod
  claim "$system: and says which" "golden examples differ .*cli.verify_failed" cat "$WORK/out"
  claim "$system: and nothing was pushed" "NAME_UNKNOWN" curl -s -u "ci:$PASSWORD" "http://$(sed 's#/#/v2/#' <<<"$IMAGE")/tags/list"
done

# ---- the helper's refusals ---------------------------------------------------------------------------------------
cd "$APP" || exit 1
helper() { env -i HOME="$WORK/home" PATH=/usr/bin:/bin "$@"; }
claim "setup says what to set" "hint: set both as variables" helper bash ci/wherry.sh setup
ends "with status 3" 3 helper bash ci/wherry.sh setup
claim "an empty password is refused" "password for ghcr.io is empty" helper bash ci/wherry.sh login ghcr.io me </dev/null
mkdir -p "$WORK/home/.docker" && echo '{}' >"$WORK/home/.docker/config.json"
claim "another's login is not replaced" "set DOCKER_CONFIG" helper bash ci/wherry.sh login ghcr.io me <<<secret
claim "it is as it was" '^\{\}$' cat "$WORK/home/.docker/config.json"
claim "the login of Docker Hub gets its key" 'https://index.docker.io/v1/.*YTpi"' \
  sh -c 'printf b | env DOCKER_CONFIG="$1" bash ci/wherry.sh login docker.io a && cat "$1/config.json"' - "$WORK/hub"
claim "and is nobody else's to read" "^600$" stat -c %a "$WORK/hub/config.json"

# ---- act, GitHub's runner on this machine --------------------------------------------------------------------------
if ! command -v act >/dev/null; then
  skip "act: not on the PATH"
elif ! ((CLUSTER)); then
  skip "act: its deploy job needs a cluster"
else
  ACT=$WORK/act/app
  mkdir -p "$ACT" "$WORK/act/cache"
  application "$ACT"
  pipeline "$ACT" github --image "$IMAGE" >/dev/null 2>&1
  git -C "$ACT" add . && git -C "$ACT" -c user.name=test -c user.email=test@example.com commit --quiet -m "pipeline"
  printf 'name: cache\ndescription: keeps nothing\ninputs: {path: {description: p}, key: {description: k}}\nruns: {using: composite, steps: [{run: "true", shell: bash}]}\n' >"$WORK/act/cache/action.yml"
  uses=$(sed -n 's/.*uses: \(actions\/cache@[0-9a-f]*\).*/\1/p' "$ACT/.github/workflows/wherry.yml" | head -n 1)
  printf '%s' "$PASSWORD" | env DOCKER_CONFIG="$WORK/act/docker" bash "$ACT/ci/wherry.sh" login "127.0.0.1:$PORT" ci
  rm -rf "$WORK/registry"
  ends "act runs the workflow" 0 env -C "$ACT" HOME="$WORK/act" DOCKER_CONFIG="$WORK/act/docker" act push --no-cache-server \
    -P ubuntu-24.04=-self-hosted --local-repository "https://github.com/$uses=$WORK/act/cache" \
    --var WHERRY_REPOSITORY="$SOURCE" --var WHERRY_VERSION="$COMMIT" -s KUBECONFIG="$KUBECONFIG_TEXT"
  IMAGE_TAG=$(git -C "$ACT" rev-parse HEAD)
  claim "act: the image is there under the commit" "^HTTP/1.1 200" curl -sI -u "ci:$PASSWORD" \
    -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$(sed 's#/#/v2/#' <<<"$IMAGE")/manifests/$IMAGE_TAG"
  claim "act: the Deployment runs it" "^$IMAGE@sha256:" k -n shop get deployment fraud -o 'jsonpath={.spec.template.spec.containers[0].image}'
fi
finish
