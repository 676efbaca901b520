# Sourced by ./wherry and ./test: puts ONNX Runtime where wherry looks for it.

# install_onnxruntime: ~/.cache/wherry/onnxruntime/VERSION/libonnxruntime.so.1 from the wheel which deps/onnxruntime.txt pins,
# and a link beside the folder. Nothing is done, and nothing printed, when it is there or $WHERRY_ONNXRUNTIME names another.
# A failure is told and not fatal: models of rows need none of it.
install_onnxruntime() {
  local version folder work
  [[ -n ${WHERRY_ONNXRUNTIME:-} ]] && return 0
  version=$(sed -n 's/^onnxruntime==\([0-9.]*\).*/\1/p' "$ROOT/deps/onnxruntime.txt")
  folder=${XDG_CACHE_HOME:-$HOME/.cache}/wherry/onnxruntime
  [[ -e $folder/$version/libonnxruntime.so.1 ]] && return 0
  echo "getting ONNX Runtime $version, which runs neural networks (35 MB)" >&2
  work=$(mktemp -d)
  if python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --python-version 3.11 --platform "manylinux_2_28_$(uname -m)" --dest "$work" -r "$ROOT/deps/onnxruntime.txt" >&2 &&
    (cd "$work" && python3 -m zipfile -e onnxruntime-*.whl wheel); then
    mkdir -p "$folder/$version"
    cp "$work"/wheel/onnxruntime/LICENSE "$work"/wheel/onnxruntime/ThirdPartyNotices.txt "$folder/$version/"
    cp "$work"/wheel/onnxruntime/capi/libonnxruntime.so."$version" "$folder/$version/part.$$"
    chmod 755 "$folder/$version/part.$$"
    mv "$folder/$version/part.$$" "$folder/$version/libonnxruntime.so.1"
    ln -sfn "$version/libonnxruntime.so.1" "$folder/libonnxruntime.so.1"
  else
    printf 'warning: ONNX Runtime could not be had; neural networks will not run\nhint: set WHERRY_ONNXRUNTIME to a libonnxruntime.so.1 of version 1.20 or newer\n' >&2
  fi
  rm -rf "$work"
}
