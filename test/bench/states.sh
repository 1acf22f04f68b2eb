#!/bin/sh
# states.sh MODELS PEER [LENGTHS]: the figures of docs/state.md, one after another, to standard output. MODELS is a folder
# where bamba-0.5b and hymba-1.5b of ../shared/bench/make_model.py lie or are made; PEER is what ../shared/bench/build_peer.sh
# has built, or "none". LENGTHS: 1024,8192,32768, which takes hours on two cores; 1024,8192 some 20 minutes. Run it on an idle machine.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
models=$1 peer=$2 lengths=${3:-1024,8192,32768}
program=$root/build/examples/cli/hybridlm
for name in bamba-0.5b hymba-1.5b; do
  [ -d "$models/$name" ] || python3 "$root/../shared/bench/make_model.py" "$name" "$models/$name"
  echo "== hybridlm, $name"
  "$program" bench state -q -m "$models/$name" --tokens "$lengths" --folder "$models"
done
[ "$peer" != none ] || exit 0
[ -f "$models/bamba-0.5b.gguf" ] || "$root/test/bench/bamba_gguf.py" "$models/bamba-0.5b" "$models/bamba-0.5b.gguf"
for file in bamba-0.5b.gguf SmolLM2-135M.Q8_0.gguf; do
  [ -f "$models/$file" ] || continue
  echo "== llama.cpp, $file"
  (cd "$models" && "$root/test/bench/peer_state.sh" "$peer" "$models/$file" "$(nproc)" "$lengths" 2>&1)
done
