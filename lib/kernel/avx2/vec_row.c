/* Kernels on rows of floats in AVX2. */
#include "kernel/avx2/vec.h"

#include "kernel/avx2/simd.h"
#include "kernel/tmpl/row.h"

void hlmi_avx2_rows(hlmi_kernels *k)
{
    fill_rows(k);
}
