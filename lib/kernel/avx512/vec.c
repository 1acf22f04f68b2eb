/* Kernels on rows and of recurrent layers in AVX-512. */
#include "kernel/avx512/avx512.h"
#include "kernel/avx512/simd.h"
#include "kernel/tmpl/vec.h"

void hlmi_avx512_vec(hlmi_kernels *k)
{
    fill_vec(k);
}
