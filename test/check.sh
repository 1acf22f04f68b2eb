# What test scripts share, to be read with `.`: a folder $tmp that goes at the end, and counting.
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

# The closing line; fails as a test has to.
close_checks() {
  echo "$passed passed, $failed failed"
  [ $failed = 0 ] && [ $passed != 0 ]
}
