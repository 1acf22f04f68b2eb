#!/bin/sh
# states.sh MODELS PEER [LENGTHS]: the figures of docs/state.md, one after another, to standard output. MODELS is a folder
# where bamba-0.5b and hymba-1.5b of ../shared/bench/make_model.py lie or are made; PEER is what ../shared/bench/build_peer.sh
# has built, or "none". LENGTHS: 1024,8192,32768, which takes an hour or two on two cores; 1024,8192 some 20 minutes. Run it on
# an idle machine. What is not there for llama.cpp is said and left out.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
models=$1 peer=$2 lengths=${3:-1024,8192,32768}
program=$root/build/examples/cli/hybridlm
for name in bamba-0.5b hymba-1.5b; do
  [ -d "$models/$name" ] || python3 "$root/../shared/bench/make_model.py" "$name" "$models/$name"
  echo "== hybridlm, $name"
  "$program" bench state -m "$models/$name" --tokens "$lengths" --folder "$models"
done
[ "$peer" != none ] || exit 0
[ -f "$models/bamba-0.5b.gguf" ] || "$root/test/bench/bamba_gguf.py" "$models/bamba-0.5b" "$models/bamba-0.5b.gguf"
for file in bamba-0.5b.gguf SmolLM2-135M.Q8_0.gguf; do
  echo "== llama.cpp, $file"
  [ -f "$models/$file" ] || { echo "the file is not in $models"; continue; }
  (cd "$models" && "$root/test/bench/peer_state.sh" "$peer" "$models/$file" "$(nproc)" "$lengths" 2>&1) || echo "it failed"
done
echo "== llama.cpp, hymba-1.5b"
echo "it does not run Hymba"
