#!/bin/sh
# From a clean Debian 12 or 13 machine to an answer: installs what is missing, builds the
# program, fetches a small model into models/ and asks it.
#   ./quickstart.sh "What is gravity?"
set -eu
cd "$(dirname "$0")"
tools/need-packages.sh gcc libc6-dev meson ninja-build pkg-config python3 python3-pip check \
  libjansson-dev libutf8proc-dev libpcre2-dev libxxhash-dev libedit-dev liblzma-dev
echo "building" >&2
[ -e build/build.ninja ] || meson setup build -Dtests=disabled >/dev/null # test/run asks for them
ninja -C build --quiet examples/cli/hybridlm
model=$(tools/get-model.sh)
exec build/examples/cli/hybridlm chat -m "$model" -p "${1:-What is gravity?}"
