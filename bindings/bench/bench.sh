#!/bin/sh
# Streaming from the bindings against C, as docs/rust.md shows it; from Python where it has numpy.
#   bench.sh BUILD_DIR MODEL [compare.py's options]
set -eu
build=$(realpath "$1") model=$(realpath "$2") here=$(dirname "$(realpath "$0")")
shift 2
HYBRIDLM_LIB_DIR=$build/src/library LD_LIBRARY_PATH=$build/src/library CARGO_TARGET_DIR=$build/rust
export HYBRIDLM_LIB_DIR LD_LIBRARY_PATH CARGO_TARGET_DIR
cargo build --offline --quiet --release --manifest-path "$here/../rust/Cargo.toml" --example stream
rust=$CARGO_TARGET_DIR/release/examples/stream
set -- "$@" "$model" C="$build/bindings/bench/bench_stream" \
  'Rust iterator'="$rust {} iterator" 'Rust callback'="$rust {} callback"
PYTHONPATH=$here/../python HYBRIDLM_LIBRARY=$build/src/library/libhybridlm.so
export PYTHONPATH HYBRIDLM_LIBRARY
python3 -c 'import hybridlm' 2>/dev/null && set -- "$@" Python="python3 $here/stream.py"
exec "$here/compare.py" "$@"
