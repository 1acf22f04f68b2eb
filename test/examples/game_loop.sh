#!/bin/sh
# The characters of the game loop say something within frames of little time, all memory comes back, and what is wrong is said
# in words.
#   game_loop.sh PROGRAM MODEL.gguf
set -u
. "$(dirname "$0")/../check.sh"

check 'a pack is made' "$1" pack "$tmp/pack" "$2"
check 'no model to pack' sh -c '! "$0" pack "$1/none" "$1/no model"' "$1" "$tmp"
check 'it plays' sh -c '"$0" "$1/pack" 12 2000 >"$1/out" && grep -q "smith" "$1/out" && grep -q "frames (12)" "$1/out"' "$1" "$tmp"
check 'a step is cut off' sh -c '"$0" "$1/pack" 3 1 >"$1/out" && grep -q "frames (3)" "$1/out"' "$1" "$tmp"
head -c 20000 "$tmp/pack" >"$tmp/cut"
check 'a cut pack' sh -c '"$0" "$1/cut" 2>"$1/err"; test $? = 1 && grep -q "no pack" "$1/err"' "$1" "$tmp"
check 'no pack' sh -c '"$0" "$1/none" 2>"$1/err"; test $? = 1 && grep -q none "$1/err"' "$1" "$tmp"
check 'no arguments' sh -c '"$0" 2>"$1/err"; test $? = 2 && grep -q usage "$1/err"' "$1" "$tmp"
close_checks
