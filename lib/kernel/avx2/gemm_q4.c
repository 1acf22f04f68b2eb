/* Q4, Q4M and Q5M on Q8 activations. The dot of 4 columns is one vpmaddubsw (weights unsigned, pairs of 16-bit sums)
 * whose results may be added in 16 bits over a block of 32 while weights stay below 16: 8 * 2 * 15 * 127 = 30480; below
 * 32 over half a block. */
#include "kernel/act.h"
#include "kernel/avx2/avx2.h"
#include "quant/unit.h"
#include "kernel/walk.h"

typedef enum form { Q4, Q4M, Q5M } form;

enum { TOKENS = 4 };

HLMI_INLINE size_t unit_bytes(form f)
{
    return f == Q4 ? sizeof(hlmi_unit_q4) : f == Q4M ? sizeof(hlmi_unit_q4m) : sizeof(hlmi_unit_q5m);
}

/* acc, in 16 bits: the dots of chunk c's 8 columns, added unless they are the first. */
HLMI_INLINE void chunk(form f, int T, int R, bool first, sums acc, const char *unit, size_t r0, size_t c, const char *x,
                       size_t ldx)
{
    const uint8_t *q = (const uint8_t *)unit + (f == Q4 ? 64 : 128) + c * 128 + r0 * 4;
    const __m256i low = _mm256_set1_epi8(15);
    __m256i lo[MOST_ROWS], hi[MOST_ROWS];
    HLMI_UNROLL
    for (int r = 0; r < R; r++) {
        const __m256i both = _mm256_load_si256((const __m256i *)(q + r * 32));
        lo[r] = _mm256_and_si256(both, low);
        hi[r] = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
        if (f == Q5M) add_fifth(&lo[r], &hi[r], ((const hlmi_unit_q5m *)unit)->high + r0 + r * 8, c);
    }
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        const int8_t *a = ((const hlmi_act_q8 *)(x + (size_t)t * ldx))->q + c * 8;
        const __m256i a0 = four_bytes(a), a1 = four_bytes(a + 4);
        HLMI_UNROLL
        for (int r = 0; r < R; r++) {
            const __m256i p0 = _mm256_maddubs_epi16(lo[r], a0), p1 = _mm256_maddubs_epi16(hi[r], a1);
            acc[t][r] = _mm256_add_epi16(first ? p0 : _mm256_add_epi16(acc[t][r], p0), p1);
            hlmi_avx2_keep(&acc[t][r]);
        }
    }
}

/* Integer sums of one unit, rows r0.., T tokens x R vectors. */
HLMI_INLINE void dots(form f, int T, int R, sums sum, const char *unit, size_t r0, const char *x, size_t ldx)
{
    const __m256i ones = _mm256_set1_epi16(1);
    const size_t parts = f == Q5M ? 2 : 1, chunks = 4 / parts;
    HLMI_UNROLL
    for (size_t p = 0; p < parts; p++) {
        sums acc;
        chunk(f, T, R, true, acc, unit, r0, p * chunks, x, ldx);
        /* unrolled, this loop makes gcc 12 spill the sums */
        HLMI_ROLLED
        for (size_t c = 1; c < chunks; c++) chunk(f, T, R, false, acc, unit, r0, p * chunks + c, x, ldx);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            HLMI_UNROLL
            for (int r = 0; r < R; r++) {
                const __m256i s = _mm256_madd_epi16(acc[t][r], ones);
                sum[t][r] = p == 0 ? s : _mm256_add_epi32(sum[t][r], s);
            }
        }
    }
}

HLMI_INLINE void micro(form f, int T, int R, const hlmi_slab *b, size_t r0, const char *x, float *y)
{
    tile acc;
    tile_begin(T, R, acc, b, y + r0);
    const char *unit = b->w;
    for (size_t u = 0; u < b->units; u++, unit += unit_bytes(f), x += sizeof(hlmi_act_q8)) {
        sums sum;
        if (T == 1) {
            HLMI_UNROLL
            for (size_t i = 0; i < unit_bytes(f); i += 64) _mm_prefetch(unit + 4096 + i, _MM_HINT_T0);
        }
        dots(f, T, R, sum, unit, r0, x, b->ldx);
        HLMI_UNROLL
        for (int r = 0; r < R; r++) {
            const uint16_t *d = (const uint16_t *)unit + r0 + (size_t)r * 8;
            const __m256 dw = vf_load_f16(d), m = f == Q4 ? dw : vf_load_f16(d + 32);
            HLMI_UNROLL
            for (int t = 0; t < T; t++) {
                const hlmi_act_q8 *a = (const hlmi_act_q8 *)(x + (size_t)t * b->ldx);
                if (f == Q4) sum[t][r] = _mm256_add_epi32(sum[t][r], _mm256_set1_epi32(a->sum8));
                const __m256 s = _mm256_cvtepi32_ps(sum[t][r]);
                acc[t][r] = _mm256_fmadd_ps(s, _mm256_mul_ps(dw, _mm256_set1_ps(a->d)), acc[t][r]);
                if (f != Q4) acc[t][r] = _mm256_fmadd_ps(m, _mm256_set1_ps(a->dsum), acc[t][r]);
            }
        }
    }
    tile_end(T, R, acc, b, y + r0);
}

#define MICRO(T, x, y) micro(f, T, 2, b, r0, x, y)

HLMI_INLINE void many(form f, const hlmi_slab *b)
{
    for (size_t r0 = 0; r0 < 32; r0 += 16) HLMI_MANY(TOKENS, MICRO);
}

#define FORM(name, f)                                                                                             \
  HLMI_PRODUCT(name, micro(f, 1, 4, b, 0, b->x, b->y), many(f, b), HLMI_LAYOUT_##f, 32, sizeof(hlmi_unit_##name), \
               sizeof(hlmi_act_q8), 16, TOKENS)
FORM(q4, Q4)
FORM(q4m, Q4M)
FORM(q5m, Q5M)

void hlmi_avx2_gemm_q4(hlmi_kernels *k)
{
    k->gemm[HLMI_LAYOUT_Q4] = gemm_q4;
    k->gemm[HLMI_LAYOUT_Q4M] = gemm_q4m;
    k->gemm[HLMI_LAYOUT_Q5M] = gemm_q5m;
}
