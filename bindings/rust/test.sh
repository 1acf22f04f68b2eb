#!/bin/sh
# The Rust crates: the raw layer is as the header says, formatted, free of clippy's warnings, tested; and the example
# answers. Nothing is fetched.
#   test.sh BUILD_DIR EMBED MODEL...     the example asks each model that is there, and gives the answer of
#                                        EMBED, which is examples/embed.c
set -u
build=$(realpath "$1") embed=$(realpath "$2")
shift 2
HYBRIDLM_LIB_DIR=$build/src/library LD_LIBRARY_PATH=$build/src/library CARGO_TARGET_DIR=$build/rust
export HYBRIDLM_LIB_DIR CARGO_TARGET_DIR LD_LIBRARY_PATH CARGO_TERM_COLOR=never
cd "$(dirname "$0")" || exit 1
. ../../test/check.sh

has() { "$@" --version >/dev/null 2>&1; }

# Another bindgen writes the same things in other ways.
if [ "$(bindgen --version 2>/dev/null)" = 'bindgen 0.60.1' ]; then
  check 'the raw layer is as the header says' ./generate.sh --check
fi
has cargo fmt && check 'cargo fmt' cargo fmt --check
has cargo clippy && check 'cargo clippy' cargo clippy --offline --quiet --all-targets -- -D warnings

cargo test --offline --no-fail-fast >"$tmp/tests" 2>&1
tested=$?
[ $tested = 0 ] || cat "$tmp/tests"
counts=$(sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed;.*/\1 \2/p' "$tmp/tests" |
  awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
[ $tested = 0 ] || [ "${counts#* }" != 0 ] || failed=$((failed + 1)) # it did not even compile

check 'the example builds' cargo build --offline --quiet --example main
for model; do
  [ -e "$model" ] || continue
  "$embed" "$model" 'Who are you, "friend"?' >"$tmp/wanted"
  check "the example answers with $(basename "$model") as embed.c does" \
    sh -c '"$0" "$1" "Who are you, \"friend\"?" >"$2" && test -s "$2" && cmp "$2" "$3"' \
    "$CARGO_TARGET_DIR/debug/examples/main" "$model" "$tmp/answer" "$tmp/wanted"
done
check 'pkg-config finds the library' env -u HYBRIDLM_LIB_DIR PKG_CONFIG_PATH="$build/src/library" \
  CARGO_TARGET_DIR="$CARGO_TARGET_DIR/pkg-config" cargo build --offline --quiet --example main
check 'without either, the build says so in words' sh -c \
  '! env -u HYBRIDLM_LIB_DIR PKG_CONFIG=false CARGO_TARGET_DIR="$0/none" cargo build --offline 2>"$0/said" &&
    grep -q "set HYBRIDLM_LIB_DIR" "$0/said"' "$tmp"
check 'the example says what is wrong' sh -c '! "$0" none.gguf hello 2>"$1" && grep -q none.gguf "$1"' \
  "$CARGO_TARGET_DIR/debug/examples/main" "$tmp/answer"
close_checks
