/* Q8 on Q8 activations. vpmaddubsw wants unsigned weights: |w| with the sign moved to the activation. A pair of products is at
 * most 2 * 128 * 127 = 32512 and fits; two pairs do not, so each is widened at once. */
#include "kernel/act.h"
#include "kernel/avx2/avx2.h"
#include "kernel/unit.h"
#include "kernel/walk.h"

enum { TOKENS = 4 };

typedef __m256i sums[HLMI_AVX2_T][HLMI_AVX2_R];

/* sum: the dots of chunk c's 4 columns, added unless they are the first. */
HLMI_INLINE void chunk(int T, int R, bool first, sums sum, const hlmi_unit_q8 *unit, size_t r0, size_t c, const char *x,
                       size_t ldx)
{
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i w[HLMI_AVX2_R], size[HLMI_AVX2_R];
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
        w[r] = _mm256_load_si256((const __m256i *)(unit->q[c][r0 + (size_t)r * 8]));
        size[r] = _mm256_abs_epi8(w[r]);
    }
#pragma GCC unroll 6
    for (int t = 0; t < T; t++) {
        const __m256i a = hlmi_avx2_bytes(((const hlmi_act_q8 *)(x + (size_t)t * ldx))->q + c * 4);
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) {
            const __m256i p = _mm256_madd_epi16(_mm256_maddubs_epi16(size[r], _mm256_sign_epi8(a, w[r])), ones);
            sum[t][r] = first ? p : _mm256_add_epi32(sum[t][r], p);
        }
    }
}

HLMI_INLINE void tile(int T, int R, const hlmi_block *b, size_t r0, const char *x, float *y)
{
    __m256 acc[HLMI_AVX2_T][HLMI_AVX2_R];
#pragma GCC unroll 4
    for (int t = 0; t < T; t++) {
#pragma GCC unroll 4
        for (int r = 0; r < R; r++)
            acc[t][r] = b->first ? _mm256_setzero_ps() : _mm256_load_ps(y + (size_t)t * b->ldy + r0 + (size_t)r * 8);
    }
    const hlmi_unit_q8 *unit = (const hlmi_unit_q8 *)b->w;
    for (size_t u = 0; u < b->units; u++, unit++, x += sizeof(hlmi_act_q8)) {
        sums sum;
        if (T == 1) {
#pragma GCC unroll 17
            for (size_t i = 0; i < sizeof *unit; i += 64) _mm_prefetch((const char *)unit + 4096 + i, _MM_HINT_T0);
        }
        chunk(T, R, true, sum, unit, r0, 0, x, b->ldx);
        /* unrolled, this loop makes gcc 12 spill the sums */
#pragma GCC unroll 1
        for (size_t c = 1; c < 8; c++) chunk(T, R, false, sum, unit, r0, c, x, b->ldx);
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) {
            const __m256 dw = hlmi_avx2_half(unit->d + r0 + (size_t)r * 8);
#pragma GCC unroll 4
            for (int t = 0; t < T; t++) {
                const hlmi_act_q8 *a = (const hlmi_act_q8 *)(x + (size_t)t * b->ldx);
                const __m256 s = _mm256_cvtepi32_ps(sum[t][r]);
                acc[t][r] = _mm256_fmadd_ps(s, _mm256_mul_ps(dw, _mm256_set1_ps(a->d)), acc[t][r]);
            }
        }
    }
#pragma GCC unroll 4
    for (int t = 0; t < T; t++) {
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) _mm256_store_ps(y + (size_t)t * b->ldy + r0 + (size_t)r * 8, acc[t][r]);
    }
}

static void one(const hlmi_block *b)
{
    tile(1, 4, b, 0, b->x, b->y);
}

static void many(const hlmi_block *b)
{
    for (size_t r0 = 0; r0 < 32; r0 += 16) {
        const char *x = b->x;
        float *y = b->y;
        size_t t = 0;
        for (; t + TOKENS <= b->tokens; t += TOKENS, x += TOKENS * b->ldx, y += TOKENS * b->ldy) tile(TOKENS, 2, b, r0, x, y);
        switch (b->tokens - t) {
        case 3: tile(3, 2, b, r0, x, y); break;
        case 2: tile(2, 2, b, r0, x, y); break;
        case 1: tile(1, 2, b, r0, x, y); break;
        default: break;
        }
    }
}

void hlmi_avx2_gemm_q8(const hlmi_gemm *g)
{
    static const hlmi_walk walk = {32, 32, sizeof(hlmi_unit_q8), sizeof(hlmi_act_q8), 16, TOKENS, one, many};
    hlmi_walk_run(&walk, g);
}
