#!/bin/sh
# Writes hybridlm-sys/src/bindings.rs anew from the public header; with --check, says whether it is as the header
# would make it (layout does not count, since versions of rustfmt differ in it).
#   generate.sh [--check]     needs Debian's bindgen, and rustfmt
set -eu
cd "$(dirname "$0")"
header=../../include/hybridlm/hybridlm.h
file=hybridlm-sys/src/bindings.rs
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

handles=$(sed -n 's/^typedef struct \(hlm_[a-z_]*\) \1;/\1/p' "$header" | while read -r name; do
  grep -q "^struct $name {" "$header" || echo "$name" # those that are never defined
done | paste -sd '|' -)
{
  echo '/* Made from hybridlm.h by bindings/rust/generate.sh; not to be edited. */'
  bindgen $header --no-rustfmt-bindings --disable-header-comment \
    --allowlist-function 'hlm_.*' --allowlist-type 'hlm_.*' --allowlist-var 'HLM_.*' \
    --no-prepend-enum-name --size_t-is-usize --with-derive-default \
    --no-copy "($handles)" -- -I../../include |
    sed -E 's/pub type __u?int[0-9]+_t *= *[^;]*;//g' # libc's names for what is i32 here
} >"$tmp/bindings.rs"

if [ "${1:-}" = --check ]; then
  for side in "$file" "$tmp/bindings.rs"; do
    tr -d '[:space:],' <"$side" >"$tmp/$(basename "$(dirname "$side")").plain"
  done
  cmp -s "$tmp/src.plain" "$tmp/$(basename "$tmp").plain" && exit 0
  echo "$file is not what the header says; run ninja -C build abi-update, or bindings/rust/generate.sh"
  exit 1
fi
rustfmt --edition 2021 "$tmp/bindings.rs"
cp "$tmp/bindings.rs" "$file"
