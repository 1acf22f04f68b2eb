/* Attention over one page in AVX2. */
#include "kernel/avx2/avx2.h"
#include "kernel/avx2/simd.h"
#include "kernel/tmpl/attn.h"

void hlmi_avx2_attn(hlmi_kernels *k)
{
    fill_attn(k);
}
