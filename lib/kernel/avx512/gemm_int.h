/* Products of quantised layouts on int8 activations, written once over a dot of 4 columns. The including file says what
 * that is:
 *   dot(acc, w, a)         acc + dots of bytes, 0 <= w < 64, or w < 256 for FUNCTION(q8) and (k4t), which only such a
 *                          file instantiates
 *   CHUNKS                 HLMI_UNROLL or HLMI_ROLLED, for the chunks of a block */
#include "kernel/act.h"
#include "kernel/avx512/avx512.h"
#include "quant/unit.h"

typedef enum form { Q4, Q4M, Q5M, Q8, K4, K5, K4T, K6 } form;

/* rows: of vectors in a group of 32; TOKENS x 2 accumulators in 32 bits and as many in f32 fill the registers */
enum { TOKENS = 6, ROWS = 2 };

HLMI_INLINE size_t unit_bytes(form f)
{
    if (f == Q8) return sizeof(hlmi_unit_q8);
    return f == Q4 ? sizeof(hlmi_unit_q4) : f == Q4M ? sizeof(hlmi_unit_q4m) : sizeof(hlmi_unit_q5m);
}

/* Weights of columns 8c..8c+3 and 8c+4..8c+7 of row vector r. */
HLMI_INLINE void load_weights(form f, __m512i *w0, __m512i *w1, const char *unit, int c, int r)
{
    if (f == Q8) {
        const hlmi_unit_q8 *u = (const hlmi_unit_q8 *)unit;
        const __m512i offset = _mm512_set1_epi8(-128); /* w + 128, unsigned */
        *w0 = _mm512_xor_si512(_mm512_load_si512(u->q[2 * c][r * 16]), offset);
        *w1 = _mm512_xor_si512(_mm512_load_si512(u->q[2 * c + 1][r * 16]), offset);
        return;
    }
    const __m512i low = _mm512_set1_epi8(15);
    const __m512i both = _mm512_load_si512(unit + (f == Q4 ? 64 : 128) + c * 128 + r * 64);
    *w0 = _mm512_and_si512(both, low);
    *w1 = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
    if (f == Q5M) add_fifth(w0, w1, ((const hlmi_unit_q5m *)unit)->high + r * 16, (size_t)c);
}

HLMI_INLINE const hlmi_act_q8 *block_of(const char *x, size_t ldx, int t)
{
    return (const hlmi_act_q8 *)(x + (size_t)t * ldx);
}

HLMI_INLINE void dots(form f, int T, sums sum, const char *unit, const char *x, size_t ldx)
{
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        const hlmi_act_q8 *a = block_of(x, ldx, t);
        HLMI_UNROLL
        for (int r = 0; r < ROWS; r++)
            sum[t][r] = f == Q8 ? _mm512_set1_epi32(a->sum128)
                : f == Q4       ? _mm512_set1_epi32(a->sum8)
                                : _mm512_setzero_si512();
    }
    CHUNKS
    for (int c = 0; c < 4; c++) {
        __m512i w0[ROWS], w1[ROWS];
        HLMI_UNROLL
        for (int r = 0; r < ROWS; r++) load_weights(f, &w0[r], &w1[r], unit, c, r);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const int8_t *q = block_of(x, ldx, t)->q + c * 8;
            const __m512i a0 = four_bytes(q), a1 = four_bytes(q + 4);
            HLMI_UNROLL
            for (int r = 0; r < ROWS; r++) {
                sum[t][r] = dot(dot(sum[t][r], w0[r], a0), w1[r], a1);
            }
        }
    }
}

HLMI_INLINE void micro(form f, int T, const hlmi_slab *b, const char *x, float *y)
{
    tile acc;
    tile_begin(T, ROWS, acc, b, y);
    const char *unit = b->w;
    for (size_t u = 0; u < b->units; u++, unit += unit_bytes(f), x += sizeof(hlmi_act_q8)) {
        if (T == 1) {
            HLMI_UNROLL
            for (size_t i = 0; i < unit_bytes(f); i += 64) _mm_prefetch(unit + 4096 + i, _MM_HINT_T0);
        }
        sums sum;
        dots(f, T, sum, unit, x, b->ldx);
        HLMI_UNROLL
        for (int r = 0; r < ROWS; r++) {
            const uint16_t *d = (const uint16_t *)(const void *)unit + r * 16;
            const __m512 dw = vf_load_f16(d), m = f == Q4M || f == Q5M ? vf_load_f16(d + 32) : dw;
            HLMI_UNROLL
            for (int t = 0; t < T; t++) {
                const hlmi_act_q8 *a = block_of(x, b->ldx, t);
                const __m512 scale = _mm512_mul_ps(dw, _mm512_set1_ps(a->d));
                acc[t][r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[t][r]), scale, acc[t][r]);
                if (f == Q4M || f == Q5M) acc[t][r] = _mm512_fmadd_ps(m, _mm512_set1_ps(a->dsum), acc[t][r]);
            }
        }
    }
    tile_end(T, ROWS, acc, b, y);
}

