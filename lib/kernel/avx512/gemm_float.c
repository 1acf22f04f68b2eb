/* F32, F16 and BF16 on f32 activations: weights become f32 as they are loaded. */
#include "kernel/avx512/avx512.h"

typedef enum form { F32, F16, BF16 } form;

enum { TOKENS = 8, LANES = 32, ROWS = 2 };

/* Column k of row vector r; w points at column 0 (BF16: k counts from an even column). */
HLMI_INLINE __m512 weights(form f, const char *w, size_t k, size_t r)
{
    if (f == F32) return _mm512_load_ps((const float *)(const void *)w + k * LANES + r * 16);
    if (f == F16) return hlmi_avx512_half((const uint16_t *)(const void *)w + k * LANES + r * 16);
    const __m512i pair = _mm512_load_si512((const uint32_t *)(const void *)w + k / 2 * LANES + r * 16);
    const __m512i odd = _mm512_and_si512(pair, _mm512_set1_epi32((int)0xFFFF0000));
    return _mm512_castsi512_ps(k % 2 ? odd : _mm512_slli_epi32(pair, 16));
}

/* Bytes of a column, all rows. */
HLMI_INLINE size_t column(form f)
{
    return f == F32 ? 4 * LANES : 2 * LANES;
}

HLMI_INLINE void add_column(form f, int T, __m512 acc[HLMI_AVX512_T][HLMI_AVX512_R], const char *w, const char *x,
                            size_t ldx, size_t k)
{
    __m512 v[ROWS];
    HLMI_UNROLL
    for (size_t r = 0; r < ROWS; r++) v[r] = weights(f, w, k, r);
    HLMI_UNROLL
    for (int t = 0; t < T; t++) {
        const __m512 a = _mm512_set1_ps(((const float *)(const void *)(x + (size_t)t * ldx))[k]);
        HLMI_UNROLL
        for (size_t r = 0; r < ROWS; r++) acc[t][r] = _mm512_fmadd_ps(v[r], a, acc[t][r]);
    }
}

/* b->units columns. */
HLMI_INLINE void micro(form f, int T, const hlmi_slab *b, const char *x, float *y)
{
    __m512 acc[HLMI_AVX512_T][HLMI_AVX512_R];
    hlmi_avx512_begin(T, ROWS, acc, b, y);
    const char *w = b->w;
    size_t k = 0;
    for (; k + 2 <= b->units; k += 2, w += 2 * column(f), x += 2 * sizeof(float)) {
        if (T == 1) {
            HLMI_UNROLL
            for (size_t i = 0; i < 2 * column(f); i += 64) _mm_prefetch(w + 4096 + i, _MM_HINT_T0);
        }
        add_column(f, T, acc, w, x, b->ldx, 0);
        add_column(f, T, acc, w, x, b->ldx, 1);
    }
    if (k < b->units) add_column(f, T, acc, w, x, b->ldx, 0);
    hlmi_avx512_end(T, ROWS, acc, b, y);
}

#define MICRO(T, x, y) micro(f, T, b, x, y)

HLMI_INLINE void slab(form f, const hlmi_slab *b)
{
    HLMI_MANY(TOKENS, MICRO);
}

/* Units are columns; a slab has an even number of them (BF16 pairs), but an odd column at the end has no partner in
 * x. */
HLMI_INLINE void product(form f, const hlmi_gemm *g)
{
    const size_t group_bytes = (f == BF16 ? (g->cols + 1) / 2 * 2 : g->cols) * column(f);
    const size_t fit = HLMI_PANEL_BYTES / (g->ldx + 1) / TOKENS, panel = (fit ? fit : 1) * TOKENS;
    const size_t step = g->tokens == 1 ? g->cols : 256;
    for (size_t t = 0; t < g->tokens; t += panel) {
        const size_t tokens = g->tokens - t < panel ? g->tokens - t : panel;
        for (size_t i = 0; i < g->groups; i++) {
            for (size_t k = 0; k < g->cols; k += step) {
                const size_t n = g->cols - k < step ? g->cols - k : step;
                const hlmi_slab b = {(const char *)g->w + i * group_bytes + k * column(f),
                                     n,
                                     (const char *)g->x + t * g->ldx + k * sizeof(float),
                                     g->ldx,
                                     g->y + t * g->ldy + i * LANES,
                                     g->ldy,
                                     tokens,
                                     k == 0};
                slab(f, &b);
            }
        }
    }
}

#define PRODUCT(constant, name, ...)          \
  static void gemm_##name(const hlmi_gemm *g) \
  {                                           \
    product(constant, g);                     \
  }
HLMI_FLOAT_LAYOUTS(PRODUCT)

#define ENTRY(constant, name, ...) k->gemm_f32[HLMI_LAYOUT_##constant] = gemm_##name;

void hlmi_avx512_gemm_float(hlmi_kernels *k)
{
    HLMI_FLOAT_LAYOUTS(ENTRY)
    k->gemm[HLMI_LAYOUT_F32] = gemm_f32;
    k->gemm[HLMI_LAYOUT_F16] = gemm_f16;
    if (k->act[HLMI_LAYOUT_BF16] == HLMI_ACT_F32) k->gemm[HLMI_LAYOUT_BF16] = gemm_bf16;
}
