#!/bin/sh
# Installs the library into an empty folder, then builds docs/first.c against it
# with nothing but pkg-config, as a stranger would, and runs it.
#   install.sh BUILD_DIR SOURCE_DIR
set -u
build=$1 source=$2
. "$source/test/check.sh"

check "meson install" meson install -C "$build" --no-rebuild --destdir "$tmp/root"
pc=$(find "$tmp/root" -name hybridlm.pc)
libdir=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH="$libdir/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$tmp/root"
version=$(sed -n 's/^Version: //p' "$pc")

check "the header says version $version" test "$version" = "$("$source/test/abi/version.sh")"
check "the SONAME leads to the library" sh -c "readelf -d '$libdir/libhybridlm.so.$version' |
  sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' | xargs -I NAME test -e '$libdir/NAME'"
flags=$(pkg-config --cflags --libs hybridlm)
# shellcheck disable=SC2086
check "first.c builds" ${CC:-cc} -std=c11 -Wall -Wextra -Werror "$source/docs/first.c" $flags -o "$tmp/first"
export LD_LIBRARY_PATH="$libdir"
check "first.c uses the installed library" sh -c "ldd '$tmp/first' | grep -q '$libdir/libhybridlm.so'"
check "a model that is not there is an error in words" sh -c "'$tmp/first' '$tmp/none.gguf' hello 2>&1 | grep -q none.gguf"
if ${CXX:-c++} --version >/dev/null 2>&1; then
  # shellcheck disable=SC2086
  check "embed.cpp builds" ${CXX:-c++} -std=c++17 -Wall -Wextra -Werror "$source/examples/embed.cpp" $flags -o "$tmp/embed"
  check "embed.cpp uses the installed library" sh -c "ldd '$tmp/embed' | grep -q '$libdir/libhybridlm.so'"
fi
model=$source/models/SmolLM2-135M-Instruct.Q4_1.gguf # quickstart.sh fetches it
if [ -e "$model" ]; then
  "$tmp/first" "$model" "The capital of France is" >"$tmp/answer" 2>&1
  check "first.c answers with $(basename "$model")" sh -c "test $? = 0 && test -s '$tmp/answer'"
fi
close_checks
