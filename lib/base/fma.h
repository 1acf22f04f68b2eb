/* The fused multiply-add of the plain C kernels. Where the compiler targets a CPU with the instruction it is that;
 * elsewhere fmaf() would be a libm call, so the single rounding is made from double arithmetic. Bits are the same (a
 * NaN is only a NaN). */
#ifndef HLMI_BASE_FMA_H
#define HLMI_BASE_FMA_H

#include <stdint.h>
#include <string.h>

/** a * b + c with one rounding, without the instruction. The product of two floats is exact in double; the sum is
 *  rounded to odd (its exact error by Knuth's two-sum says which way), and a value rounded to odd with 29 spare bits
 *  rounds to the right float, subnormal or not. No branch, so loops vectorise. */
static inline float hlmi_fmaf_soft(float a, float b, float c)
{
    const double p = (double)a * (double)b, z = (double)c;
    const double s = p + z;
    const double t = s - p;
    const double err = (p - (s - t)) + (z - t); /* NaN when s is not finite */
    int64_t bits;
    memcpy(&bits, &s, sizeof bits);
    const int64_t inexact = (err < 0.0) | (err > 0.0);
    const int64_t toward = (err > 0.0) == (s > 0.0) ? 1 : -1; /* the exact sum lies outside or inside of s */
    bits += toward & -(inexact & ~bits);
    double odd;
    memcpy(&odd, &bits, sizeof odd);
    return (float)odd;
}

/** a * b + c with one rounding. */
static inline float hlmi_fmaf(float a, float b, float c)
{
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_fmaf(a, b, c);
#else
    return hlmi_fmaf_soft(a, b, c);
#endif
}

#endif
