/* What this folder fills of the table, and products in AVX-512 F, BW, VL, DQ, hlmi_vnni_* with VNNI: a vector is 16
 * rows. test/checkkern/emulate.h stands in for these intrinsics where the CPU has none. */
#ifndef HLMI_KERNEL_AVX512_H
#define HLMI_KERNEL_AVX512_H

#include "kernel/avx512/simd.h"

/* of a micro-tile */
enum { MOST_TOKENS = 8, MOST_ROWS = 2 };

#include "kernel/tmpl/gemm.h"

/** gemm and gemm_f32 of layouts of floats. */
void hlmi_avx512_gemm_float(hlmi_kernels *k);
/** gemm and gemm_f32 of carriers and F8. */
void hlmi_avx512_gemm_carrier(hlmi_kernels *k);
/** gemm of bf16 weights on bf16 activations; needs AVX512_BF16. */
void hlmi_avx512_gemm_bf16(hlmi_kernels *k);
/** gemm of layouts of units on int8 activations, without VNNI and with it. */
void hlmi_avx512_gemm_bw(hlmi_kernels *k);
void hlmi_avx512_gemm_vnni(hlmi_kernels *k);
/** pack to bf16. */
void hlmi_avx512_pack(hlmi_kernels *k);
/** qk, pv and kv_write. */
void hlmi_avx512_attn(hlmi_kernels *k);
/** rms_norm .. exp_sum and widen .. scan1. */
void hlmi_avx512_vec(hlmi_kernels *k);

#endif
