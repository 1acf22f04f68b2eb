/* The gated delta rule in AVX2. */
#include "kernel/avx2/vec.h"

#include "kernel/avx2/simd.h"
#include "kernel/tmpl/delta.h"

void hlmi_avx2_delta(hlmi_kernels *k)
{
    k->delta = delta;
}
