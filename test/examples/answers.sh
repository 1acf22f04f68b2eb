#!/bin/sh
# First answers: each program answers a question with each model that is there, all in the same words, and says in
# words what is wrong.
#   MODELS=FILE:FILE... answers.sh PROGRAM...
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

# check WHAT COMMAND...
check() {
  what=$1
  shift
  if "$@" >"$tmp/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL $what"
    cat "$tmp/log"
  fi
}

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
for program; do
  check "$(basename "$program"): no such file" sh -c '! "$0" none.gguf hello 2>"$1" && grep -q none.gguf "$1"' \
    "$program" "$tmp/answer"
  check "$(basename "$program"): no arguments" sh -c '"$0" 2>"$1"; test $? = 2 && grep -q usage "$1"' "$program" "$tmp/answer"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
