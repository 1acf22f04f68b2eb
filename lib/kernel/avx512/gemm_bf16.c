/* BF16 on bf16 activations: vdpbf16ps adds the products of a pair of columns, the odd one first. */
#include "kernel/avx512/avx512.h"

enum { TOKENS = 8, LANES = 32, ROWS = 2, PAIR = LANES * 4 };

/* b->units pairs of columns. */
HLMI_INLINE void micro(int T, const hlmi_slab *b, const char *x, float *y)
{
    __m512 acc[HLMI_AVX512_T][HLMI_AVX512_R];
    hlmi_avx512_begin(T, ROWS, acc, b, y);
    const char *w = b->w;
    for (size_t k = 0; k < b->units; k++, w += PAIR, x += 4) {
        if (T == 1) {
            _mm_prefetch(w + 4096, _MM_HINT_T0);
            _mm_prefetch(w + 4096 + 64, _MM_HINT_T0);
        }
        const __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + 64);
        HLMI_UNROLL
        for (int t = 0; t < T; t++) {
            const __m512i a = hlmi_avx512_dword(x + (size_t)t * b->ldx);
            acc[t][0] = _mm512_dpbf16_ps(acc[t][0], (__m512bh)w0, (__m512bh)a);
            acc[t][1] = _mm512_dpbf16_ps(acc[t][1], (__m512bh)w1, (__m512bh)a);
        }
    }
    hlmi_avx512_end(T, ROWS, acc, b, y);
}

static void one(const hlmi_slab *b)
{
    micro(1, b, b->x, b->y);
}

#define MICRO(T, x, y) micro(T, b, x, y)

static void many(const hlmi_slab *b)
{
    HLMI_MANY(TOKENS, MICRO);
}

static void product(const hlmi_gemm *g)
{
    static const hlmi_walk walk = {LANES, 2, PAIR, 4, 128, TOKENS, one, many};
    hlmi_gemm even = *g;
    even.cols += g->cols % 2; /* both sides hold a 0 there */
    hlmi_walk_run(&walk, &even);
}

void hlmi_avx512_gemm_bf16(hlmi_kernels *k)
{
    k->gemm[HLMI_LAYOUT_BF16] = product;
}
