/* bf16 weights on bf16 activations, with the bits of the CPUs' dot product instruction: of each pair of columns the odd
 * one is added first, each with one rounding, and subnormal inputs and results count as zero. */
#include <string.h>

#include "base/fma.h"
#include "base/half.h"
#include "kernel/ref/ref.h"

enum { LANES = 32 };

static float flush(float f)
{
    const uint32_t u = hlmi_f32_bits(f);
    return u & 0x7F800000u ? f : hlmi_f32_from_bits(u & 0x80000000u);
}

static float add_product(uint16_t w, uint16_t x, float acc)
{
    return flush(hlmi_fmaf(flush(hlmi_bf16_to_f32(w)), flush(hlmi_bf16_to_f32(x)), acc));
}

static void product(const hlmi_gemm *g)
{
    const size_t pairs = (g->cols + 1) / 2;
    for (size_t i = 0; i < g->groups; i++) {
        const uint16_t *group = (const uint16_t *)g->w + i * pairs * 2 * LANES;
        for (size_t t = 0; t < g->tokens; t++) {
            const uint16_t *x = (const uint16_t *)((const char *)g->x + t * g->ldx);
            float acc[LANES] = {0};
            for (size_t p = 0; p < pairs; p++) {
                const uint16_t *w = group + p * 2 * LANES;
                for (size_t r = 0; r < LANES; r++) {
                    acc[r] = add_product(w[2 * r + 1], x[2 * p + 1], acc[r]);
                    acc[r] = add_product(w[2 * r], x[2 * p], acc[r]);
                }
            }
            memcpy(g->y + t * g->ldy + i * LANES, acc, sizeof acc);
        }
    }
}

void hlmi_ref_gemm_bf16(hlmi_kernels *k)
{
    k->gemm[HLMI_LAYOUT_BF16] = product;
    k->act[HLMI_LAYOUT_BF16] = HLMI_ACT_BF16;
}
