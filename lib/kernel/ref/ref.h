/* The plain C kernels, the specification of all others: what each file of this folder fills of the table. */
#ifndef HLMI_KERNEL_REF_H
#define HLMI_KERNEL_REF_H

#include "kernel/kernel.h"

/** gemm_f32, and gemm of layouts of floats. */
void hlmi_ref_gemm_f32(hlmi_kernels *k);
/** gemm of layouts of units. */
void hlmi_ref_gemm_int(hlmi_kernels *k, bool vnni);
/** gemm of bf16 weights on bf16 activations. */
void hlmi_ref_gemm_bf16(hlmi_kernels *k);
void hlmi_ref_pack(hlmi_kernels *k);
/** rms_norm .. exp_sum. */
void hlmi_ref_rows(hlmi_kernels *k);
/** qk, pv and kv_write. */
void hlmi_ref_attn(hlmi_kernels *k);
/** widen and narrow. */
void hlmi_ref_halves(hlmi_kernels *k);
void hlmi_ref_conv(hlmi_kernels *k);
void hlmi_ref_scan1(hlmi_kernels *k);
void hlmi_ref_scan2(hlmi_kernels *k);
void hlmi_ref_delta(hlmi_kernels *k);
/** hash and hash_copy. */
void hlmi_ref_hash(hlmi_kernels *k);

#endif
