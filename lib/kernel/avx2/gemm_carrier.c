/* Carriers and F8 on f32 activations in AVX2. */
#include "kernel/avx2/avx2.h"

enum { TOKENS = 6, ROWS = 2 };

#include "kernel/tmpl/gemm_carrier.h"

void hlmi_avx2_gemm_carrier(hlmi_kernels *k)
{
    fill_gemm_carrier(k);
}
