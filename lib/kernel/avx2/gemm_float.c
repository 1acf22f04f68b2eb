/* F32, F16 and BF16 on f32 activations, and the quantised layouts expanded to f32 for it. One micro-tile for all:
 * weights become f32 as they are loaded. */
#include "base/half.h"
#include "kernel/avx2/avx2.h"
#include "quant/unit.h"
#include "kernel/walk.h"

typedef enum form { F32, F16, BF16 } form;

enum { TOKENS = 6, LANES = 32 };

/* Column k of 8 rows of a group of `lanes` rows; w points at column 0 (BF16: k counts from an even column). */
HLMI_INLINE __m256 weights(form f, const char *w, size_t lanes, size_t k, size_t row)
{
    if (f == F32) return _mm256_load_ps((const float *)w + k * lanes + row);
    if (f == F16) return hlmi_avx2_half((const uint16_t *)w + k * lanes + row);
    const __m256i pair = _mm256_load_si256((const __m256i *)(const void *)((const uint32_t *)w + k / 2 * lanes + row));
    /* two shifts rather than a mask, whose register the sums need */
    return _mm256_castsi256_ps(_mm256_slli_epi32(k % 2 ? _mm256_srli_epi32(pair, 16) : pair, 16));
}

/* Bytes of a column, all rows. */
HLMI_INLINE size_t column(form f, size_t lanes)
{
    return lanes * (f == F32 ? 4 : 2);
}

/* n columns of R row vectors from row r0, T tokens. */
HLMI_INLINE void micro(form f, int T, int R, size_t lanes, size_t n, const hlmi_slab *b, size_t r0, const char *x,
                       float *y)
{
    __m256 acc[HLMI_AVX2_T][HLMI_AVX2_R];
    hlmi_avx2_begin(T, R, acc, b, y + r0);
    const char *w = b->w;
    size_t k = 0;
    for (; k + 2 <= n; k += 2, w += 2 * column(f, lanes), x += 2 * sizeof(float)) {
        if (T == 1) {
            HLMI_UNROLL
            for (size_t i = 0; i < 2 * column(f, lanes); i += 64) _mm_prefetch(w + 4096 + i, _MM_HINT_T0);
        }
        HLMI_UNROLL
        for (size_t i = 0; i < 2; i++) {
            __m256 v[HLMI_AVX2_R];
            HLMI_UNROLL
            for (int r = 0; r < R; r++) v[r] = weights(f, w, lanes, i, r0 + (size_t)r * 8);
            HLMI_UNROLL
            for (int t = 0; t < T; t++) {
                const __m256 a = _mm256_broadcast_ss((const float *)(x + (size_t)t * b->ldx) + i);
                HLMI_UNROLL
                for (int r = 0; r < R; r++) acc[t][r] = _mm256_fmadd_ps(v[r], a, acc[t][r]);
            }
            /* the second column of a BF16 pair is loaded again: kept, the pair would push sums out of the registers */
            if (f == BF16) __asm__ volatile("" : : : "memory");
        }
    }
    if (k < n) {
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const __m256 a = _mm256_broadcast_ss((const float *)(x + (size_t)t * b->ldx));
            HLMI_UNROLL
            for (int r = 0; r < R; r++)
                acc[t][r] = _mm256_fmadd_ps(weights(f, w, lanes, 0, r0 + (size_t)r * 8), a, acc[t][r]);
        }
    }
    hlmi_avx2_end(T, R, acc, b, y + r0);
}

#define MICRO(T, x, y) micro(f, T, 2, lanes, n, b, r0, x, y)

HLMI_INLINE void many(form f, size_t lanes, size_t n, const hlmi_slab *b)
{
    for (size_t r0 = 0; r0 < lanes; r0 += 16) HLMI_MANY(TOKENS, MICRO);
}

void hlmi_avx2_slab_f32(const hlmi_slab *b, size_t lanes)
{
    many(F32, lanes, b->units, b);
}

/* Units are columns here, except that a BF16 unit is one of an even number of columns; the odd column at the end has no
 * partner in x, so slabs are cut by columns and this file walks itself. */
HLMI_INLINE void product(form f, const hlmi_gemm *g)
{
    const size_t group_bytes = (f == BF16 ? (g->cols + 1) / 2 * 2 : g->cols) * column(f, LANES);
    const size_t fit = HLMI_PANEL_BYTES / (g->ldx + 1) / TOKENS, panel = (fit ? fit : 1) * TOKENS;
    const size_t step = g->tokens == 1 ? g->cols : 256;
    for (size_t t = 0; t < g->tokens; t += panel) {
        const size_t tokens = g->tokens - t < panel ? g->tokens - t : panel;
        for (size_t i = 0; i < g->groups; i++) {
            for (size_t k = 0; k < g->cols; k += step) {
                const size_t n = g->cols - k < step ? g->cols - k : step;
                const hlmi_slab b = {(const char *)g->w + i * group_bytes + k * column(f, LANES),
                                     n,
                                     (const char *)g->x + t * g->ldx + k * sizeof(float),
                                     g->ldx,
                                     g->y + t * g->ldy + i * LANES,
                                     g->ldy,
                                     tokens,
                                     k == 0};
                if (g->tokens == 1) micro(f, 1, 4, LANES, n, &b, 0, b.x, b.y);
                else many(f, LANES, n, &b);
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

void hlmi_avx2_gemm_float(hlmi_kernels *k)
{
    HLMI_FLOAT_LAYOUTS(ENTRY)
    k->gemm[HLMI_LAYOUT_F32] = gemm_f32;
    k->gemm[HLMI_LAYOUT_F16] = gemm_f16;
    if (k->act[HLMI_LAYOUT_BF16] == HLMI_ACT_F32) k->gemm[HLMI_LAYOUT_BF16] = gemm_bf16;
}
