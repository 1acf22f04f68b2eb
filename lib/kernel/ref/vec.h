/* The plain C kernels on rows and on attention pages: the specification of all others. */
#ifndef HLMI_KERNEL_REF_VEC_H
#define HLMI_KERNEL_REF_VEC_H

#include "kernel/kernel.h"

void hlmi_ref_rms_norm(float *y, const float *x, const float *w, size_t n, float eps);
void hlmi_ref_layer_norm(float *y, const float *x, const float *w, const float *b, size_t n, float eps);
void hlmi_ref_gelu(float *y, const float *x, size_t n);
void hlmi_ref_relu2(float *y, const float *x, size_t n);
void hlmi_ref_add(float *y, const float *a, const float *b, size_t n);
void hlmi_ref_mul(float *y, const float *a, const float *b, size_t n);
void hlmi_ref_scale(float *y, const float *x, float s, size_t n);
void hlmi_ref_silu_mul(float *y, const float *gate, const float *up, size_t n);
void hlmi_ref_sigmoid_mul(float *y, const float *gate, const float *x, size_t n);
void hlmi_ref_gelu_erf_mul(float *y, const float *gate, const float *up, size_t n);
void hlmi_ref_rope(float *x, const float *cos, const float *sin, size_t half);
float hlmi_ref_max(const float *x, size_t n);
float hlmi_ref_exp_sum(float *y, const float *x, float m, size_t n);
void hlmi_ref_delta(const hlmi_delta_run *r);

void hlmi_ref_conv(const hlmi_conv_run *r);
void hlmi_ref_scan2(const hlmi_scan2_run *r);
void hlmi_ref_scan1(const hlmi_scan1_run *r);

/** Fills widen and narrow. */
void hlmi_ref_halves(hlmi_kernels *k);
/** Fills qk, pv and kv_write. */
void hlmi_ref_attn(hlmi_kernels *k);
/** Fills hash and hash_copy. */
void hlmi_ref_hash(hlmi_kernels *k);

#endif
