/* Packing to bf16 (act.h), in integers: the instruction for it would flush subnormals. */
#include "base/half.h"
#include "kernel/avx512/avx512.h"
#include "kernel/avx512/simd.h"

static void pack_bf16(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols)
{
    for (size_t t = 0; t < n; t++) {
        uint16_t *q = (uint16_t *)(void *)((char *)dst + t * stride);
        const float *row = x + t * ldx;
        size_t k = 0;
        for (; k + 16 <= cols; k += 16) vf_store_bf16(q + k, vf_load(row + k));
        for (; k < cols; k++) q[k] = hlmi_f32_to_bf16(row[k]);
        if (cols % 2) q[cols] = 0;
    }
}

void hlmi_avx512_pack(hlmi_kernels *k)
{
    k->pack[HLMI_ACT_BF16] = pack_bf16;
}
