/* Types whose blocks come apart into runs (layout.h): their numbers follow from that, and how they lie in a carrier or,
 * where a block has one f16 scale, in Q8. */
#ifndef HLMI_QUANT_SCALED_H
#define HLMI_QUANT_SCALED_H

#include "quant/ggml.h"

enum { HLMI_MOST_RUNS = HLMI_QK / HLMI_RUN };

typedef struct hlmi_scaled {
    size_t block, bytes; /* columns and bytes of a block */
    hlmi_layout layout; /* S8, S8M, Q8 */
    void (*split)(hlmi_run *runs, const void *block);
} hlmi_scaled;

/** As hlmi_type_info has them. */
void hlmi_scaled_dequantise(const hlmi_scaled *t, float *y, const void *x, size_t n);
void hlmi_scaled_repack(const hlmi_scaled *t, void *group, const void *const *rows, size_t cols);

/** The runs of a block of NVFP4, for files that have another scale beside them (weights/gguf_scales.c). */
void hlmi_nvfp4_split(hlmi_run runs[4], const void *block);

/** Element k of codes of two bits in halves of 128, each of 32 bytes in four planes: byte l of a half has elements l, l
 *  + 32, l + 64, l + 96, lowest bits first. */
static inline int hlmi_plane2(const uint8_t *qs, size_t k)
{
    return qs[k / 128 * 32 + k % 32] >> (k % 128 / 32 * 2) & 3;
}

/** A type that TYPE_split says everything about: its functions, and the descriptor. */
#define HLMI_SCALED_TYPE(type, text, columns, of) \
  HLMI_SCALED(type, columns, of)                  \
  HLMI_DESCRIPTOR(type, text, columns, sizeof(hlmi_##type), HLMI_LAYOUT_##of)
#define HLMI_SCALED(type, columns, of)                                                                     \
  static const hlmi_scaled type##_scaled = {columns, sizeof(hlmi_##type), HLMI_LAYOUT_##of, type##_split}; \
  static void type##_dequantise(float *y, const void *x, size_t n)                                         \
  {                                                                                                        \
    hlmi_scaled_dequantise(&type##_scaled, y, x, n);                                                       \
  }                                                                                                        \
  static void type##_repack(void *group, const void *const *rows, size_t cols)                             \
  {                                                                                                        \
    hlmi_scaled_repack(&type##_scaled, group, rows, cols);                                                 \
  }

#endif
