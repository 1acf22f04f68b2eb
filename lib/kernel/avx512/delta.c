/* The gated delta rule in AVX-512. */
#include "kernel/avx512/vec.h"

#include "kernel/avx512/simd.h"
#include "kernel/tmpl/delta.h"

void hlmi_avx512_delta(hlmi_kernels *k)
{
    k->delta = delta;
}
