# Sourced by ./wherry and ./test: installs what deps/debian.txt lists and the machine lacks, in one apt-get step.

# listed_packages SECTION…: the package names of those sections of deps/debian.txt.
listed_packages() {
  local wanted=" $* " section="" line
  while IFS= read -r line; do
    case $line in
      '#'* | '') ;;
      '['*']') section=${line:1:-1} ;;
      *) [[ $wanted == *" $section "* ]] && echo "${line%%[ |]*}" ;;
    esac
  done <"$ROOT/deps/debian.txt"
}

# install_packages SECTION…: nothing is done, and nothing printed, when all are there.
install_packages() {
  local missing=() package
  for package in $(listed_packages "$@"); do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]} == 0)) && return 0
  local as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      printf 'error: these packages are missing and only root can install them\nhint: apt-get install %s\n' "${missing[*]}" >&2
      return 3
    fi
    as_root=(sudo)
  fi
  printf 'installing %d Debian packages: %s\n' "${#missing[@]}" "${missing[*]}" >&2
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=600 -qq update >&2 &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -qq -y \
      --no-install-recommends install "${missing[@]}" >/dev/null || {
    printf 'error: the packages could not be installed\nhint: run apt-get update, then ./wherry again; deps/debian.txt is made for Debian 12\n' >&2
    return 3
  }
}
