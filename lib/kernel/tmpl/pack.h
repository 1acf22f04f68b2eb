/* Template: packed rows of blocks (act.h), over an instruction set's block_q8, block_q8k, block_q16 and residual, which
 * the including file has defined before. */
#ifndef HLMI_KERNEL_TMPL_PACK_H
#define HLMI_KERNEL_TMPL_PACK_H

#include "kernel/act.h"

/** A form of blocks of `size` values. */
#define PACK_OF(form, size)                                                                            \
  static void pack_##form(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols) \
  {                                                                                                    \
    for (size_t t = 0; t < n; t++) {                                                                   \
      hlmi_act_##form *a = (hlmi_act_##form *)((char *)dst + t * stride);                              \
      for (size_t b = 0; b < cols / (size); b++) block_##form(a + b, x + t * ldx + b * (size));        \
    }                                                                                                  \
  }

/** The wide rows of one. */
#define PACK_WIDE_OF(form, size)                                                                              \
  static void pack_##form##_wide(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols) \
  {                                                                                                           \
    float r[size];                                                                                            \
    for (size_t t = 0; t < n; t++) {                                                                          \
      hlmi_act_##form *a = (hlmi_act_##form *)((char *)dst + 2 * t * stride);                                 \
      hlmi_act_##form *rest = (hlmi_act_##form *)((char *)a + stride);                                        \
      for (size_t b = 0; b < cols / (size); b++) {                                                            \
        block_##form(a + b, x + t * ldx + b * (size));                                                        \
        residual(r, x + t * ldx + b * (size), a[b].q, a[b].d, size);                                          \
        block_##form(rest + b, r);                                                                            \
      }                                                                                                       \
    }                                                                                                         \
  }

PACK_OF(q8, 32)
PACK_OF(q8k, 256)
PACK_OF(q16, 32)
PACK_WIDE_OF(q8, 32)
PACK_WIDE_OF(q8k, 256)

static inline void fill_pack(hlmi_kernels *k)
{
    k->pack[HLMI_ACT_Q8] = pack_q8;
    k->pack[HLMI_ACT_Q8K] = pack_q8k;
    k->pack[HLMI_ACT_Q16] = pack_q16;
    k->pack_wide[HLMI_ACT_Q8] = pack_q8_wide;
    k->pack_wide[HLMI_ACT_Q8K] = pack_q8k_wide;
}

#endif
