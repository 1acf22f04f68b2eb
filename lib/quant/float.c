/* Types of floats: one column a block. f64 is rounded to the nearest f32, as which its matrices lie. */
#include "quant/ggml.h"

enum { LANES = 32 };

static inline float load_f32(const uint8_t *x)
{
    return hlmi_f32_from_bits(hlmi_load32(x));
}

static inline float load_f64(const uint8_t *x)
{
    double d;
    memcpy(&d, x, sizeof d);
    return (float)d;
}

static inline float load_bf16(const uint8_t *x)
{
    return hlmi_bf16_to_f32(hlmi_load16(x));
}

static inline float load_f8_e4m3(const uint8_t *x)
{
    return hlmi_e4m3_to_f32(*x);
}

/* 5 bits of exponent, 2 of fraction: the upper half of an f16 */
static inline float load_f8_e5m2(const uint8_t *x)
{
    return hlmi_f16_to_f32((uint16_t)(*x << 8));
}

/* A type of `size` bytes, read as f32 by LOAD. In a group a lane's elements of `near` columns make an item, which COPY
 * reads; behind an odd end is a 0. */
#define FLOAT_TYPE(type, size, LOAD, item, COPY, near, of)                            \
  static void type##_dequantise(float *y, const void *x, size_t n)                    \
  {                                                                                   \
    const uint8_t *p = x;                                                             \
    for (size_t i = 0; i < n; i++) y[i] = LOAD(p + i * (size));                       \
  }                                                                                   \
  static void type##_repack(void *group, const void *const *rows, size_t cols)        \
  {                                                                                   \
    const size_t whole = cols / (near), step = (near) * (size);                       \
    for (size_t r = 0; r < LANES; r++) {                                              \
      const uint8_t *x = rows[r];                                                     \
      item *out = (item *)group + r;                                                  \
      for (size_t k = 0; k < whole; k++) out[k * LANES] = x ? COPY(x + k * step) : 0; \
      if (cols % (near)) out[whole * LANES] = x ? hlmi_load16(x + whole * step) : 0;  \
    }                                                                                 \
  }                                                                                   \
  HLMI_DESCRIPTOR(type, #type, 1, size, of)

FLOAT_TYPE(f32, 4, load_f32, float, load_f32, 1, HLMI_LAYOUT_F32)
FLOAT_TYPE(f8_e4m3, 1, load_f8_e4m3, float, load_f8_e4m3, 1, HLMI_LAYOUT_F32)
FLOAT_TYPE(f8_e5m2, 1, load_f8_e5m2, float, load_f8_e5m2, 1, HLMI_LAYOUT_F32)
FLOAT_TYPE(f64, 8, load_f64, float, load_f64, 1, HLMI_LAYOUT_F32)
FLOAT_TYPE(f16, 2, hlmi_load_f16, uint16_t, hlmi_load16, 1, HLMI_LAYOUT_F16)
FLOAT_TYPE(bf16, 2, load_bf16, uint32_t, hlmi_load32, 2, HLMI_LAYOUT_BF16)
