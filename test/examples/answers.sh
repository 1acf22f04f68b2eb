#!/bin/sh
# First answers: each program answers a question with each model that is there, all in the same words, and says in
# words what is wrong. A model that can talk answers the questions that the programs' comments ask to the end of a sentence.
#   MODELS=FILE:FILE... TALKS=FILE answers.sh PROGRAM...
set -u
. "$(dirname "$0")/../check.sh"

question='Who wrote "Faust"?
And what is C:\ for?'
IFS=:
for model in $MODELS; do
  [ -e "$model" ] || continue
  rm -f "$tmp/first"
  for program; do
    name="$(basename "$program") on $(basename "$model")"
    check "$name" sh -c '"$0" "$1" "$2" >"$3" && test -s "$3"' "$program" "$model" "$question" "$tmp/answer"
    [ -e "$tmp/first" ] || cp "$tmp/answer" "$tmp/first"
    check "$name says the same" cmp "$tmp/first" "$tmp/answer"
  done
done
root=$(cd "$(dirname "$0")/../.." && pwd)
for source in docs/first.c examples/embed.c examples/embed.cpp examples/main.rs; do
  sed -n 's/.*MODEL\(\.gguf\)\{0,1\} "\(.*\)".*/\2/p' "$root/$source" >"$tmp/asked"
  check "$source asks a question" test -s "$tmp/asked"
  cat "$tmp/asked" >>"$tmp/questions"
done
sort -u "$tmp/questions" >"$tmp/asked"
while [ -e "${TALKS:-}" ] && read -r asked; do
  for program; do
    "$program" "$TALKS" "$asked" >"$tmp/answer" </dev/null
    check "$(basename "$program") answers '$asked' in whole sentences" sh -c \
      'test "$(wc -w <"$0")" -gt 4 && tail -n 1 "$0" | grep -q "[.!?][\")]*$"' "$tmp/answer"
  done
done <"$tmp/asked"
for program; do
  check "$(basename "$program"): no such file" sh -c '! "$0" none.gguf hello 2>"$1" && grep -q none.gguf "$1"' \
    "$program" "$tmp/answer"
  check "$(basename "$program"): no arguments" sh -c '"$0" 2>"$1"; test $? = 2 && grep -q usage "$1"' "$program" "$tmp/answer"
done
close_checks
