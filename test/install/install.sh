#!/bin/sh
# Installs the library into an empty folder, then builds docs/first.c against it as
# strangers would, with nothing but pkg-config, and with CMake where that is there;
# linked with the shared library and with the static one; and runs it.
#   install.sh BUILD_DIR SOURCE_DIR
set -u
build=$(realpath "$1") source=$(realpath "$2")
. "$source/test/check.sh"
unset LD_LIBRARY_PATH # meson test sets it to the build folder

check "meson install" meson install -C "$build" --no-rebuild --destdir "$tmp/root"
pc=$(find "$tmp/root" -name hybridlm.pc)
libdir=$(dirname "$(dirname "$pc")")
prefix=$tmp/root$(sed -n 's/^prefix=//p' "$pc")
version=$(sed -n 's/^Version: //p' "$pc")
tiny=$source/test/data/models/tiny-llama.gguf
model=$source/models/SmolLM2-135M-Instruct.Q4_1.gguf # quickstart.sh fetches it

# pkg-config that sees nothing but what was installed here: no -dev package is needed for the shared library.
alone() { PKG_CONFIG_LIBDIR="$libdir/pkgconfig" PKG_CONFIG_PATH='' pkg-config --define-variable=prefix="$prefix" "$@" hybridlm; }
# all that is the system's besides
beside() { PKG_CONFIG_PATH="$libdir/pkgconfig" pkg-config --define-variable=prefix="$prefix" "$@" hybridlm; }
# compiles docs/first.c: compiled WHERE FLAG...
compiled() {
  where=$1
  shift
  ${CC:-cc} -std=c11 -Wall -Wextra -Werror "$source/docs/first.c" "$@" -o "$where"
}
# answers PROGRAM: it says what is wrong in words, and continues a text
answers() {
  check "$(basename "$1"): a model that is not there is an error in words" sh -c "'$1' '$tmp/none.gguf' hello 2>&1 | grep -q none.gguf"
  check "$(basename "$1"): runs a model" sh -c "'$1' '$tiny' 'one two' >'$tmp/answer' && test -s '$tmp/answer'"
}
uses_installed() {
  check "$(basename "$1") uses the installed library" test "$shared" = "$(realpath "$(ldd "$1" | sed -n 's/.*libhybridlm.*=> \(.*\) (.*/\1/p')")"
}

check "the header says version $version" test "$version" = "$("$source/test/abi/version.sh")"
shared=$(find "$libdir" -name 'libhybridlm.so.*' -type f)
if [ -n "$shared" ]; then
  check "the SONAME leads to the library" sh -c "readelf -d '$shared' |
    sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' | xargs -I NAME test -e '$libdir/NAME'"
  check "the library names no folder" sh -c "! readelf -d '$shared' | grep -E 'R(UN)?PATH'"
  # shellcheck disable=SC2046
  check "first.c builds without any -dev package" compiled "$tmp/first" $(alone --cflags --libs)
  uses_installed "$tmp/first"
  answers "$tmp/first"
  if ${CXX:-c++} --version >/dev/null 2>&1; then
    # shellcheck disable=SC2046
    check "embed.cpp builds" ${CXX:-c++} -std=c++17 -Wall -Wextra -Werror "$source/examples/embed.cpp" $(alone --cflags --libs) -o "$tmp/embed"
    uses_installed "$tmp/embed"
  fi
  if [ -e "$prefix/bin/hybridlm" ]; then
    check "the program finds its library from another folder" sh -c "cd / && '$prefix/bin/hybridlm' info '$tiny'"
    uses_installed "$prefix/bin/hybridlm"
    rpath=$(readelf -d "$prefix/bin/hybridlm" | sed -n 's/.*(R.*PATH).*\[\(.*\)\]/\1/p')
    check "the program looks beside itself and nowhere else" test "${rpath%/..*}" = '$ORIGIN'
  fi
  if [ -e "$model" ]; then
    "$tmp/first" "$model" "The capital of France is" >"$tmp/answer" 2>&1
    check "first.c answers with $(basename "$model")" sh -c "test $? = 0 && test -s '$tmp/answer'"
  fi
fi

if [ -e "$libdir/libhybridlm.a" ]; then
  parts=$(beside --static --libs-only-l | sed 's/-lhybridlm//')
  # shellcheck disable=SC2086
  if ! echo 'int main(void) { return 0; }' | ${CC:-cc} -static -xc - -x none $parts -o "$tmp/probe" >/dev/null 2>&1; then
    echo "what the library is made of is not installed as static libraries: no static program"
  else
    # shellcheck disable=SC2046
    check "first.c builds as a static program" compiled "$tmp/first-static" -static $(beside --static --cflags --libs)
    check "first-static needs no library" sh -c "! readelf -d '$tmp/first-static' | grep NEEDED"
    answers "$tmp/first-static"
  fi
  # shellcheck disable=SC2046
  check "first.c builds with the static library in a dynamic program" compiled "$tmp/first-part" \
    $(beside --static --cflags --libs | sed 's/-lhybridlm/-l:libhybridlm.a/')
  check "first-part does not need the shared library" sh -c "! readelf -d '$tmp/first-part' | grep hybridlm"
  answers "$tmp/first-part"
fi

if cmake --version >/dev/null 2>&1; then
  configured() { cmake -S "$source/test/install/cmake" -B "$tmp/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DSOURCE="$source" "$@"; }
  check "CMake finds version $version" configured -DVERSION="$version"
  check "CMake builds first.c" cmake --build "$tmp/cmake"
  for program in "$tmp"/cmake/first*; do
    answers "$program"
  done
  [ -z "$shared" ] || uses_installed "$tmp/cmake/first"
  for other in 99.0 0.99; do
    rm -rf "$tmp/cmake"
    check "CMake refuses version $other" sh -c "! cmake -S '$source/test/install/cmake' -B '$tmp/cmake' \
      -DCMAKE_PREFIX_PATH='$prefix' -DSOURCE='$source' -DVERSION=$other 2>'$tmp/said' && grep -qF '$version' '$tmp/said'"
  done
  rm -rf "$tmp/cmake" "$libdir"/libhybridlm*
  check "CMake does not find what is no longer there" sh -c "! cmake -S '$source/test/install/cmake' -B '$tmp/cmake' \
    -DCMAKE_PREFIX_PATH='$prefix' -DSOURCE='$source' -DVERSION='$version' 2>'$tmp/said' && grep -qF 'is missing' '$tmp/said'"
fi
close_checks
