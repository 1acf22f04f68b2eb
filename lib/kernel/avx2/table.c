/* The matrix products and packing of this folder. */
#include "kernel/avx2/avx2.h"
#include "kernel/isa.h"

#define GEMM(constant, name, ...) k->gemm[HLMI_LAYOUT_##constant] = hlmi_avx2_gemm_##name;
#define GEMM_FLOAT(constant, name, ...) k->gemm_f32[HLMI_LAYOUT_##constant] = hlmi_avx2_gemm_##name;
#define GEMM_F32(constant, name, ...) k->gemm_f32[HLMI_LAYOUT_##constant] = hlmi_avx2_gemm_f32_##name;

void hlmi_kernels_avx2(hlmi_kernels *k)
{
    hlmi_gemm_fn *const bf16 = k->gemm[HLMI_LAYOUT_BF16], *const q8 = k->gemm[HLMI_LAYOUT_Q8];
    HLMI_FLOAT_LAYOUTS(GEMM_FLOAT)
    HLMI_LAYOUTS(GEMM)
    HLMI_UNIT_LAYOUTS(GEMM_F32)
    /* on other activations these two are not done here */
    if (k->act[HLMI_LAYOUT_BF16] != HLMI_ACT_F32) k->gemm[HLMI_LAYOUT_BF16] = bf16;
    if (k->act[HLMI_LAYOUT_Q8] != HLMI_ACT_Q16) k->gemm[HLMI_LAYOUT_Q8] = q8;
    k->pack[HLMI_ACT_Q8] = hlmi_avx2_pack_q8;
    k->pack[HLMI_ACT_Q8K] = hlmi_avx2_pack_q8k;
    k->pack[HLMI_ACT_Q16] = hlmi_avx2_pack_q16;
    k->pack_wide[HLMI_ACT_Q8] = hlmi_avx2_pack_q8_wide;
    k->pack_wide[HLMI_ACT_Q8K] = hlmi_avx2_pack_q8k_wide;
}
