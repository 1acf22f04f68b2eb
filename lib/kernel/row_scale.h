/* The scale of values that become integers, shared by packing and KV rows: what it is for zeros, values too small to
 * divide by, infinities and NaN is decided here once. */
#ifndef HLMI_KERNEL_ROW_SCALE_H
#define HLMI_KERNEL_ROW_SCALE_H

#include <stddef.h>

#include "base/half.h"

/** The scale of values whose largest |x| has the bits `most`, with so many steps on each side of 0, and what they are
 *  multiplied by; 0: they become 0. */
static inline float hlmi_row_scale_of(float *inverse, uint32_t most, float steps)
{
    const float max = hlmi_f32_from_bits(most);
    *inverse = steps / max;
    if (most < 0x7F800000u && hlmi_f32_bits(*inverse) < 0x7F800000u) return max / steps;
    *inverse = 0.0f;
    return most >= 0x7F800000u ? hlmi_f32_from_bits(0x7FC00000u) : 0.0f;
}

/** The same of n elements: bits of |x| order as |x| does, NaN last. */
static inline float hlmi_row_scale(float *inverse, const float *x, size_t n, float steps)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = hlmi_f32_bits(x[i]) & 0x7FFFFFFFu;
        if (u > most) most = u;
    }
    return hlmi_row_scale_of(inverse, most, steps);
}

/** The nearest integer of |x| < 2^22, even between two. */
static inline float hlmi_nearest(float x)
{
    const float big = 0x1.8p23f; /* adding it leaves no bits for a fraction */
    return (x + big) - big;
}

/** n values as int8, `step` apart; returns their scale. */
static inline float hlmi_row_int8(int8_t *q, size_t step, const float *x, size_t n)
{
    float id;
    const float d = hlmi_row_scale(&id, x, n, 127.0f);
    for (size_t i = 0; i < n; i++) q[i * step] = (int8_t)(id == 0.0f ? 0.0f : hlmi_nearest(x[i] * id));
    return d;
}

#endif
