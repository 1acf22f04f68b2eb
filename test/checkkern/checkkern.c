/* The frame of checkkern: which tables are compared, random inputs, guarded memory, the count, the clock. */
#include "base/half.h"
#include "checkkern.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"

static const ck_suite *const suites[] = {&ck_gemm_suite,  &ck_vec_suite,   &ck_attn_suite, &ck_recur_suite,
                                         &ck_scan1_suite, &ck_delta_suite, &ck_hash_suite};

enum { GUARD = 64, GUARD_BYTE = 0xA5, BLOCKS = 128 };

typedef struct block {
    unsigned char *base;
    size_t n;
} block;

struct ck_run {
    uint64_t rng;
    const char *filter, *isa;
    long passed, failed;
    bool case_failed;
    char name[160];
    block blocks[BLOCKS];
    size_t block_count;
    double bandwidth;
};

uint64_t ck_random(ck_run *t)
{
    t->rng ^= t->rng << 13;
    t->rng ^= t->rng >> 7;
    t->rng ^= t->rng << 17;
    return t->rng * 0x2545F4914F6CDD1Du;
}

uint32_t ck_below(ck_run *t, uint32_t n)
{
    return (uint32_t)((ck_random(t) >> 32) * n >> 32);
}

float ck_uniform(ck_run *t)
{
    return (float)(int32_t)(ck_random(t) >> 32) * 0x1p-31f;
}

void *ck_bytes(ck_run *t, size_t n)
{
    const size_t room = (n + 63) / 64 * 64 + 2 * GUARD;
    unsigned char *base = aligned_alloc(64, room);
    if (!base || t->block_count == BLOCKS) {
        fprintf(stderr, "checkkern: no memory for %zu bytes\n", n);
        exit(2);
    }
    memset(base, GUARD_BYTE, room);
    memset(base + GUARD, 0, n);
    t->blocks[t->block_count++] = (block){base, n};
    return base + GUARD;
}

float *ck_floats(ck_run *t, size_t n, float scale)
{
    float *x = ck_bytes(t, n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = ck_below(t, 64) ? ck_uniform(t) * scale : 0.0f;
    return x;
}

void ck_round(hlmi_state_type type, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (type == HLMI_STATE_F16) x[i] = hlmi_f16_to_f32(hlmi_f32_to_f16(x[i]));
        if (type == HLMI_STATE_BF16) x[i] = hlmi_bf16_to_f32(hlmi_f32_to_bf16(x[i]));
    }
}

float *ck_out(ck_run *t, size_t n)
{
    float *x = ck_bytes(t, n * sizeof *x);
    memset(x, 0x5C, n * sizeof *x);
    return x;
}

const char *ck_filter(const ck_run *t)
{
    return t->filter;
}

bool ck_begin(ck_run *t, const char *format, ...)
{
    va_list args;
    const int at = snprintf(t->name, sizeof t->name, "%s ", t->isa);
    va_start(args, format);
    vsnprintf(t->name + at, sizeof t->name - (size_t)at, format, args);
    va_end(args);
    t->case_failed = false;
    return strstr(t->name, t->filter) != NULL;
}

