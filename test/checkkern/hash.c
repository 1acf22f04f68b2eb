/* Checksums, and copies on the way. */
#include <string.h>

#include "checkkern.h"

enum { PIECE = HLMI_HASH_PIECE };

static void fill(ck_run *t, uint8_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = (uint8_t)ck_random(t);
}

/* Pieces one after another are the whole, and every bit counts. */
static void spec(ck_run *t, const hlmi_kernels *ref)
{
    if (!ck_begin(t, "hash in pieces")) return;
    uint8_t *x = ck_bytes(t, 3 * PIECE + 5);
    fill(t, x, 3 * PIECE + 5);
    const uint64_t whole = ref->hash(x, 3 * PIECE + 5, 7);
    uint64_t sum = 7;
    for (size_t at = 0; at < 3 * PIECE + 5; at += PIECE)
        sum = ref->hash(x + at, 3 * PIECE + 5 - at < PIECE ? 5 : PIECE, sum);
    ck_check(t, sum == whole, "pieces are not the whole");
    ck_check(t, ref->hash(x, 0, 7) == 7, "no bytes have another sum than the seed");
    for (size_t i = 0; i < 3 * PIECE + 5; i += 97) {
        x[i] ^= (uint8_t)(1u << i % 8);
        ck_check(t, ref->hash(x, 3 * PIECE + 5, 7) != whole, "byte %zu does not count", i);
        x[i] ^= (uint8_t)(1u << i % 8);
    }
    ck_end(t);
}

static void check(ck_run *t, const hlmi_kernels *ref, const hlmi_kernels *k)
{
    static const size_t sizes[] = {1,    63,        64,    65,        240,       241,
                                   1000, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 5 * PIECE + 77};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t n = sizes[i];
        if (!ck_begin(t, "hash %zu bytes", n)) continue;
        for (size_t to = 0; to < 64; to += to < 3 ? 1 : 13) {
            const size_t from = to * 5 % 64;
            uint8_t *x = (uint8_t *)ck_bytes(t, n + from) + from, *y = (uint8_t *)ck_bytes(t, n + to) + to;
            fill(t, x, n);
            const uint64_t want = ref->hash(x, n, i);
            ck_check(t, k->hash(x, n, i) == want, "another sum");
            ck_check(t, k->hash_copy(y, x, n, i) == want, "another sum of a copy");
            ck_same_bytes(t, "hash_copy", y, x, n);
        }
        ck_end(t);
    }
}

typedef struct bench_arg {
    const hlmi_kernels *k;
    uint8_t *to, *from;
    size_t n;
} bench_arg;

static void run_hash(void *arg)
{
    const bench_arg *b = arg;
    b->k->hash(b->from, b->n, 0);
}

static void run_copy(void *arg)
{
    const bench_arg *b = arg;
    b->k->hash_copy(b->to, b->from, b->n, 0);
}

static void bench(ck_run *t, const hlmi_kernels *k)
{
    const size_t n = (size_t)64 << 20;
    if (!ck_begin(t, "hash 64 MB")) return;
    bench_arg b = {k, ck_bytes(t, n), ck_bytes(t, n), n};
    fill(t, b.from, n);
    ck_report(t, "hash 64 MB", ck_time(t, run_hash, &b), (double)n, "GB/s", 0, (double)n);
    ck_report(t, "hash and copy 64 MB", ck_time(t, run_copy, &b), (double)n, "GB/s", 0, 2 * (double)n);
    ck_end(t);
}

const ck_suite ck_hash_suite = {"hash", spec, check, bench};
