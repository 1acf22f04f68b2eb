/* The matrix products and packing of this folder. What is not here stays AVX2's. */
#include "kernel/avx512/avx512.h"
#include "kernel/isa.h"

void hlmi_kernels_avx512(hlmi_kernels *k, unsigned cpu)
{
    const bool vnni = (cpu & HLMI_CPU_VNNI) != 0;
    k->gemm_f32[HLMI_LAYOUT_F32] = hlmi_avx512_gemm_f32;
    k->gemm_f32[HLMI_LAYOUT_F16] = hlmi_avx512_gemm_f16;
    k->gemm_f32[HLMI_LAYOUT_BF16] = hlmi_avx512_gemm_bf16;

    k->gemm[HLMI_LAYOUT_F32] = hlmi_avx512_gemm_f32;
    k->gemm[HLMI_LAYOUT_F16] = hlmi_avx512_gemm_f16;
    k->gemm[HLMI_LAYOUT_BF16] =
        k->act[HLMI_LAYOUT_BF16] == HLMI_ACT_BF16 ? hlmi_avx512_gemm_bf16_dot : hlmi_avx512_gemm_bf16;
    k->gemm[HLMI_LAYOUT_Q4] = vnni ? hlmi_vnni_gemm_q4 : hlmi_avx512_gemm_q4;
    k->gemm[HLMI_LAYOUT_Q4M] = vnni ? hlmi_vnni_gemm_q4m : hlmi_avx512_gemm_q4m;
    k->gemm[HLMI_LAYOUT_Q5M] = vnni ? hlmi_vnni_gemm_q5m : hlmi_avx512_gemm_q5m;
    if (vnni && k->act[HLMI_LAYOUT_Q8] == HLMI_ACT_Q8) k->gemm[HLMI_LAYOUT_Q8] = hlmi_vnni_gemm_q8;
    k->gemm[HLMI_LAYOUT_K4] = vnni ? hlmi_vnni_gemm_k4 : hlmi_avx512_gemm_k4;
    k->gemm[HLMI_LAYOUT_K6] = vnni ? hlmi_vnni_gemm_k6 : hlmi_avx512_gemm_k6;
    k->pack[HLMI_ACT_BF16] = hlmi_avx512_pack_bf16;
}
