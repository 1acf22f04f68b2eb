/* BF16 on bf16 activations: vdpbf16ps adds the products of a pair of columns, the odd one first. */
#include "kernel/avx512/avx512.h"

enum { TOKENS = 8, ROWS = 2, PAIR = ROWS * VF * 4 };

/* b->units pairs of columns. */
HLMI_INLINE void micro(int T, const hlmi_slab *b, const char *x, float *y)
{
    tile acc;
    tile_begin(T, ROWS, acc, b, y);
    const char *w = b->w;
    for (size_t k = 0; k < b->units; k++, w += PAIR, x += 4) {
        if (T == 1) {
            _mm_prefetch(w + 4096, _MM_HINT_T0);
            _mm_prefetch(w + 4096 + 64, _MM_HINT_T0);
        }
        const __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + 64);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const __m512i a = four_bytes(x + (size_t)t * b->ldx);
            acc[t][0] = _mm512_dpbf16_ps(acc[t][0], (__m512bh)w0, (__m512bh)a);
            acc[t][1] = _mm512_dpbf16_ps(acc[t][1], (__m512bh)w1, (__m512bh)a);
        }
    }
    tile_end(T, ROWS, acc, b, y);
}

#define MICRO(T, x, y) micro(T, b, x, y)
HLMI_PRODUCT(even, micro(1, b, b->x, b->y), HLMI_MANY(TOKENS, MICRO), HLMI_LAYOUT_BF16, 2, PAIR, 4, 128, TOKENS)

static void gemm_bf16(const hlmi_gemm *g)
{
    hlmi_gemm even = *g;
    even.cols += g->cols % 2; /* both sides hold a 0 there */
    gemm_even(&even);
}

void hlmi_avx512_gemm_bf16(hlmi_kernels *k)
{
    k->gemm[HLMI_LAYOUT_BF16] = gemm_bf16;
}
