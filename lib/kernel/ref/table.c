/* The matrix products and packing of this folder. */
#include "kernel/isa.h"
#include "kernel/ref/ref.h"

#define GEMM_F32(constant, name, ...) k->gemm_f32[HLMI_LAYOUT_##constant] = hlmi_ref_gemm_f32_##name;
#define GEMM_FLOAT(constant, name, ...) k->gemm[HLMI_LAYOUT_##constant] = hlmi_ref_gemm_f32_##name;
#define GEMM(constant, name, ...) k->gemm[HLMI_LAYOUT_##constant] = hlmi_ref_gemm_##name;

void hlmi_kernels_ref(hlmi_kernels *k, bool bf16, bool vnni)
{
    HLMI_LAYOUTS(GEMM_F32)
    HLMI_FLOAT_LAYOUTS(GEMM_FLOAT)
    HLMI_UNIT_LAYOUTS(GEMM)
    if (bf16) k->gemm[HLMI_LAYOUT_BF16] = hlmi_ref_gemm_bf16;
    if (!vnni) k->gemm[HLMI_LAYOUT_Q8] = hlmi_ref_gemm_q8_q16;

    k->act[HLMI_LAYOUT_F32] = HLMI_ACT_F32;
    k->act[HLMI_LAYOUT_F16] = HLMI_ACT_F32;
    k->act[HLMI_LAYOUT_BF16] = bf16 ? HLMI_ACT_BF16 : HLMI_ACT_F32;
    k->act[HLMI_LAYOUT_Q4] = HLMI_ACT_Q8;
    k->act[HLMI_LAYOUT_Q4M] = HLMI_ACT_Q8;
    k->act[HLMI_LAYOUT_Q5M] = HLMI_ACT_Q8;
    k->act[HLMI_LAYOUT_Q8] = vnni ? HLMI_ACT_Q8 : HLMI_ACT_Q16;
    k->act[HLMI_LAYOUT_K4] = HLMI_ACT_Q8K;
    k->act[HLMI_LAYOUT_K6] = HLMI_ACT_Q8K;

    k->pack[HLMI_ACT_F32] = NULL;
    k->pack[HLMI_ACT_BF16] = hlmi_ref_pack_bf16;
    k->pack[HLMI_ACT_Q8] = hlmi_ref_pack_q8;
    k->pack[HLMI_ACT_Q8K] = hlmi_ref_pack_q8k;
    k->pack[HLMI_ACT_Q16] = hlmi_ref_pack_q16;
    k->pack_wide[HLMI_ACT_Q8] = hlmi_ref_pack_q8_wide;
    k->pack_wide[HLMI_ACT_Q8K] = hlmi_ref_pack_q8k_wide;
}
