/* Quantised products with VNNI: vpdpbusd adds the dot of 4 unsigned and 4 signed bytes. */
#include "kernel/act.h"
#include "kernel/avx512/avx512.h"

#define NAME(x) hlmi_vnni_gemm_##x
#define CHUNKS HLMI_UNROLL

HLMI_INLINE __m512i dot(__m512i acc, __m512i w, __m512i a)
{
    return _mm512_dpbusd_epi32(acc, w, a);
}

/* w + 128, unsigned */
HLMI_INLINE __m512i weights_q8(__m512i w)
{
    return _mm512_xor_si512(w, _mm512_set1_epi8(-128));
}

HLMI_INLINE __m512i dot_q8(__m512i acc, __m512i w, __m512i a)
{
    return _mm512_dpbusd_epi32(acc, w, a);
}

HLMI_INLINE __m512i start_q8(const hlmi_act_q8 *a)
{
    return _mm512_set1_epi32(a->sum128);
}

#include "kernel/avx512/gemm_int.h"
