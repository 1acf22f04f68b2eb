/* Layouts of floats on f32 activations in AVX-512. */
#include "kernel/avx512/avx512.h"

enum { TOKENS = 8, ROWS = 2 };

#include "kernel/tmpl/gemm_float.h"

void hlmi_avx512_gemm_float(hlmi_kernels *k)
{
    fill_gemm_float(k);
}
