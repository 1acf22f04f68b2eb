/* Carriers and F8 on f32 activations in AVX-512. */
#include "kernel/avx512/avx512.h"

enum { TOKENS = 8, ROWS = 2 };

#include "kernel/tmpl/gemm_carrier.h"

void hlmi_avx512_gemm_carrier(hlmi_kernels *k)
{
    fill_gemm_carrier(k);
}
