/* The kernels of this folder: every entry of the table. */
#include "kernel/isa.h"
#include "kernel/ref/ref.h"

void hlmi_kernels_ref(hlmi_kernels *k, bool bf16, bool vnni)
{
    hlmi_ref_gemm_f32(k);
    hlmi_ref_gemm_int(k, vnni);
    if (bf16) hlmi_ref_gemm_bf16(k);
    hlmi_ref_pack(k);
    hlmi_ref_rows(k);
    hlmi_ref_attn(k);
    hlmi_ref_halves(k);
    hlmi_ref_conv(k);
    hlmi_ref_scan1(k);
    hlmi_ref_scan2(k);
    hlmi_ref_delta(k);
    hlmi_ref_hash(k);
}
