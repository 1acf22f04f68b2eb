#!/bin/sh
# peer_state.sh PEER MODEL.gguf THREADS N[,N...]: builds peer_state.c against llama.cpp as ../shared/bench/build_peer.sh left it
# in PEER, and runs it.
set -eu
peer=$(cd "$1" && pwd)
source=$(ls -d "$peer"/llama_cpp_python-*/vendor/llama.cpp)
program=$(mktemp)
trap 'rm -f "$program"' EXIT
cc -std=c11 -O2 -Wall -Wextra -I"$source/include" -I"$source/ggml/include" "$(dirname "$0")/peer_state.c" -o "$program" \
  -L"$peer/bin" -lllama -lggml -lggml-base -lm -Wl,-rpath,"$peer/bin"
shift
"$program" "$@"
