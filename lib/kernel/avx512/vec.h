/* The AVX-512 kernels other than matrix products. */
#ifndef HLMI_KERNEL_AVX512_VEC_H
#define HLMI_KERNEL_AVX512_VEC_H

#include "kernel/kernel.h"

/** Fills rms_norm .. exp_sum. */
void hlmi_avx512_rows(hlmi_kernels *k);
/** Fills qk, pv and kv_write. */
void hlmi_avx512_attn(hlmi_kernels *k);
/** Fills conv, scan1, scan2, widen and narrow. */
void hlmi_avx512_recur(hlmi_kernels *k);
/** Fills delta. */
void hlmi_avx512_delta(hlmi_kernels *k);

#endif
