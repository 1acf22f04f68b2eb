/* Quantised products on CPUs without VNNI. */
#include "kernel/act.h"
#include "kernel/avx512/avx512.h"

#define CHUNKS HLMI_ROLLED

/* a pair of products is at most 2 * 63 * 127 */
HLMI_INLINE __m512i dot(__m512i acc, __m512i w, __m512i a)
{
    return _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_maddubs_epi16(w, a), _mm512_set1_epi16(1)));
}

#include "kernel/avx512/gemm_int.h"

void hlmi_avx512_gemm_bw(hlmi_kernels *k)
{
    fill_gemm(k);
}
