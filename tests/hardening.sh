#!/usr/bin/env bash
# What the server binary is protected by: hardening.sh WHERRY_SERVER [CONFIG]. Fortified calls are there in Release only.
set -euo pipefail
binary=$1
config=${2:-Release}
wrong=0
want() { # WHAT PATTERN TEXT
  grep -qE -- "$2" <<<"$3" || { echo "$binary: not $1"; wrong=1; }
}
headers=$(readelf -hlW "$binary")
dynamic=$(readelf -dW "$binary")
symbols=$(readelf -W --dyn-syms "$binary")
want "position independent" 'Type: +DYN' "$headers"
want "read-only after relocation" 'GNU_RELRO' "$headers"
want "bound at start" 'BIND_NOW|Flags: NOW' "$dynamic"
want "with a stack that cannot be executed" 'GNU_STACK +0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+ RW ' "$headers"
want "with a stack protector" '__stack_chk_fail' "$symbols"
if [[ $config == Release ]]; then want "fortified" '__[a-z]+_chk' "$symbols"; fi
if grep -qE 'R(UN)?PATH|TEXTREL' <<<"$dynamic"; then
  echo "$binary: looks for libraries at a place of its own, or changes its code"
  wrong=1
fi
((wrong == 0)) && echo "$binary is hardened"
exit $wrong
