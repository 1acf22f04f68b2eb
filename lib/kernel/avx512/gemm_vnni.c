/* Quantised products with VNNI: vpdpbusd adds the dot of 4 unsigned and 4 signed bytes. */
#include "kernel/act.h"
#include "kernel/avx512/avx512.h"

#define NAME(x) hlmi_vnni_gemm_##x
#define CHUNKS HLMI_UNROLL

HLMI_INLINE __m512i dot(__m512i acc, __m512i w, __m512i a)
{
    return _mm512_dpbusd_epi32(acc, w, a);
}

#include "kernel/avx512/gemm_int.h"

FUNCTION(q8, 32, 32, hlmi_act_q8, 16)
