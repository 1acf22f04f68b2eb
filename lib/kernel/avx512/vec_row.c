/* Kernels on rows of floats in AVX-512. */
#include "kernel/avx512/vec.h"

#include "kernel/avx512/simd.h"
#include "kernel/tmpl/row.h"

void hlmi_avx512_rows(hlmi_kernels *k)
{
    fill_rows(k);
}
