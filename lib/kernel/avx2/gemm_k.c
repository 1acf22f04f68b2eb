/* K4, K5, K4T and K6 on Q8K activations. The pairwise 16-bit sums of a sub-block meet its integer scale in the widening
 * multiply-add that is needed anyway, so scales are free and a superblock of 256 is one exact 32-bit sum:
 *   K4: weights below 16, 8 vpmaddubsw in 16 bits (30480), scale below 64
 *   K5: weights below 32, 4 vpmaddubsw (31496)
 *   K4T: values of -127 .. 113, each vpmaddubsw (2 * 127 * 127) of sizes and activations that have the signs
 *   K6: weights + 32 are below 64, 2 vpmaddubsw (2 * 2 * 63 * 127 = 32004); -32 * scale * sum(a) takes the 32 out again */
#include "kernel/act.h"
#include "kernel/avx2/avx2.h"
#include "quant/unit.h"

typedef enum form { K4, K5, K4T, K6 } form;

enum { TOKENS = 4, LANES = 16, R = 2 };

/* 8 bytes to 32 bits each. */
HLMI_INLINE __m256i unsigned_bytes(const uint8_t *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
}

/* The two 16-bit sums at p to all lanes. */
HLMI_INLINE __m256i two_sums(const int16_t *p)
{
    int32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return _mm256_set1_epi32(v);
}

HLMI_INLINE const hlmi_act_q8k *token(const char *x, size_t ldx, int t)
{
    return (const hlmi_act_q8k *)(x + (size_t)t * ldx);
}

HLMI_INLINE void zeros(int T, sums sum)
{
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (size_t r = 0; r < R; r++) sum[t][r] = _mm256_setzero_si256();
    }
}

/* acc, in 16 bits: the dots of chunk c's 8 columns, added unless they are the first. */
HLMI_INLINE void chunk(form f, int T, bool first, sums acc, const hlmi_unit_k4 *u, size_t s, size_t c, const char *x,
                       size_t ldx)
{
    const __m256i low = _mm256_set1_epi8(15);
    __m256i lo[R], hi[R];
    HLMI_UNROLL
    for (size_t r = 0; r < R; r++) {
        const __m256i both = _mm256_load_si256((const __m256i *)u->q[s][c][r * 8]);
        lo[r] = _mm256_and_si256(both, low);
        hi[r] = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
        if (f == K5) add_fifth(&lo[r], &hi[r], ((const hlmi_unit_k5 *)u)->high[s] + r * 8, c);
    }
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        const int8_t *a = token(x, ldx, t)->q + s * 32 + c * 8;
        const __m256i a0 = four_bytes(a), a1 = four_bytes(a + 4);
        HLMI_UNROLL
        for (size_t r = 0; r < R; r++) {
            const __m256i p0 = _mm256_maddubs_epi16(lo[r], a0), p1 = _mm256_maddubs_epi16(hi[r], a1);
            acc[t][r] = _mm256_add_epi16(first ? p0 : _mm256_add_epi16(acc[t][r], p0), p1);
        }
    }
}

/* sum += scale * dot of sub-block s. */
HLMI_INLINE void sub_k4(form f, int T, sums sum, const hlmi_unit_k4 *u, size_t s, const char *x, size_t ldx)
{
    const size_t parts = f == K5 ? 2 : 1, chunks = 4 / parts;
    HLMI_UNROLL
    for (size_t p = 0; p < parts; p++) {
        sums acc;
        chunk(f, T, true, acc, u, s, p * chunks, x, ldx);
        HLMI_ROLLED
        for (size_t c = 1; c < chunks; c++) chunk(f, T, false, acc, u, s, p * chunks + c, x, ldx);
        HLMI_UNROLL
        for (size_t r = 0; r < R; r++) {
            const __m256i one = unsigned_bytes(u->sc[s] + r * 8), sc = _mm256_or_si256(one, _mm256_slli_epi32(one, 16));
            HLMI_UNROLL
            for (int t = 0; t < T; t++) sum[t][r] = _mm256_add_epi32(sum[t][r], _mm256_madd_epi16(acc[t][r], sc));
        }
    }
}