/* ---- superblocks ---- */

HLMI_INLINE const hlmi_act_q8k *super_of(const char *x, size_t ldx, int t)
{
    return (const hlmi_act_q8k *)(x + (size_t)t * ldx);
}

HLMI_INLINE size_t super_bytes(form f)
{
    return f == K4T ? sizeof(hlmi_unit_k4t)
        : f == K4   ? sizeof(hlmi_unit_k4)
        : f == K5   ? sizeof(hlmi_unit_k5)
                    : sizeof(hlmi_unit_k6);
}

/* What one token needs some units from here, in shares of a sub-block: all at once would be more than a core has under
 * way. */
HLMI_INLINE void ahead(form f, int T, const void *unit, int s)
{
    const size_t subs = f == K6 ? 16 : 8, lines = (super_bytes(f) / 64 + subs - 1) / subs;
    if (T > 1) return;
    HLMI_UNROLL
    for (size_t p = 0; p < lines; p++)
        _mm_prefetch((const char *)unit + 6144 + ((size_t)s * lines + p) * 64, _MM_HINT_T0);
}

HLMI_INLINE __m512i bytes16(const uint8_t *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
}

HLMI_INLINE __m512i signed16(const int8_t *p)
{
    return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
}

/* One superblock of 16 rows: the sums of scale * dot, and of minimum * sum(a). */
HLMI_INLINE void dots_k4(form f, int T, sums sum, sums minimum, const hlmi_unit_k4 *u, const char *x, size_t ldx)
{
    const __m512i low = _mm512_set1_epi8(15);
    HLMI_UNROLL
    for (int t = 0; t < T; t++) sum[t][0] = minimum[t][0] = _mm512_setzero_si512();
    HLMI_ROLLED
    for (int s = 0; s < 8; s++) {
        ahead(f, T, u, s);
        __m512i part[MOST_TOKENS];
        HLMI_UNROLL
        for (int t = 0; t < T; t++) part[t] = _mm512_setzero_si512();
        HLMI_UNROLL
        for (int c = 0; c < 4; c++) {
            const __m512i both = _mm512_load_si512(u->q[s][c]);
            __m512i w0 = _mm512_and_si512(both, low), w1 = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
            if (f == K5) add_fifth(&w0, &w1, ((const hlmi_unit_k5 *)u)->high[s], (size_t)c);
            HLMI_UNROLL
            for (int t = 0; t < T; t++) {
                const int8_t *q = super_of(x, ldx, t)->q + s * 32 + c * 8;
                part[t] = dot(part[t], w0, four_bytes(q));
                part[t] = dot(part[t], w1, four_bytes(q + 4));
            }
        }
        const __m512i sc = bytes16(u->sc[s]), mn = bytes16(u->mn[s]);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const __m512i a = _mm512_set1_epi32(super_of(x, ldx, t)->sum32[s]);
            sum[t][0] = _mm512_add_epi32(sum[t][0], _mm512_mullo_epi32(part[t], sc));
            minimum[t][0] = _mm512_add_epi32(minimum[t][0], _mm512_madd_epi16(mn, a)); /* mn has 0 in its upper half */
        }
    }
}

/* One superblock of 16 rows: the sum of scale * (dot of values + 128, less 128 * sum(a)). */
HLMI_INLINE void dots_k4t(int T, sums sum, const hlmi_unit_k4t *u, const char *x, size_t ldx)
{
    const __m512i low = _mm512_set1_epi8(15);
    const __m128i table = _mm_loadu_si128((const __m128i *)(const void *)hlmi_k4t_values);
    const __m512i values = _mm512_broadcast_i32x4(_mm_xor_si128(table, _mm_set1_epi8(-128)));
    HLMI_UNROLL
    for (int t = 0; t < T; t++) sum[t][0] = _mm512_setzero_si512();
    HLMI_ROLLED
    for (int s = 0; s < 8; s++) {
        ahead(K4T, T, u, s);
        __m512i part[MOST_TOKENS];
        HLMI_UNROLL
        for (int t = 0; t < T; t++) part[t] = _mm512_set1_epi32(super_of(x, ldx, t)->sum32[s] * -128);
        HLMI_UNROLL
        for (int c = 0; c < 4; c++) {
            const __m512i both = _mm512_load_si512(u->q[s][c]);
            const __m512i w0 = _mm512_shuffle_epi8(values, _mm512_and_si512(both, low));
            const __m512i w1 = _mm512_shuffle_epi8(values, _mm512_and_si512(_mm512_srli_epi16(both, 4), low));
            HLMI_UNROLL
            for (int t = 0; t < T; t++) {
                const int8_t *q = super_of(x, ldx, t)->q + s * 32 + c * 8;
                part[t] = dot(dot(part[t], w0, four_bytes(q)), w1, four_bytes(q + 4));
            }
        }
        const __m512i sc = signed16(u->sc[s]);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) sum[t][0] = _mm512_add_epi32(sum[t][0], _mm512_mullo_epi32(part[t], sc));
    }
}

