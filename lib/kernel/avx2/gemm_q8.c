/* Q8 on Q8 activations. vpmaddubsw wants unsigned weights: |w| with the sign moved to the activation. A pair of products is at
 * most 2 * 128 * 128 = 32768, and only its negative may be that much, so it fits; two pairs do not, and each is widened at once.
 * With s = -1 where w < 0 and 0 elsewhere, w * a = |w| * (a ^ s) + |w & s|. The last term is the same for all tokens, and the
 * exclusive or runs beside the multipliers, which vpsignb (for a single token) keeps busy. */
#include "kernel/act.h"
#include "kernel/avx2/avx2.h"
#include "kernel/unit.h"
#include "kernel/walk.h"

enum { TOKENS = 4, BLOCK = 16 };

typedef __m256i sums[HLMI_AVX2_T][HLMI_AVX2_R];

HLMI_INLINE __m256i load(const hlmi_unit_q8 *unit, size_t c, size_t row)
{
    return _mm256_load_si256((const __m256i *)unit->q[c][row]);
}

/* Sums of |w & s| of each row of a unit. */
HLMI_INLINE void negatives(int32_t n[32], const hlmi_unit_q8 *unit)
{
    for (size_t row = 0; row < 32; row += 8) {
        __m256i sum = _mm256_setzero_si256();
        for (size_t c = 0; c < 8; c++) {
            const __m256i size = _mm256_abs_epi8(_mm256_min_epi8(load(unit, c, row), _mm256_setzero_si256()));
            sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(size, _mm256_set1_epi8(1)));
        }
        _mm256_store_si256((__m256i *)(n + row), _mm256_madd_epi16(sum, _mm256_set1_epi16(1)));
    }
}

/* sum += the dots of chunk c's 4 columns. */
HLMI_INLINE void chunk(int T, int R, sums sum, const hlmi_unit_q8 *unit, size_t r0, size_t c, const char *x, size_t ldx)
{
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i s[HLMI_AVX2_R], size[HLMI_AVX2_R];
    HLMI_UNROLL
    for (int r = 0; r < R; r++) {
        const __m256i w = load(unit, c, r0 + (size_t)r * 8);
        s[r] = _mm256_cmpgt_epi8(_mm256_setzero_si256(), w);
        size[r] = _mm256_abs_epi8(w);
    }
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        const __m256i a = hlmi_avx2_bytes(((const hlmi_act_q8 *)(x + (size_t)t * ldx))->q + c * 4);
        HLMI_UNROLL
        for (int r = 0; r < R; r++) {
            const __m256i p = _mm256_maddubs_epi16(size[r], _mm256_xor_si256(a, s[r]));
            sum[t][r] = _mm256_add_epi32(sum[t][r], _mm256_madd_epi16(p, ones));
            hlmi_avx2_keep(&sum[t][r]);
        }
    }
}

/* The dots of a whole unit for one token. */
HLMI_INLINE void dots_one(int R, sums sum, const hlmi_unit_q8 *unit, const char *x)
{
    const __m256i ones = _mm256_set1_epi16(1);
    HLMI_UNROLL
    for (size_t c = 0; c < 8; c++) {
        const __m256i a = hlmi_avx2_bytes(((const hlmi_act_q8 *)x)->q + c * 4);
        HLMI_UNROLL
        for (int r = 0; r < R; r++) {
            const __m256i w = load(unit, c, (size_t)r * 8);
            const __m256i p = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(a, w));
            const __m256i wide = _mm256_madd_epi16(p, ones);
            sum[0][r] = c == 0 ? wide : _mm256_add_epi32(sum[0][r], wide);
        }
    }
}

