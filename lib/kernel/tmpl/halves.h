/* Template: 16-bit recurrent state, over the vectors of an ISA's simd.h, which the including file has included before:
 * rounding within a scan, and states of 16 bits to f32 and back. */
#ifndef HLMI_KERNEL_TMPL_HALVES_H
#define HLMI_KERNEL_TMPL_HALVES_H

#include <string.h>

#include "kernel/kernel.h"
#include "kernel/walk.h"

/* x as the type has it; the type is a constant. */
HLMI_INLINE vf vf_round_to(hlmi_state_type type, vf x)
{
    if (type == HLMI_STATE_F16) return vf_round_f16(x);
    return type == HLMI_STATE_BF16 ? vf_round_bf16(x) : x;
}

/* The last n < VF elements go through a whole vector on the stack. */
#define HALVES_OF(type)                                                  \
  static void widen_##type(float *y, const uint16_t *x, size_t n)        \
  {                                                                      \
    uint16_t h[VF] = {0};                                                \
    size_t i = 0;                                                        \
    for (; n - i >= VF; i += VF) vf_store(y + i, vf_load_##type(x + i)); \
    if (i == n) return;                                                  \
    memcpy(h, x + i, (n - i) * sizeof *h);                               \
    vf_store_part(y + i, vf_load_##type(h), n - i);                      \
  }                                                                      \
  static void narrow_##type(uint16_t *y, const float *x, size_t n)       \
  {                                                                      \
    uint16_t h[VF];                                                      \
    size_t i = 0;                                                        \
    for (; n - i >= VF; i += VF) vf_store_##type(y + i, vf_load(x + i)); \
    if (i == n) return;                                                  \
    vf_store_##type(h, vf_load_part(x + i, n - i));                      \
    memcpy(y + i, h, (n - i) * sizeof *h);                               \
  }

HALVES_OF(f16)
HALVES_OF(bf16)

static inline void fill_halves(hlmi_kernels *k)
{
    k->widen[HLMI_STATE_F16] = widen_f16;
    k->widen[HLMI_STATE_BF16] = widen_bf16;
    k->narrow[HLMI_STATE_F16] = narrow_f16;
    k->narrow[HLMI_STATE_BF16] = narrow_bf16;
}

#endif
