/* One matrix product with random inputs, for the checks and the benchmark. */
#ifndef CHECKKERN_GEMM_CASE_H
#define CHECKKERN_GEMM_CASE_H

#include "weights.h"

typedef struct gemm_size {
    size_t cols, tokens, groups;
} gemm_size;

typedef struct gemm_case {
    hlmi_gemm g;
    float *x; /* what was packed */
} gemm_case;

gemm_case gemm_case_make(ck_run *t, const hlmi_kernels *k, const layout_form *f, hlmi_act act, weights_kind kind,
                         gemm_size size);

void gemm_bench(ck_run *t, const hlmi_kernels *k);

#endif
