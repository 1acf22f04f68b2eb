/* The kernels of this folder. What is not here stays AVX2's. */
#include "kernel/avx512/avx512.h"
#include "kernel/isa.h"

void hlmi_kernels_avx512(hlmi_kernels *k, unsigned cpu)
{
    hlmi_avx512_gemm_float(k);
    hlmi_avx512_gemm_carrier(k);
    if (k->act[HLMI_LAYOUT_BF16] == HLMI_ACT_BF16) hlmi_avx512_gemm_bf16(k);
    if (cpu & HLMI_CPU_VNNI) hlmi_avx512_gemm_vnni(k);
    else hlmi_avx512_gemm_bw(k);
    hlmi_avx512_pack(k);
    hlmi_avx512_attn(k);
    hlmi_avx512_vec(k);
}
