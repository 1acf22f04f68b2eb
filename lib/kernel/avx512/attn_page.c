/* Attention over one page in AVX-512. */
#include "kernel/avx512/avx512.h"
#include "kernel/avx512/simd.h"
#include "kernel/tmpl/attn.h"

void hlmi_avx512_attn(hlmi_kernels *k)
{
    fill_attn(k);
}
