/* The plain C products and packing: the specification of all others. */
#ifndef HLMI_KERNEL_REF_H
#define HLMI_KERNEL_REF_H

#include "kernel/kernel.h"

/* weights expanded to f32, acc = fma(w, x, acc), k in order */
void hlmi_ref_gemm_f32_f32(const hlmi_gemm *g);
void hlmi_ref_gemm_f32_f16(const hlmi_gemm *g);
void hlmi_ref_gemm_f32_bf16(const hlmi_gemm *g);
void hlmi_ref_gemm_f32_q4(const hlmi_gemm *g);
void hlmi_ref_gemm_f32_q4m(const hlmi_gemm *g);
void hlmi_ref_gemm_f32_q5m(const hlmi_gemm *g);
void hlmi_ref_gemm_f32_q8(const hlmi_gemm *g);
void hlmi_ref_gemm_f32_k4(const hlmi_gemm *g);
void hlmi_ref_gemm_f32_k6(const hlmi_gemm *g);

/* weights as they are, on packed activations */
void hlmi_ref_gemm_bf16(const hlmi_gemm *g);
void hlmi_ref_gemm_q4(const hlmi_gemm *g);
void hlmi_ref_gemm_q4m(const hlmi_gemm *g);
void hlmi_ref_gemm_q5m(const hlmi_gemm *g);
void hlmi_ref_gemm_q8(const hlmi_gemm *g);
void hlmi_ref_gemm_q8_q16(const hlmi_gemm *g);
void hlmi_ref_gemm_k4(const hlmi_gemm *g);
void hlmi_ref_gemm_k6(const hlmi_gemm *g);

void hlmi_ref_pack_bf16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_ref_pack_q8(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_ref_pack_q8k(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_ref_pack_q8_wide(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_ref_pack_q8k_wide(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);
void hlmi_ref_pack_q16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols);

#endif