/* acc = fma(sum, dw * da, acc) */
HLMI_INLINE void add_scaled(int T, int R, __m256 acc[HLMI_AVX2_T][HLMI_AVX2_R], sums sum, const uint16_t *d,
                            const char *x, size_t ldx)
{
    HLMI_UNROLL
    for (int r = 0; r < R; r++) {
        const __m256 dw = hlmi_avx2_half(d + r * 8);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const hlmi_act_q8 *a = (const hlmi_act_q8 *)(x + (size_t)t * ldx);
            const __m256 scale = _mm256_mul_ps(dw, _mm256_set1_ps(a->d));
            acc[t][r] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[t][r]), scale, acc[t][r]);
        }
    }
}

/* Two row vectors from row r0, T tokens; n: negatives of the block's units. */
HLMI_INLINE void tile(int T, const hlmi_block *b, const int32_t (*n)[32], size_t r0, const char *x, float *y)
{
    __m256 acc[HLMI_AVX2_T][HLMI_AVX2_R];
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (int r = 0; r < 2; r++)
            acc[t][r] = b->first ? _mm256_setzero_ps() : _mm256_load_ps(y + (size_t)t * b->ldy + r0 + (size_t)r * 8);
    }
    const hlmi_unit_q8 *unit = (const hlmi_unit_q8 *)b->w;
    for (size_t u = 0; u < b->units; u++, unit++, x += sizeof(hlmi_act_q8)) {
        sums sum;
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            HLMI_UNROLL
            for (int r = 0; r < 2; r++) sum[t][r] = _mm256_load_si256((const __m256i *)(n[u] + r0 + r * 8));
        }
        /* unrolled, this loop makes gcc 12 spill the sums */
        HLMI_ROLLED
        for (size_t c = 0; c < 8; c++) chunk(T, 2, sum, unit, r0, c, x, b->ldx);
        add_scaled(T, 2, acc, sum, unit->d + r0, x, b->ldx);
    }
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (int r = 0; r < 2; r++) _mm256_store_ps(y + (size_t)t * b->ldy + r0 + (size_t)r * 8, acc[t][r]);
    }
}

static void one(const hlmi_block *b)
{
    __m256 acc[HLMI_AVX2_T][HLMI_AVX2_R];
    HLMI_UNROLL
    for (int r = 0; r < 4; r++) acc[0][r] = _mm256_setzero_ps();
    const hlmi_unit_q8 *unit = (const hlmi_unit_q8 *)b->w;
    const char *x = b->x;
    for (size_t u = 0; u < b->units; u++, unit++, x += sizeof(hlmi_act_q8)) {
        HLMI_UNROLL
        for (size_t i = 0; i < sizeof *unit; i += 64) _mm_prefetch((const char *)unit + 4096 + i, _MM_HINT_T0);
        sums sum;
        dots_one(4, sum, unit, x);
        add_scaled(1, 4, acc, sum, unit->d, x, 0);
    }
    HLMI_UNROLL
    for (int r = 0; r < 4; r++) _mm256_store_ps(b->y + r * 8, acc[0][r]);
}

static void many(const hlmi_block *b)
{
    _Alignas(32) int32_t n[BLOCK][32];
    for (size_t u = 0; u < b->units; u++) negatives(n[u], (const hlmi_unit_q8 *)b->w + u);
    for (size_t r0 = 0; r0 < 32; r0 += 16) {
        const char *x = b->x;
        float *y = b->y;
        size_t t = 0;
        for (; t + TOKENS <= b->tokens; t += TOKENS, x += TOKENS * b->ldx, y += TOKENS * b->ldy)
            tile(TOKENS, b, n, r0, x, y);
        switch (b->tokens - t) {
        case 3: tile(3, b, n, r0, x, y); break;
        case 2: tile(2, b, n, r0, x, y); break;
        case 1: tile(1, b, n, r0, x, y); break;
        default: break;
        }
    }
}

void hlmi_avx2_gemm_q8(const hlmi_gemm *g)
{
    static const hlmi_walk walk = {32, 32, sizeof(hlmi_unit_q8), sizeof(hlmi_act_q8), BLOCK, TOKENS, one, many};
    hlmi_walk_run(&walk, g);
}
