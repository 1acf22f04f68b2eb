/* Kernels on rows and of recurrent layers in AVX2. */
#include "kernel/avx2/avx2.h"
#include "kernel/avx2/simd.h"
#include "kernel/tmpl/vec.h"

void hlmi_avx2_vec(hlmi_kernels *k)
{
    fill_vec(k);
}