/* Sum of minimum * sum(a) over the sub-blocks, two at a time. */
HLMI_INLINE void minimums(int T, sums sum, const hlmi_unit_k4 *u, const char *x, size_t ldx)
{
    HLMI_UNROLL
    for (size_t s = 0; s < 8; s += 2) {
        HLMI_UNROLL
        for (size_t r = 0; r < R; r++) {
            const __m256i even = unsigned_bytes(u->mn[s] + r * 8), odd = unsigned_bytes(u->mn[s + 1] + r * 8);
            const __m256i pair = _mm256_or_si256(even, _mm256_slli_epi32(odd, 16));
            HLMI_UNROLL
            for (int t = 0; t < T; t++) {
                const __m256i p = _mm256_madd_epi16(pair, two_sums(token(x, ldx, t)->sum32 + s));
                sum[t][r] = s == 0 ? p : _mm256_add_epi32(sum[t][r], p);
            }
        }
    }
}

/* Signed scales of 8 rows, twice in each lane. */
HLMI_INLINE __m256i signed_scales(const int8_t *p)
{
    const __m256i one = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
    return _mm256_blend_epi16(one, _mm256_slli_epi32(one, 16), 0xAA);
}

/* sum += scale * dot of sub-block s. */
HLMI_INLINE void sub_k4t(int T, sums sum, const hlmi_unit_k4t *u, size_t s, const char *x, size_t ldx)
{
    __m256i sc[R];
    HLMI_UNROLL
    for (size_t r = 0; r < R; r++) sc[r] = signed_scales(u->sc[s] + r * 8);
    HLMI_ROLLED
    for (size_t c = 0; c < 4; c++) {
        __m256i w0[R], w1[R];
        HLMI_UNROLL
        for (size_t r = 0; r < R; r++)
            hlmi_avx2_look_up(&w0[r], &w1[r], _mm256_load_si256((const __m256i *)u->q[s][c][r * 8]));
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const int8_t *a = token(x, ldx, t)->q + s * 32 + c * 8;
            const __m256i a0 = four_bytes(a), a1 = four_bytes(a + 4);
            HLMI_UNROLL
            for (size_t r = 0; r < R; r++) {
                const __m256i p0 = _mm256_maddubs_epi16(_mm256_abs_epi8(w0[r]), _mm256_sign_epi8(a0, w0[r]));
                const __m256i p1 = _mm256_maddubs_epi16(_mm256_abs_epi8(w1[r]), _mm256_sign_epi8(a1, w1[r]));
                const __m256i both = _mm256_add_epi32(_mm256_madd_epi16(p0, sc[r]), _mm256_madd_epi16(p1, sc[r]));
                sum[t][r] = _mm256_add_epi32(sum[t][r], both);
            }
        }
    }
}

/* sum += scale * dot of sub-block s of 16 columns, weights + 32. */
HLMI_INLINE void sub_k6(int T, sums sum, const hlmi_unit_k6 *u, size_t s, const char *x, size_t ldx)
{
    __m256i sc[R];
    HLMI_UNROLL
    for (size_t r = 0; r < R; r++) sc[r] = signed_scales(u->sc[s] + r * 8);
    HLMI_UNROLL
    for (size_t c = 0; c < 4; c += 2) {
        __m256i w0[R], w1[R];
        HLMI_UNROLL
        for (size_t r = 0; r < R; r++) {
            w0[r] = _mm256_add_epi8(_mm256_load_si256((const __m256i *)u->q[s][c][r * 8]), _mm256_set1_epi8(32));
            w1[r] = _mm256_add_epi8(_mm256_load_si256((const __m256i *)u->q[s][c + 1][r * 8]), _mm256_set1_epi8(32));
        }
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const int8_t *a = token(x, ldx, t)->q + s * 16 + c * 4;
            const __m256i a0 = four_bytes(a), a1 = four_bytes(a + 4);
            HLMI_UNROLL
            for (size_t r = 0; r < R; r++) {
                const __m256i p = _mm256_add_epi16(_mm256_maddubs_epi16(w0[r], a0), _mm256_maddubs_epi16(w1[r], a1));
                sum[t][r] = _mm256_add_epi32(sum[t][r], _mm256_madd_epi16(p, sc[r]));
            }
        }
    }
}

