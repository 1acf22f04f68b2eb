/* What types of blocks have in common: reading of little-endian fields from unaligned bytes, and everything that
 * follows from how a block goes into a lane of a unit of its layout. A block's struct has bytes for members, so that it
 * may stand at any address. */
#ifndef HLMI_QUANT_GGML_H
#define HLMI_QUANT_GGML_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/half.h"
#include "quant/type.h"
#include "quant/unit.h"

enum { HLMI_QB = 32, HLMI_QK = 256 }; /* elements of a block, of a super-block */

#define HLMI_DECLARE_TYPE(constant, name) extern const hlmi_type_info hlmi_type_##name;
HLMI_WEIGHT_TYPES(HLMI_DECLARE_TYPE)
#undef HLMI_DECLARE_TYPE

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files and layouts are read as they lie");

static inline uint16_t hlmi_load16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t hlmi_load32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void hlmi_store32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void hlmi_store16(void *p, uint16_t v)
{
    memcpy(p, &v, sizeof v);
}

/** A non-negative value below 256 to an integer no larger than `top`; NaN and what is out of range are brought
 *  inside. */
static inline uint8_t hlmi_clip_u8(float v, uint8_t top)
{
    if (!(v > 0)) return 0;
    return v < (float)top ? (uint8_t)v : top;
}

/** An f16 in a file as f32. */
static inline float hlmi_load_f16(const void *p)
{
    return hlmi_f16_to_f32(hlmi_load16(p));
}

/** The low halves of 8 bytes of a file's nibbles into a lane's bytes of one 8-k chunk, their high halves into those of
 *  another. */
static inline void hlmi_nibbles(uint8_t low[4], uint8_t high[4], const uint8_t qs[8])
{
    const uint32_t a = hlmi_load32(qs), b = hlmi_load32(qs + 4);
    hlmi_store32(low, (a & 0x0F0F0F0Fu) | ((b & 0x0F0F0F0Fu) << 4));
    hlmi_store32(high, ((a >> 4) & 0x0F0F0F0Fu) | (b & 0xF0F0F0F0u));
}

/** A block's 16 bytes of nibbles, elements 0..15 low and 16..31 high, into the chunks of lane r. */
static inline void hlmi_lane_nibbles(uint8_t q[4][32][4], size_t r, const uint8_t qs[16])
{
    for (size_t c = 0; c < 2; c++) hlmi_nibbles(q[c][r], q[c + 2][r], qs + c * 8);
}

/** Bits of columns 0..31, lowest first, as a word of fifth bits (layout.h). */
static inline uint32_t hlmi_fifth_bits(uint32_t bits)
{
    uint32_t word = 0;
    for (size_t k = 0; k < 32; k++) word |= (bits >> k & 1) << (k % 4 * 8 + k / 4);
    return word;
}

/** The 6-bit scales and minima of a q4_K or q5_K block, one of each for a sub-block of 32, `step` bytes apart. */
void hlmi_k_scales(const uint8_t s[12], uint8_t *sc, uint8_t *mn, size_t step);
/** The nibbles of one into lane r. */
void hlmi_k_nibbles(uint8_t q[8][4][16][4], size_t r, const uint8_t qs[128]);

/** Row groups from rows of blocks (hlmi_type_info.repack) by TYPE_lane(unit, r, block), which puts a block into lane r
 *  of a unit that has as many columns. */
#define HLMI_REPACK(type, block, unit)                                         \
  static void type##_repack(void *group, const void *const *rows, size_t cols) \
  {                                                                            \
    static const hlmi_##type zero;                                             \
    hlmi_unit_##unit *u = group;                                               \
    for (size_t b = 0; b < cols / (block); b++, u++) {                         \
      for (size_t r = 0; r < HLMI_ROWS_##unit; r++)                            \
        type##_lane(u, r, rows[r] ? (const hlmi_##type *)rows[r] + b : &zero); \
    }                                                                          \
  }

/** Blocks to f32 by the same: through a unit, whose layout says what its values are. */
#define HLMI_DEQUANTISE(type, block, unit, layout)                  \
  static void type##_dequantise(float *y, const void *x, size_t n)  \
  {                                                                 \
    hlmi_unit_##unit u;                                             \
    const hlmi_##type *b = x;                                       \
    for (size_t k = 0; k < n; k += (block), b++) {                  \
      type##_lane(&u, 0, b);                                        \
      hlmi_layout_get(layout)->read_row(y + k, 1, &u, 0, 0, block); \
    }                                                               \
  }

/** The descriptor of a type that has these two, and of one that is made here too. */
#define HLMI_DESCRIPTOR(type, text, block_elements, block_bytes, of) \
  HLMI_MADE_DESCRIPTOR(type, text, block_elements, block_bytes, of, NULL)
#define HLMI_MADE_DESCRIPTOR(type, text, block_elements, block_bytes, of, make) \
  const hlmi_type_info hlmi_type_##type = {                                     \
      .name = text,                                                             \
      .block = block_elements,                                                  \
      .bytes = block_bytes,                                                     \
      .layout = of,                                                             \
      .dequantise = type##_dequantise,                                          \
      .repack = type##_repack,                                                  \
      .quantise = make,                                                         \
  };

/** A type of blocks that TYPE_lane says everything about. */
#define HLMI_BLOCK_TYPE(type, text, block, unit, layout) \
  HLMI_REPACK(type, block, unit)                         \
  HLMI_DEQUANTISE(type, block, unit, layout)             \
  HLMI_DESCRIPTOR(type, text, block, sizeof(hlmi_##type), layout)

#endif