void ck_check(ck_run *t, bool ok, const char *format, ...)
{
    if (ok || t->case_failed) return;
    va_list args;
    t->case_failed = true;
    fprintf(stderr, "FAILED %s: ", t->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

static bool guards_hold(const block *b)
{
    const size_t room = (b->n + 63) / 64 * 64 + GUARD;
    for (size_t i = 0; i < GUARD; i++) {
        if (b->base[i] != GUARD_BYTE) return false;
    }
    for (size_t i = GUARD + b->n; i < room + GUARD; i++) {
        if (b->base[i] != GUARD_BYTE) return false;
    }
    return true;
}

void ck_end(ck_run *t)
{
    for (size_t i = 0; i < t->block_count; i++) {
        ck_check(t, guards_hold(&t->blocks[i]), "bytes outside of block %zu were written", i);
        free(t->blocks[i].base);
    }
    t->block_count = 0;
    if (t->case_failed) t->failed++;
    else t->passed++;
}

void ck_same_bytes(ck_run *t, const char *what, const void *got, const void *want, size_t n)
{
    const unsigned char *g = got, *w = want;
    size_t i = 0;
    while (i < n && g[i] == w[i]) i++;
    ck_check(t, i == n, "%s: byte %zu of %zu is %02x, not %02x", what, i, n, i < n ? g[i] : 0, i < n ? w[i] : 0);
}

static bool same_float(const float *a, const float *b)
{
    return memcmp(a, b, sizeof *a) == 0 || (*a != *a && *b != *b);
}

void ck_same_floats(ck_run *t, const char *what, const float *got, const float *want, size_t n)
{
    size_t i = 0;
    while (i < n && same_float(got + i, want + i)) i++;
    if (i < n) ck_check(t, false, "%s: float %zu of %zu is %a, not %a", what, i, n, (double)got[i], (double)want[i]);
}

static double now(void)
{
    return 1e-9 * (double)hlmi_os_now();
}

double ck_time(ck_run *t, void (*call)(void *arg), void *arg)
{
    (void)t;
    call(arg);
    double best = 1e9, spent = 0;
    for (long n = 1; spent < 0.15;) {
        const double start = now();
        for (long i = 0; i < n; i++) call(arg);
        const double took = now() - start;
        spent += took;
        if (took / (double)n < best) best = took / (double)n;
        if (took < 0.0004) n *= 2; /* short, so that other programs spoil few batches */
    }
    return best;
}

typedef struct read_arg {
    const uint64_t *p;
    size_t n, piece, at;
    volatile uint64_t sum;
} read_arg;

/* The next piece of a buffer that no cache holds. */
static void read_piece(void *arg)
{
    read_arg *r = arg;
    const uint64_t *p = r->p + r->at;
    uint64_t s[16] = {0};
    for (size_t i = 0; i < r->piece; i += 16) {
        __builtin_prefetch((const char *)(p + i) + 4096);
        __builtin_prefetch((const char *)(p + i) + 4096 + 64);
        for (size_t j = 0; j < 16; j++) s[j] += p[i + j];
    }
    for (size_t j = 0; j < 16; j++) r->sum += s[j];
    r->at = (r->at + r->piece) % r->n;
}

double ck_read_bandwidth(ck_run *t)
{
    if (t->bandwidth > 0) return t->bandwidth;
    const size_t bytes = (size_t)256 << 20, piece = (size_t)1 << 20;
    uint64_t *p = aligned_alloc(64, bytes);
    if (!p) return 0;
    memset(p, 1, bytes);
    read_arg r = {.p = p, .n = bytes / sizeof *p, .piece = piece / sizeof *p};
    t->bandwidth = (double)piece / ck_time(t, read_piece, &r);
    free(p);
    return t->bandwidth;
}

void ck_report(ck_run *t, const char *name, double seconds, double work, const char *unit, double peak, double bytes)
{
    printf("%-18s %-28s %10.2f us %8.1f %s", t->isa, name, seconds * 1e6, work / seconds * 1e-9, unit);
    if (peak > 0) printf(" (%.2f of peak)", work / seconds / peak);
    if (bytes > 0)
        printf(" %7.1f GB/s (%.2f of reading)", bytes / seconds * 1e-9, bytes / seconds / ck_read_bandwidth(t));
    putchar('\n');
    fflush(stdout);
}

/* Tables to look at: every step of what the CPU offers, with and without bf16 dot products. */
static void each_table(ck_run *t, unsigned cpu, size_t first, bool bench)
{
    static const unsigned steps[] = {
        HLMI_CPU_AVX2,
        HLMI_CPU_AVX2 | HLMI_CPU_AVX512,
        HLMI_CPU_AVX2 | HLMI_CPU_AVX512 | HLMI_CPU_VNNI,
        HLMI_CPU_AVX2 | HLMI_CPU_AVX512 | HLMI_CPU_VNNI | HLMI_CPU_BF16,
    };
    for (size_t i = first; i < sizeof steps / sizeof *steps; i++) {
        if ((cpu & steps[i]) != steps[i]) continue;
        hlmi_kernels k, ref;
        hlmi_kernels_init(&k, steps[i], false);
        hlmi_kernels_init(&ref, steps[i] & (HLMI_CPU_BF16 | HLMI_CPU_VNNI), false);
        t->isa = k.name;
        for (size_t s = 0; s < sizeof suites / sizeof *suites; s++) {
            if (bench) suites[s]->bench(t, &k);
            else suites[s]->check(t, &ref, &k);
        }
    }
}

int main(int argc, char **argv)
{
    ck_run t = {.rng = 88172645463325252u, .filter = ""};
    bool bench = false;
    size_t first_table = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bench") == 0) bench = true;
        else if (argv[i][0] != '-') t.filter = argv[i];
        else {
            fprintf(stderr, "usage: checkkern [--bench] [FILTER]\n");
            return 2;
        }
    }
    unsigned cpu = hlmi_cpu_detect();
#ifdef CK_EMULATED /* AVX-512 is emulated with AVX2, which the other program checks */
    if (!(cpu & HLMI_CPU_AVX2)) return 77;
    cpu = HLMI_CPU_AVX2 | HLMI_CPU_AVX512 | HLMI_CPU_VNNI | HLMI_CPU_BF16;
    first_table = 1;
#endif
    for (unsigned bf16 = 0; bf16 < 2 && !bench; bf16++) {
        hlmi_kernels ref;
        hlmi_kernels_init(&ref, bf16 ? HLMI_CPU_BF16 | HLMI_CPU_VNNI : 0, false);
        t.isa = ref.name;
        for (size_t s = 0; s < sizeof suites / sizeof *suites; s++) suites[s]->spec(&t, &ref);
    }
    each_table(&t, cpu, first_table, bench);
    if (bench) return 0;
    printf("%ld passed, %ld failed\n", t.passed, t.failed);
    return t.failed > 0 || t.passed == 0;
}
