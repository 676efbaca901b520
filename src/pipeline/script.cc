#include "pipeline/script.h"

namespace wherry::pipeline {
namespace {

constexpr std::string_view kScript = R"sh(#!/usr/bin/env bash
# Written by `wherry ci init`. Two helpers for the pipeline:
#   bash ci/wherry.sh setup                 makes the command wherry available: the one on the PATH of this machine, else
#                                           $WHERRY_VERSION (tag or commit) of the git repository $WHERRY_REPOSITORY, built
#                                           once into .wherry/bin, which the pipeline caches
#   … | bash ci/wherry.sh login HOST USER   stores a login for a registry, password on standard input, in
#                                           $DOCKER_CONFIG/config.json, where wherry reads it; needs no Docker
set -euo pipefail

fail() { # MESSAGE HINT
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
  exit 3
}

# wherry is built on Debian 12: on the machine itself, else in a container.
build() { # FOLDER
  if grep -qs '^12' /etc/debian_version; then
    "$1/wherry" version
  elif command -v docker >/dev/null; then
    docker run --rm --volume "$1:/wherry" debian:12 \
      sh -c "/wherry/wherry version && chown -R $(id -u):$(id -g) /wherry"
  else
    fail "wherry can only be built on Debian 12, and there is no docker to do it in a container" \
      "install wherry on this runner, or run the job in the image debian:12"
  fi
}

setup() {
  local found wanted src=$PWD/.wherry/src
  found=$(command -v wherry || true)
  if [[ -n $found && $found != "$PWD/.wherry/"* ]]; then
    echo "using $found" >&2
    return
  fi
  [[ -n ${WHERRY_REPOSITORY:-} && -n ${WHERRY_VERSION:-} ]] ||
    fail "no wherry on the PATH, and WHERRY_REPOSITORY and WHERRY_VERSION do not say where to get it" \
      "set both as variables of the pipeline: the URL of wherry's git repository, and a tag or commit"
  wanted=$(printf '%s %s' "$WHERRY_REPOSITORY" "$WHERRY_VERSION" | sha256sum)
  if [[ ! -x .wherry/bin/wherry || $(cat .wherry/built 2>/dev/null) != "$wanted" ]]; then
    rm -rf .wherry
    mkdir -p "$src" .wherry/bin
    echo '*' >.wherry/.gitignore
    git -C "$src" init --quiet
    git -C "$src" fetch --quiet --depth 1 -- "$WHERRY_REPOSITORY" "$WHERRY_VERSION"
    git -C "$src" checkout --quiet FETCH_HEAD
    build "$src" >&2
    cp "$src/build/release/bin/wherry" "$src/build/release/bin/wherry-server" .wherry/bin/
    rm -rf "$src"
    echo "$wanted" >.wherry/built
  fi
  .wherry/bin/wherry version >&2
  if [[ -n ${GITHUB_PATH:-} ]]; then
    echo "$PWD/.wherry/bin" >>"$GITHUB_PATH" # the following steps find it
  fi
}

login() { # HOST USER
  local host=$1 user=$2 password folder
  password=$(cat)
  [[ -n $password ]] || fail "the password for $host is empty" "set the secret; builds of forks get none"
  if [[ -n ${GITHUB_ENV:-} && -z ${DOCKER_CONFIG:-} ]]; then
    DOCKER_CONFIG=$RUNNER_TEMP/docker
    echo "DOCKER_CONFIG=$DOCKER_CONFIG" >>"$GITHUB_ENV" # the following steps read it
  fi
  folder=${DOCKER_CONFIG:-$HOME/.docker}
  [[ -n ${DOCKER_CONFIG:-} || ! -e $folder/config.json ]] ||
    fail "$folder/config.json is there already" "set DOCKER_CONFIG to a folder which belongs to this pipeline"
  if [[ $host == docker.io ]]; then
    host=https://index.docker.io/v1/
  fi
  mkdir -p "$folder"
  (
    umask 077
    printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$host" "$(printf '%s:%s' "$user" "$password" | base64 | tr -d '\n')" \
      >"$folder/config.json"
  )
}

case ${1:-} in
  setup) setup ;;
  login) login "${2:?HOST}" "${3:?USER}" ;;
  *) fail "no verb '${1:-}'" "bash ci/wherry.sh setup | login HOST USER" ;;
esac
)sh";

}  // namespace

File helper_script() {
  return {.path = "ci/wherry.sh", .content = std::string(kScript), .executable = true};
}

std::vector<Setting> helper_settings() {
  return {{.name = "WHERRY_REPOSITORY",
           .meaning = "git URL of wherry; not needed where wherry is on the runner's PATH"},
          {.name = "WHERRY_VERSION", .meaning = "tag or commit of wherry to use"}};
}

}  // namespace wherry::pipeline
