/* Quantised products with VNNI: vpdpbusd adds the dot of 4 unsigned and 4 signed bytes. */
#include "kernel/act.h"
#include "kernel/avx512/avx512.h"

#define CHUNKS HLMI_UNROLL

HLMI_INLINE __m512i dot(__m512i acc, __m512i w, __m512i a)
{
    return _mm512_dpbusd_epi32(acc, w, a);
}

#include "kernel/avx512/gemm_int.h"

FUNCTION(q8, Q8, 32, q8, 16)
FUNCTION(k4t, K4T, 256, q8k, 4)

void hlmi_avx512_gemm_vnni(hlmi_kernels *k)
{
    fill_gemm(k);
    k->gemm[HLMI_LAYOUT_K4T] = gemm_k4t;
    if (k->act[HLMI_LAYOUT_Q8] == HLMI_ACT_Q8) k->gemm[HLMI_LAYOUT_Q8] = gemm_q8;
}
