/* Layouts of floats on f32 activations in AVX2, and their micro-tile for what gemm_expand.c makes f32. */
#include "kernel/avx2/avx2.h"

enum { TOKENS = 6, ROWS = 2 };

#include "kernel/tmpl/gemm_float.h"

void hlmi_avx2_slab_f32(const hlmi_slab *b, size_t lanes)
{
    many(HLMI_LAYOUT_F32, lanes, b);
}

void hlmi_avx2_gemm_float(hlmi_kernels *k)
{
    fill_gemm_float(k);
}
