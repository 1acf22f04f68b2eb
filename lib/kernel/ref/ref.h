/* The plain C products and packing: the specification of all others. */
#ifndef HLMI_KERNEL_REF_H
#define HLMI_KERNEL_REF_H

#include "kernel/kernel.h"

/* weights expanded to f32, acc = fma(w, x, acc), k in order; and those of units as they are, on packed activations */
#define GEMM_F32(constant, name, ...) void hlmi_ref_gemm_f32_##name(const hlmi_gemm *g);
#define GEMM(constant, name, ...) void hlmi_ref_gemm_##name(const hlmi_gemm *g);
HLMI_LAYOUTS(GEMM_F32)
HLMI_UNIT_LAYOUTS(GEMM)
#undef GEMM_F32
#undef GEMM
void hlmi_ref_gemm_bf16(const hlmi_gemm *g);
void hlmi_ref_gemm_q8_q16(const hlmi_gemm *g);

void hlmi_ref_pack_bf16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_ref_pack_q8(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_ref_pack_q8k(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_ref_pack_q8_wide(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_ref_pack_q8k_wide(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_ref_pack_q16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);

#endif
