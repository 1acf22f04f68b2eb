/* Packing to bf16 (act.h), in integers: the instruction for it would flush subnormals. */
#include "base/half.h"
#include "kernel/avx512/avx512.h"

/* 16 floats, nearest even; NaN stays NaN. */
HLMI_INLINE __m256i round16(const float *x)
{
    const __m512i u = _mm512_loadu_si512(x), top = _mm512_srli_epi32(u, 16);
    const __m512i even = _mm512_and_si512(top, _mm512_set1_epi32(1));
    const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7FFF)), even);
    const __m512i size = _mm512_and_si512(u, _mm512_set1_epi32(0x7FFFFFFF));
    const __mmask16 nan = _mm512_cmpgt_epi32_mask(size, _mm512_set1_epi32(0x7F800000));
    const __m512i quiet = _mm512_or_si512(top, _mm512_set1_epi32(0x40));
    return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(_mm512_srli_epi32(sum, 16), nan, quiet));
}

void hlmi_avx512_pack_bf16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols)
{
    for (size_t t = 0; t < n; t++) {
        uint16_t *q = (uint16_t *)(void *)((char *)dst + t * stride);
        const float *row = x + t * ldx;
        size_t k = 0;
        for (; k + 16 <= cols; k += 16) _mm256_storeu_si256((__m256i *)(void *)(q + k), round16(row + k));
        for (; k < cols; k++) q[k] = hlmi_f32_to_bf16(row[k]);
        if (cols % 2) q[cols] = 0;
    }
}
