/* a * b + c in f32, rounded once: one instruction where the compiler may use
 * it, else the same bits through double. */
#ifndef HLMI_KERNEL_FMA_H
#define HLMI_KERNEL_FMA_H

#include <stdint.h>
#include <string.h>

static inline float hlmi_fmaf(float a, float b, float c)
{
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_fmaf(a, b, c);
#else
    /* The product is exact. The sum is rounded to odd (an inexact result gets an odd last bit), which makes the second
     * rounding, to f32, right. */
    const double p = (double)a * (double)b, s = p + (double)c;
    const double v = s - p, lost = (p - (s - v)) + ((double)c - v);
    uint64_t u;
    memcpy(&u, &s, sizeof u);
    const uint64_t away = (uint64_t)((lost > 0) == (s > 0)), inexact = (uint64_t)((lost > 0) | (lost < 0));
    u += (inexact & ~u) * (2 * away - 1);
    double odd;
    memcpy(&odd, &u, sizeof odd);
    return (float)odd;
#endif
}

#endif
