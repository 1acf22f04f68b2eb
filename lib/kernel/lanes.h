/* The 16 virtual lanes in which floats are reduced to one (kernel.h), in plain C. */
#ifndef HLMI_KERNEL_LANES_H
#define HLMI_KERNEL_LANES_H

#include <stddef.h>

#include "base/half.h"

enum { HLMI_LANES = 16 };

/* GELU: 0.044715, and -2 sqrt(2 / pi) */
#define HLMI_GELU_CUBIC 0x1.6e4e26p-5f
#define HLMI_GELU_SCALE (-0x1.988454p+0f)

/** The sum of the lanes as a tree; the lanes are spent. */
static inline float hlmi_lanes_sum(float *l)
{
    for (size_t half = HLMI_LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) l[i] += l[i + half];
    return l[0];
}

/** The larger, b where they are equal or a is NaN. */
static inline float hlmi_lane_max(float a, float b)
{
    return a > b ? a : b;
}

/** What a maximum found from lanes that start at -infinity means: NaN where all of x are NaN. */
static inline float hlmi_max_or_nan(const float *x, size_t n, float found)
{
    const float lowest = hlmi_f32_from_bits(0xFF800000u);
    if (found != lowest) return found;
    for (size_t i = 0; i < n; i++)
        if (x[i] == lowest) return found;
    return hlmi_f32_from_bits(0x7FC00000u);
}

#endif
