/* f16 and bf16 as bits. Conversions to f32 are exact; to 16 bits they round to nearest even, and NaN stays a (quiet)
 * NaN. These are the specification that vector code matches bit for bit. */
#ifndef HLMI_BASE_HALF_H
#define HLMI_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t hlmi_f32_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline float hlmi_f32_from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline float hlmi_bf16_to_f32(uint16_t h)
{
    return hlmi_f32_from_bits((uint32_t)h << 16);
}

/** OFP8's E4M3: 4 bits of exponent, 3 of fraction, no infinity. */
static inline float hlmi_e4m3_to_f32(uint8_t x)
{
    const uint32_t sign = (uint32_t)(x & 128) << 24, e = x >> 3 & 15, m = x & 7;
    if ((x & 127) == 127) return hlmi_f32_from_bits(sign | 0x7FC00000u);
    return hlmi_f32_from_bits(sign | (e ? (e + 120) << 23 | m << 20 : hlmi_f32_bits((float)m * 0x1p-9f)));
}

static inline uint16_t hlmi_f32_to_bf16(float f)
{
    const uint32_t u = hlmi_f32_bits(f);
    if ((u & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)((u >> 16) | 0x40u);
    return (uint16_t)((u + 0x7FFFu + ((u >> 16) & 1u)) >> 16);
}

static inline float hlmi_f16_to_f32(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    const uint32_t exp = (h >> 10) & 0x1Fu, frac = h & 0x3FFu;
    if (exp == 0x1F) return hlmi_f32_from_bits(sign | 0x7F800000u | (frac ? 0x400000u : 0) | (frac << 13));
    if (exp != 0) return hlmi_f32_from_bits(sign | ((exp + 112) << 23) | (frac << 13));
    /* zero or subnormal: frac * 2^-24, exact in f32 */
    const float v = (float)frac * 0x1p-24f;
    return hlmi_f32_from_bits(sign | hlmi_f32_bits(v));
}

static inline uint16_t hlmi_f32_to_f16(float f)
{
    const uint32_t u = hlmi_f32_bits(f), sign = (u >> 16) & 0x8000u, a = u & 0x7FFFFFFFu;
    if (a > 0x7F800000u) return (uint16_t)(sign | 0x7E00u | ((a >> 13) & 0x3FFu));
    if (a >= 0x477FF000u) return (uint16_t)(sign | 0x7C00u); /* rounds to infinity */
    if (a < 0x38800000u) {
        /* subnormal: adding 0.5 puts the rounded fraction in the low bits */
        const float v = hlmi_f32_from_bits(a) + 0.5f;
        return (uint16_t)(sign | (hlmi_f32_bits(v) - 0x3F000000u));
    }
    return (uint16_t)(sign | ((a - 0x38000000u + 0xFFFu + ((a >> 13) & 1u)) >> 13));
}

#endif
