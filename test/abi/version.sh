#!/bin/sh
# Prints the version that include/hybridlm/version.h declares.
cd "$(dirname "$0")/../.." || exit 1
sed -n 's/.*HLM_VERSION_M[AI][JN]OR = \([0-9]*\),.*/\1/p; s/.*HLM_VERSION_PATCH = \([0-9]*\),.*/\1/p' \
  include/hybridlm/version.h | paste -sd.
