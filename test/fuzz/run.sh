#!/bin/sh
# Runs the fuzz targets under libFuzzer with ASan and UBSan, two at a time, and prints a table of what they did.
#
#   test/fuzz/run.sh [SECONDS] [TARGET...]      600 seconds each, all targets
#
# clang builds them in build-fuzz/; logs, what was found and the inputs that a run adds lie in build-fuzz/fuzz-run/. Leaves with 1 when
# a target crashed, hung or could not be run.
set -eu
cd "$(dirname "$0")/../.."
seconds=600
case ${1-} in
[0-9]*) seconds=$1 && shift ;;
esac
[ $# -gt 0 ] || set -- gguf pickle safetensors quantised sentencepiece template tokenizer snapshot adapter api messages config
if [ ! -f build-fuzz/build.ninja ]; then
    cache=$(command -v ccache || true)
    CC="${cache:+$cache }clang" CXX="${cache:+$cache }clang++" meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined \
        -Db_lundef=false -Dbuildtype=debugoptimized
fi
work=$PWD/build-fuzz/fuzz-run
targets=
for t in "$@"; do
    if [ -f "test/fuzz/fuzz_$t.c" ]; then targets="$targets $t"; else echo "there is no target $t: left out" >&2; fi
done
[ -n "$targets" ] || exit 1
programs=
for t in $targets; do
    programs="$programs test/fuzz/fuzz_$t"
    case $t in snapshot | adapter | config) programs="$programs test/fuzz/fuzz_${t}_replay" ;; esac
done
# shellcheck disable=SC2086
nice ninja -C build-fuzz $programs

# What a run begins with: the folder of the corpus, or what the replay writes.
for t in $targets; do
    mkdir -p "$work/$t/seeds" "$work/$t/added"
    rm -f "$work/$t/log" "$work/$t/result" "$work/$t"/crash-* "$work/$t"/leak-* "$work/$t"/oom-* "$work/$t"/timeout-*
    case $t in
    snapshot) build-fuzz/test/fuzz/fuzz_snapshot_replay 1 1 "$work/$t/seeds" ;;
    adapter) build-fuzz/test/fuzz/fuzz_adapter_replay 1000000 "$work/$t/seeds" ;;
    config) build-fuzz/test/fuzz/fuzz_config_replay 0 1 "$work/$t/seeds" ;;
    *) [ ! -d "test/fuzz/corpus/$t" ] || cp test/fuzz/corpus/"$t"/* "$work/$t/seeds" ;;
    esac >"$work/$t/seeds.log" 2>&1 || { cat "$work/$t/seeds.log" >&2 && exit 1; }
done
cp test/data/hostile/gguf/* "$work/gguf/seeds" 2>/dev/null || true

cat >"$work/one.sh" <<'END'
t=$1 work=$2 seconds=$3
dict=
[ ! -f "test/fuzz/$t.dict" ] || dict=-dict=test/fuzz/$t.dict
export ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
rc=0
nice build-fuzz/test/fuzz/fuzz_"$t" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=25 -max_len=32768 \
    -print_final_stats=1 -artifact_prefix="$work/$t/" $dict "$work/$t/added" "$work/$t/seeds" >"$work/$t/log" 2>&1 || rc=$?
echo $rc >"$work/$t/result"
END
# shellcheck disable=SC2086
printf '%s\n' $targets | xargs -P 2 -I TARGET sh "$work/one.sh" TARGET "$work" "$seconds"

status=0
echo "| target | executions | edges | features | seconds | result |"
echo "|---|---|---|---|---|---|"
for t in $targets; do
    log=$work/$t/log
    last=$(grep -a 'cov: ' "$log" | tail -n 1)
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    [ -n "$runs" ] || runs=$(printf %s "$last" | sed -n 's/^#\([0-9]*\).*/\1/p')
    cov=$(printf %s "$last" | sed -n 's/.*cov: \([0-9]*\).*/\1/p')
    ft=$(printf %s "$last" | sed -n 's/.*ft: \([0-9]*\).*/\1/p')
    took=$(sed -n 's/^Done [0-9]* runs in \([0-9]*\) second.*/\1/p' "$log")
    result=passed
    if [ "$(cat "$work/$t/result")" != 0 ]; then
        status=1
        result="FAILED: $(cd "$work/$t" && echo crash-* leak-* oom-* timeout-* | tr ' ' '\n' | grep -v '\*' | tr '\n' ' ')see $log"
    fi
    echo "| $t | ${runs:-?} | ${cov:-?} | ${ft:-?} | ${took:-?} | $result |"
done
exit $status
