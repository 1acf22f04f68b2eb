/* The matrix products and packing of this folder. */
#include "kernel/avx2/avx2.h"
#include "kernel/isa.h"

void hlmi_kernels_avx2(hlmi_kernels *k)
{
    k->gemm_f32[HLMI_LAYOUT_F32] = hlmi_avx2_gemm_f32;
    k->gemm_f32[HLMI_LAYOUT_F16] = hlmi_avx2_gemm_f16;
    k->gemm_f32[HLMI_LAYOUT_BF16] = hlmi_avx2_gemm_bf16;
    k->gemm_f32[HLMI_LAYOUT_Q4] = hlmi_avx2_gemm_f32_q4;
    k->gemm_f32[HLMI_LAYOUT_Q4M] = hlmi_avx2_gemm_f32_q4m;
    k->gemm_f32[HLMI_LAYOUT_Q5M] = hlmi_avx2_gemm_f32_q5m;
    k->gemm_f32[HLMI_LAYOUT_Q8] = hlmi_avx2_gemm_f32_q8;
    k->gemm_f32[HLMI_LAYOUT_K4] = hlmi_avx2_gemm_f32_k4;
    k->gemm_f32[HLMI_LAYOUT_K6] = hlmi_avx2_gemm_f32_k6;

    k->gemm[HLMI_LAYOUT_F32] = hlmi_avx2_gemm_f32;
    k->gemm[HLMI_LAYOUT_F16] = hlmi_avx2_gemm_f16;
    if (k->act[HLMI_LAYOUT_BF16] == HLMI_ACT_F32) k->gemm[HLMI_LAYOUT_BF16] = hlmi_avx2_gemm_bf16;
    k->gemm[HLMI_LAYOUT_Q4] = hlmi_avx2_gemm_q4;
    k->gemm[HLMI_LAYOUT_Q4M] = hlmi_avx2_gemm_q4m;
    k->gemm[HLMI_LAYOUT_Q5M] = hlmi_avx2_gemm_q5m;
    if (k->act[HLMI_LAYOUT_Q8] == HLMI_ACT_Q16) k->gemm[HLMI_LAYOUT_Q8] = hlmi_avx2_gemm_q8;
    k->gemm[HLMI_LAYOUT_K4] = hlmi_avx2_gemm_k4;
    k->gemm[HLMI_LAYOUT_K6] = hlmi_avx2_gemm_k6;
    k->pack[HLMI_ACT_Q8] = hlmi_avx2_pack_q8;
    k->pack[HLMI_ACT_Q8K] = hlmi_avx2_pack_q8k;
    k->pack[HLMI_ACT_Q16] = hlmi_avx2_pack_q16;
    k->pack_wide[HLMI_ACT_Q8] = hlmi_avx2_pack_q8_wide;
    k->pack_wide[HLMI_ACT_Q8K] = hlmi_avx2_pack_q8k_wide;
}
