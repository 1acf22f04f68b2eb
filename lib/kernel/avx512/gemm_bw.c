/* Quantised products on CPUs without VNNI. */
#include "kernel/act.h"
#include "kernel/avx512/avx512.h"

#define NAME(x) hlmi_avx512_gemm_##x
#define CHUNKS HLMI_ROLLED

/* a pair of products is at most 2 * 63 * 127 */
HLMI_INLINE __m512i dot(__m512i acc, __m512i w, __m512i a)
{
    return _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_maddubs_epi16(w, a), _mm512_set1_epi16(1)));
}

HLMI_INLINE __m512i weights_q8(__m512i w)
{
    return w;
}

/* Pairs of bytes -128 would overflow 16 bits: odd and even bytes are widened. */
HLMI_INLINE __m512i dot_q8(__m512i acc, __m512i w, __m512i a)
{
    const __m512i odd = _mm512_madd_epi16(_mm512_srai_epi16(w, 8), _mm512_srai_epi16(a, 8));
    const __m512i even =
        _mm512_madd_epi16(_mm512_srai_epi16(_mm512_slli_epi16(w, 8), 8), _mm512_srai_epi16(_mm512_slli_epi16(a, 8), 8));
    return _mm512_add_epi32(acc, _mm512_add_epi32(odd, even));
}

HLMI_INLINE __m512i start_q8(const hlmi_act_q8 *a)
{
    (void)a;
    return _mm512_setzero_si512();
}

#include "kernel/avx512/gemm_int.h"
