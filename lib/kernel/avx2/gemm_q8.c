/* Q8 on Q16 activations: weights as 16 bits meet activations of 16 bits in vpmaddwd, which adds pairs of products in 32
 * bits (a block's sum is at most 32 * 128 * 32767). 32 products take two multiplications and two additions, as they
 * would with bytes: there the sum of two pairs does not fit 16 bits, so that each must be widened. The weights of a
 * slab become 16 bits once for all tokens; a single token's do on the way. */
#include "kernel/act.h"
#include "kernel/avx2/avx2.h"
#include "quant/unit.h"
#include "kernel/walk.h"

enum { TOKENS = 4, BLOCK = 8 };

/* 16 rows of a unit: [pair of columns][row][column], pairs in the order of hlmi_act_q16. */
typedef struct half_unit {
    int16_t q[16][16][2];
} half_unit;

/* The even and the odd bytes of 8 rows x 4 columns. */
HLMI_INLINE void split(__m256i *even, __m256i *odd, const hlmi_unit_q8 *unit, size_t c, size_t row)
{
    const __m256i w = _mm256_load_si256((const __m256i *)unit->q[c][row]);
    *even = _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8);
    *odd = _mm256_srai_epi16(w, 8);
}

HLMI_INLINE void expand(half_unit *y, const hlmi_unit_q8 *unit, size_t r0)
{
    for (size_t c = 0; c < 8; c++) {
        for (size_t r = 0; r < 16; r += 8) {
            __m256i even, odd;
            split(&even, &odd, unit, c, r0 + r);
            _mm256_store_si256((__m256i *)y->q[2 * c][r], even);
            _mm256_store_si256((__m256i *)y->q[2 * c + 1][r], odd);
        }
    }
}

/* Pair p of a block of activations to all lanes. */
HLMI_INLINE __m256i pair(const char *x, size_t p)
{
    int32_t v;
    __builtin_memcpy(&v, ((const hlmi_act_q16 *)x)->q + 2 * p, sizeof v);
    return _mm256_set1_epi32(v);
}

/* The dots of a unit's 16 rows for T tokens. */
HLMI_INLINE void dots(int T, sums sum, const half_unit *w, const char *x, size_t ldx)
{
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (int r = 0; r < 2; r++)
            sum[t][r] =
                _mm256_madd_epi16(_mm256_load_si256((const __m256i *)w->q[0][r * 8]), pair(x + (size_t)t * ldx, 0));
    }
    /* unrolled, this loop makes gcc 12 spill the sums */
    HLMI_ROLLED
    for (size_t p = 1; p < 16; p++) {
        const __m256i w0 = _mm256_load_si256((const __m256i *)w->q[p][0]);
        const __m256i w1 = _mm256_load_si256((const __m256i *)w->q[p][8]);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const __m256i a = pair(x + (size_t)t * ldx, p);
            sum[t][0] = _mm256_add_epi32(sum[t][0], _mm256_madd_epi16(w0, a));
            sum[t][1] = _mm256_add_epi32(sum[t][1], _mm256_madd_epi16(w1, a));
            hlmi_avx2_keep(&sum[t][0]);
            hlmi_avx2_keep(&sum[t][1]);
        }
    }
}

/* The dots of a whole unit for one token. */
HLMI_INLINE void dots_one(sums sum, const hlmi_unit_q8 *unit, const char *x)
{
    HLMI_UNROLL
    for (size_t c = 0; c < 8; c++) {
        const __m256i a0 = pair(x, 2 * c), a1 = pair(x, 2 * c + 1);
        HLMI_UNROLL
        for (int r = 0; r < 4; r++) {
            __m256i even, odd;
            split(&even, &odd, unit, c, (size_t)r * 8);
            const __m256i p = _mm256_add_epi32(_mm256_madd_epi16(even, a0), _mm256_madd_epi16(odd, a1));
            sum[0][r] = c == 0 ? p : _mm256_add_epi32(sum[0][r], p);
        }
    }
}

/* 16 rows from row r0, T tokens; w: those rows of the slab's units. */
HLMI_INLINE void micro(int T, const hlmi_slab *b, const half_unit *w, size_t r0, const char *x, float *y)
{
    tile acc;
    tile_begin(T, 2, acc, b, y + r0);
    const hlmi_unit_q8 *unit = (const hlmi_unit_q8 *)b->w;
    for (size_t u = 0; u < b->units; u++, unit++, x += sizeof(hlmi_act_q16)) {
        sums sum;
        dots(T, sum, w + u, x, b->ldx);
        tile_add(T, 2, acc, sum, unit->d + r0, false, &((const hlmi_act_q16 *)x)->d, b->ldx);
    }
    tile_end(T, 2, acc, b, y + r0);
}

HLMI_INLINE void one(const hlmi_slab *b)
{
    tile acc;
    tile_begin(1, 4, acc, b, b->y);
    const hlmi_unit_q8 *unit = (const hlmi_unit_q8 *)b->w;
    const char *x = b->x;
    for (size_t u = 0; u < b->units; u++, unit++, x += sizeof(hlmi_act_q16)) {
        HLMI_UNROLL
        for (size_t i = 0; i < sizeof *unit; i += 64) _mm_prefetch((const char *)unit + 4096 + i, _MM_HINT_T0);
        sums sum;
        dots_one(sum, unit, x);
        tile_add(1, 4, acc, sum, unit->d, false, &((const hlmi_act_q16 *)x)->d, 0);
    }
    tile_end(1, 4, acc, b, b->y);
}

#define MICRO(T, x, y) micro(T, b, w, r0, x, y)

HLMI_INLINE void many(const hlmi_slab *b)
{
    _Alignas(64) half_unit w[BLOCK];
    for (size_t r0 = 0; r0 < 32; r0 += 16) {
        for (size_t u = 0; u < b->units; u++) expand(w + u, (const hlmi_unit_q8 *)b->w + u, r0);
        HLMI_MANY(TOKENS, MICRO);
    }
}

HLMI_PRODUCT(q8, one(b), many(b), HLMI_LAYOUT_Q8, 32, sizeof(hlmi_unit_q8), sizeof(hlmi_act_q16), BLOCK, TOKENS)

void hlmi_avx2_gemm_q8(hlmi_kernels *k)
{
    k->gemm[HLMI_LAYOUT_Q8] = gemm_q8;
}
