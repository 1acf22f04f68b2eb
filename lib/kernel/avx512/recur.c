/* Kernels of recurrent layers in AVX-512. */
#include "kernel/avx512/vec.h"

#include "kernel/avx512/simd.h"
#include "kernel/tmpl/conv.h"

void hlmi_avx512_recur(hlmi_kernels *k)
{
    k->conv = conv;
}
