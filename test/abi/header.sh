#!/bin/sh
# Every public header compiles alone, as C11 and as C++17, without a warning.
#   header.sh INCLUDE_DIR COMPILER...
include=$1
shift
passed=0 failed=0
flags='-Wall -Wextra -Werror -pedantic -fsyntax-only'
for header in "$include"/hybridlm/*.h; do
  for language in 'c -std=c11' 'c++ -std=c++17'; do
    # shellcheck disable=SC2086
    if echo "#include <hybridlm/${header##*/}>" | "$@" $flags -x $language -I "$include" -; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "FAIL ${header##*/} as ${language%% *}"
    fi
  done
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
