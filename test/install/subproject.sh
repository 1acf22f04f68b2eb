#!/bin/sh
# libhybridlm as a part of another meson project (test/install/parent): found by its name,
# the library and nothing else is built, and a program runs on it. Without optimisation, for time.
#   subproject.sh SOURCE_DIR
set -u
source=$(realpath "$1")
. "$source/test/check.sh"

mkdir -p "$tmp/parent/subprojects"
cp "$source/test/install/parent/meson.build" "$source/docs/first.c" "$tmp/parent"
for part in include lib src meson test examples bindings docs meson.build meson_options.txt; do
  mkdir -p "$tmp/parent/subprojects/libhybridlm"
  ln -s "$source/$part" "$tmp/parent/subprojects/libhybridlm/$part"
done
# an installed one would be taken first
check 'the parent is configured' meson setup --buildtype=plain --wrap-mode=forcefallback "$tmp/build" "$tmp/parent"
targets() { meson introspect --targets "$tmp/build" | python3 -c 'import json, sys
for t in json.load(sys.stdin): print(t["type"].replace(" ", "-"), t["name"])'; }
check 'it has no tests' sh -c "! meson introspect --tests '$tmp/build' | grep '\"name\"'"
check 'nothing but the program is executable' test "$(targets | grep '^executable')" = 'executable first'
check 'it is built' nice ninja -C "$tmp/build" first
check 'first.c runs' sh -c "'$tmp/build/first' '$source/test/data/models/tiny-llama.gguf' 'one two' >'$tmp/answer' && test -s '$tmp/answer'"
close_checks
