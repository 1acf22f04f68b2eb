/* Types that have no layout of their own: a type says how its blocks come apart into runs (layout.h), and its numbers
 * and its carrier follow from that. */
#ifndef HLMI_QUANT_SCALED_H
#define HLMI_QUANT_SCALED_H

#include "quant/ggml.h"

enum { HLMI_MOST_RUNS = HLMI_QK / HLMI_RUN };

typedef struct hlmi_scaled {
    size_t block, bytes; /* columns and bytes of a block */
    bool minimum; /* w = d * q + m, else d * q */
    void (*split)(hlmi_run *runs, const void *block);
} hlmi_scaled;

/** As hlmi_type_info has them. */
void hlmi_scaled_dequantise(const hlmi_scaled *t, float *y, const void *x, size_t n);
void hlmi_scaled_repack(const hlmi_scaled *t, void *group, const void *const *rows, size_t cols);

/** Element k of codes of two bits in halves of 128, each of 32 bytes in four planes: byte l of a half has elements l, l +
 *  32, l + 64, l + 96, lowest bits first. */
static inline int hlmi_plane2(const uint8_t *qs, size_t k)
{
    return qs[k / 128 * 32 + k % 32] >> (k % 128 / 32 * 2) & 3;
}

/** The descriptor of a type that TYPE_split says everything about. */
#define HLMI_SCALED_TYPE(type, text, columns, has_minimum)                                            \
  static const hlmi_scaled type##_scaled = {columns, sizeof(hlmi_##type), has_minimum, type##_split}; \
  static void type##_dequantise(float *y, const void *x, size_t n)                                    \
  {                                                                                                   \
    hlmi_scaled_dequantise(&type##_scaled, y, x, n);                                                  \
  }                                                                                                   \
  static void type##_repack(void *group, const void *const *rows, size_t cols)                        \
  {                                                                                                   \
    hlmi_scaled_repack(&type##_scaled, group, rows, cols);                                            \
  }                                                                                                   \
  HLMI_DESCRIPTOR(type, text, columns, sizeof(hlmi_##type), has_minimum ? HLMI_LAYOUT_S8M : HLMI_LAYOUT_S8)

#endif
