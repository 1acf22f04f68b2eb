/* Template: packed rows of blocks (act.h), over an instruction set's block_q8, block_q8k and residual, which the
 * including file has defined before. */
#ifndef HLMI_KERNEL_TMPL_PACK_H
#define HLMI_KERNEL_TMPL_PACK_H

#include "kernel/act.h"

/** PACK_OF(isa, form, size): a form of blocks of `size` values, and its wide rows. */
#define PACK_OF(isa, form, size)                                                                                    \
  void hlmi_##isa##_pack_##form(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols)        \
  {                                                                                                                 \
    for (size_t t = 0; t < n; t++) {                                                                                \
      hlmi_act_##form *a = (hlmi_act_##form *)((char *)dst + t * stride);                                           \
      for (size_t b = 0; b < cols / (size); b++) block_##form(a + b, x + t * ldx + b * (size));                     \
    }                                                                                                               \
  }                                                                                                                 \
  void hlmi_##isa##_pack_##form##_wide(void *dst, size_t stride, const float *x, size_t ldx, size_t n, size_t cols) \
  {                                                                                                                 \
    float r[size];                                                                                                  \
    for (size_t t = 0; t < n; t++) {                                                                                \
      hlmi_act_##form *a = (hlmi_act_##form *)((char *)dst + 2 * t * stride);                                       \
      hlmi_act_##form *rest = (hlmi_act_##form *)((char *)a + stride);                                              \
      for (size_t b = 0; b < cols / (size); b++) {                                                                  \
        block_##form(a + b, x + t * ldx + b * (size));                                                              \
        residual(r, x + t * ldx + b * (size), a[b].q, a[b].d, size);                                                \
        block_##form(rest + b, r);                                                                                  \
      }                                                                                                             \
    }                                                                                                               \
  }

#endif
