/* The kernels of this folder. */
#include "kernel/avx2/avx2.h"
#include "kernel/isa.h"

void hlmi_kernels_avx2(hlmi_kernels *k)
{
    hlmi_avx2_gemm_float(k);
    hlmi_avx2_gemm_expand(k);
    hlmi_avx2_gemm_carrier(k);
    hlmi_avx2_gemm_q4(k);
    if (k->act[HLMI_LAYOUT_Q8] == HLMI_ACT_Q16) hlmi_avx2_gemm_q8(k);
    hlmi_avx2_gemm_k(k);
    hlmi_avx2_pack(k);
    hlmi_avx2_attn(k);
    hlmi_avx2_vec(k);
    hlmi_avx2_hash(k);
}
