/* The AVX2 kernels other than matrix products. */
#ifndef HLMI_KERNEL_AVX2_VEC_H
#define HLMI_KERNEL_AVX2_VEC_H

#include "kernel/kernel.h"

/** Fills rms_norm .. exp_sum. */
void hlmi_avx2_rows(hlmi_kernels *k);
/** Fills qk, pv and kv_write. */
void hlmi_avx2_attn(hlmi_kernels *k);
/** Fills conv, scan1, scan2, widen and narrow. */
void hlmi_avx2_recur(hlmi_kernels *k);
/** Fills delta. */
void hlmi_avx2_delta(hlmi_kernels *k);
/** Fills hash and hash_copy. */
void hlmi_avx2_hash(hlmi_kernels *k);

#endif
