/* Read bandwidth: each thread reads its own part of a large buffer. */
#define _POSIX_C_SOURCE 200809L
#include "peak.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#  include <immintrin.h>
#endif

#include "text.h"

enum { PASSES = 3, BLOCK = 512 };

/** Reads `size` bytes, a multiple of BLOCK, and gives something of them all. */
typedef uint64_t read_fn(const unsigned char *data, size_t size);

static uint64_t read_plain(const unsigned char *data, size_t size)
{
    uint64_t acc[8] = {0};
    for (size_t i = 0; i < size; i += sizeof acc) {
        uint64_t v[8];
        memcpy(v, data + i, sizeof v);
        for (int k = 0; k < 8; k++) acc[k] ^= v[k];
    }
    return acc[0] ^ acc[1] ^ acc[2] ^ acc[3] ^ acc[4] ^ acc[5] ^ acc[6] ^ acc[7];
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t read_avx2(const unsigned char *data, size_t size)
{
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (size_t i = 0; i < size; i += 128) {
        const __m256i *p = (const __m256i *)(const void *)(data + i);
        _mm_prefetch((const char *)p + 4096, _MM_HINT_T0);
        _mm_prefetch((const char *)p + 4096 + 64, _MM_HINT_T0);
        a = _mm256_xor_si256(a, _mm256_load_si256(p));
        b = _mm256_xor_si256(b, _mm256_load_si256(p + 1));
        c = _mm256_xor_si256(c, _mm256_load_si256(p + 2));
        d = _mm256_xor_si256(d, _mm256_load_si256(p + 3));
    }
    uint64_t out[4];
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d)));
    return out[0] ^ out[1] ^ out[2] ^ out[3];
}

__attribute__((target("avx512f"))) static uint64_t read_avx512(const unsigned char *data, size_t size)
{
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (size_t i = 0; i < size; i += 256) {
        const __m512i *p = (const __m512i *)(const void *)(data + i);
        for (size_t line = 0; line < 256; line += 64) _mm_prefetch((const char *)p + 4096 + line, _MM_HINT_T0);
        a = _mm512_xor_si512(a, _mm512_load_si512(p));
        b = _mm512_xor_si512(b, _mm512_load_si512(p + 1));
        c = _mm512_xor_si512(c, _mm512_load_si512(p + 2));
        d = _mm512_xor_si512(d, _mm512_load_si512(p + 3));
    }
    uint64_t out[8];
    _mm512_storeu_si512(out, _mm512_xor_si512(_mm512_xor_si512(a, b), _mm512_xor_si512(c, d)));
    return out[0] ^ out[1] ^ out[2] ^ out[3] ^ out[4] ^ out[5] ^ out[6] ^ out[7];
}
#endif

static read_fn *best_reader(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return read_avx512;
    if (__builtin_cpu_supports("avx2")) return read_avx2;
#endif
    return read_plain;
}

/** Four times the last cache, but at least 256 MB and at most 1 GB; a page of slack for prefetches. */
static size_t buffer_size(void)
{
    const size_t least = (size_t)256 << 20, most = (size_t)1 << 30;
    size_t size = least;
#ifdef _SC_LEVEL3_CACHE_SIZE
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (cache > 0 && (size_t)cache > least / 4) size = (size_t)cache < most / 4 ? (size_t)cache * 4 : most;
#endif
    return size / BLOCK * BLOCK;
}

void cli_peak_memory_open(cli_peak_memory *m)
{
    enum { PAGE = 4096, SLACK = 2 * PAGE };
    void *p = NULL;
    m->size = buffer_size();
    if (posix_memalign(&p, PAGE, m->size + SLACK) != 0) {
        *m = (cli_peak_memory){0};
        return;
    }
    m->data = p;
    memset(m->data, 1, m->size + SLACK); /* pages of their own, not the shared one of zeros */
}

void cli_peak_memory_close(cli_peak_memory *m)
{
    free(m->data);
    *m = (cli_peak_memory){0};
}

typedef struct read_work {
    const cli_peak_memory *m;
    read_fn *read;
    uint64_t *results;
} read_work;

static void read_part(void *arg, int index, int n_threads)
{
    const read_work *w = arg;
    const size_t blocks = w->m->size / BLOCK;
    const size_t from = blocks * (size_t)index / (size_t)n_threads,
                 to = blocks * (size_t)(index + 1) / (size_t)n_threads;
    w->results[index] = w->read(w->m->data + from * BLOCK, (to - from) * BLOCK);
}

double cli_peak_memory_measure(const cli_peak_memory *m, int n_threads)
{
    if (!m->data) return 0;
    read_work work = {.m = m, .read = best_reader(), .results = cli_alloc((size_t)n_threads, sizeof *work.results)};
    double best = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        const double seconds = cli_team_run(n_threads, read_part, &work);
        if (seconds > 0 && (double)m->size / seconds > best) best = (double)m->size / seconds;
    }
    free(work.results);
    return best;
}