/* sum = -32 * the sum of scale * sum(a) over the sub-blocks, two at a time. */
HLMI_INLINE void offsets(int T, sums sum, const hlmi_unit_k6 *u, const char *x, size_t ldx)
{
    HLMI_ROLLED
    for (size_t s = 0; s < 16; s += 2) {
        HLMI_UNROLL
        for (size_t r = 0; r < R; r++) {
            const __m128i even = _mm_loadl_epi64((const __m128i *)(const void *)(u->sc[s] + r * 8));
            const __m128i odd = _mm_loadl_epi64((const __m128i *)(const void *)(u->sc[s + 1] + r * 8));
            const __m256i pair = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(even, odd));
            HLMI_UNROLL
            for (int t = 0; t < T; t++) {
                const __m256i p = _mm256_madd_epi16(pair, two_sums(token(x, ldx, t)->sum16 + s));
                sum[t][r] = s == 0 ? p : _mm256_add_epi32(sum[t][r], p);
            }
        }
    }
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        HLMI_UNROLL
        for (size_t r = 0; r < R; r++)
            sum[t][r] = _mm256_slli_epi32(_mm256_sub_epi32(_mm256_setzero_si256(), sum[t][r]), 5);
    }
}

HLMI_INLINE size_t unit_bytes(form f)
{
    return f == K4T ? sizeof(hlmi_unit_k4t)
        : f == K4   ? sizeof(hlmi_unit_k4)
        : f == K5   ? sizeof(hlmi_unit_k5)
                    : sizeof(hlmi_unit_k6);
}

HLMI_INLINE void micro(form f, int T, const hlmi_slab *b, const char *x, float *y)
{
    const size_t subs = f == K6 ? 16 : 8, lines = f == K5 ? 6 : 5;
    tile acc;
    tile_begin(T, R, acc, b, y);
    const char *unit = b->w;
    for (size_t i = 0; i < b->units; i++, unit += unit_bytes(f), x += sizeof(hlmi_act_q8k)) {
        const hlmi_unit_k4 *u4 = (const hlmi_unit_k4 *)unit;
        const hlmi_unit_k6 *u6 = (const hlmi_unit_k6 *)unit;
        const float *da = &((const hlmi_act_q8k *)x)->d;
        sums sum;
        if (f == K6) offsets(T, sum, u6, x, b->ldx);
        else zeros(T, sum);
        for (size_t s = 0; s < subs; s++) {
            if (T == 1) {
                HLMI_UNROLL
                for (size_t p = 0; p < lines; p++) _mm_prefetch(unit + 6144 + (s * lines + p) * 64, _MM_HINT_T0);
            }
            if (f == K6) sub_k6(T, sum, u6, s, x, b->ldx);
            else if (f == K4T) sub_k4t(T, sum, (const hlmi_unit_k4t *)unit, s, x, b->ldx);
            else sub_k4(f, T, sum, u4, s, x, b->ldx);
        }
        tile_add(T, R, acc, sum, u4->d, false, da, b->ldx); /* of all at the same place */
        if (f == K4 || f == K5) {
            minimums(T, sum, u4, x, b->ldx);
            tile_add(T, R, acc, sum, u4->dmin, true, da, b->ldx);
        }
    }
    tile_end(T, R, acc, b, y);
}

#define MICRO_k4(T, x, y) micro(K4, T, b, x, y)
#define MICRO_k5(T, x, y) micro(K5, T, b, x, y)
#define MICRO_k4t(T, x, y) micro(K4T, T, b, x, y)
#define MICRO_k6(T, x, y) micro(K6, T, b, x, y)

#define FORM(name, f)                                                                                    \
  HLMI_PRODUCT(name, MICRO_##name(1, b->x, b->y), HLMI_MANY(TOKENS, MICRO_##name), HLMI_LAYOUT_##f, 256, \
               sizeof(hlmi_unit_##name), sizeof(hlmi_act_q8k), 4, TOKENS)
FORM(k4, K4)
FORM(k5, K5)
FORM(k4t, K4T)
FORM(k6, K6)

void hlmi_avx2_gemm_k(hlmi_kernels *k)
{
    k->gemm[HLMI_LAYOUT_K4] = gemm_k4;
    k->gemm[HLMI_LAYOUT_K5] = gemm_k5;
    k->gemm[HLMI_LAYOUT_K4T] = gemm_k4t;
    k->gemm[HLMI_LAYOUT_K6] = gemm_k6;
}