/* One superblock of 16 rows: the sum of scale * (dot of weights + 32, less 32 * sum(a)). */
HLMI_INLINE void dots_k6(int T, sums sum, const hlmi_unit_k6 *u, const char *x, size_t ldx)
{
    const __m512i offset = _mm512_set1_epi8(32);
    HLMI_UNROLL
    for (int t = 0; t < T; t++) sum[t][0] = _mm512_setzero_si512();
    HLMI_ROLLED
    for (int s = 0; s < 16; s++) {
        ahead(K6, T, u, s);
        __m512i part[MOST_TOKENS];
        HLMI_UNROLL
        for (int t = 0; t < T; t++) part[t] = _mm512_set1_epi32(super_of(x, ldx, t)->sum16[s] * -32);
        HLMI_UNROLL
        for (int c = 0; c < 4; c++) {
            const __m512i w = _mm512_add_epi8(_mm512_load_si512(u->q[s][c]), offset);
            HLMI_UNROLL
            for (int t = 0; t < T; t++) part[t] = dot(part[t], w, four_bytes(super_of(x, ldx, t)->q + s * 16 + c * 4));
        }
        const __m512i sc = signed16(u->sc[s]);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) sum[t][0] = _mm512_add_epi32(sum[t][0], _mm512_mullo_epi32(part[t], sc));
    }
}

HLMI_INLINE void micro_k(form f, int T, const hlmi_slab *b, const char *x, float *y)
{
    tile acc;
    tile_begin(T, 1, acc, b, y);
    const char *unit = b->w;
    for (size_t i = 0; i < b->units; i++, unit += super_bytes(f), x += sizeof(hlmi_act_q8k)) {
        const hlmi_unit_k4 *u = (const hlmi_unit_k4 *)unit;
        const float *da = &((const hlmi_act_q8k *)x)->d;
        sums sum, minimum;
        if (f == K6) dots_k6(T, sum, (const hlmi_unit_k6 *)unit, x, b->ldx);
        else if (f == K4T) dots_k4t(T, sum, (const hlmi_unit_k4t *)unit, x, b->ldx);
        else dots_k4(f, T, sum, minimum, u, x, b->ldx);
        tile_add(T, 1, acc, sum, u->d, false, da, b->ldx); /* of all at the same place */
        if (f == K4 || f == K5) tile_add(T, 1, acc, minimum, u->dmin, true, da, b->ldx);
    }
    tile_end(T, 1, acc, b, y);
}

/* ---- the functions ---- */

#define FUNCTION(name, f, unit_k, act, slab)                                                                \
  HLMI_PRODUCT(name, MICRO_##name(1, b->x, b->y), HLMI_MANY(TOKENS, MICRO_##name), HLMI_LAYOUT_##f, unit_k, \
               sizeof(hlmi_unit_##name), sizeof(hlmi_act_##act), slab, TOKENS)

#define MICRO_q4(T, x, y) micro(Q4, T, b, x, y)
#define MICRO_q4m(T, x, y) micro(Q4M, T, b, x, y)
#define MICRO_q5m(T, x, y) micro(Q5M, T, b, x, y)
#define MICRO_q8(T, x, y) micro(Q8, T, b, x, y)
#define MICRO_k4(T, x, y) micro_k(K4, T, b, x, y)
#define MICRO_k5(T, x, y) micro_k(K5, T, b, x, y)
#define MICRO_k4t(T, x, y) micro_k(K4T, T, b, x, y)
#define MICRO_k6(T, x, y) micro_k(K6, T, b, x, y)

FUNCTION(q4, Q4, 32, q8, 16)
FUNCTION(q4m, Q4M, 32, q8, 16)
FUNCTION(q5m, Q5M, 32, q8, 16)
FUNCTION(k4, K4, 256, q8k, 4)
FUNCTION(k5, K5, 256, q8k, 4)
FUNCTION(k6, K6, 256, q8k, 4)

/* All but Q8 and K4T. */
HLMI_INLINE void fill_gemm(hlmi_kernels *k)
{
    k->gemm[HLMI_LAYOUT_Q4] = gemm_q4;
    k->gemm[HLMI_LAYOUT_Q4M] = gemm_q4m;
    k->gemm[HLMI_LAYOUT_Q5M] = gemm_q5m;
    k->gemm[HLMI_LAYOUT_K4] = gemm_k4;
    k->gemm[HLMI_LAYOUT_K5] = gemm_k5;
    k->gemm[HLMI_LAYOUT_K6] = gemm_k6;
}
