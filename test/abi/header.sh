#!/bin/sh
# Every public header compiles alone, as C11 and, where there is a compiler for it, as C++17, without a warning.
#   header.sh INCLUDE_DIR COMPILER...
include=$1
shift
passed=0 failed=0
flags='-Wall -Wextra -Werror -pedantic -fsyntax-only'
languages='c++'
echo | "$@" -fsyntax-only -x c++ - 2>/dev/null || {
  echo 'no C++ compiler: as C only'
  languages=
}
for header in "$include"/hybridlm/*.h; do
  for language in c $languages; do
    [ "$language" = c ] && std=c11 || std=c++17
    # shellcheck disable=SC2086
    if echo "#include <hybridlm/${header##*/}>" | "$@" $flags -x "$language" -std=$std -I "$include" -; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "FAIL ${header##*/} as $language"
    fi
  done
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
