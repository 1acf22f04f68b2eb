/* Blocks of the quantised types as they lie in files, and reading of little-endian fields from unaligned bytes. All
 * members are bytes, so a block may stand at any address. Shared by the one-type files and the layouts. */
#ifndef HLMI_QUANT_GGML_H
#define HLMI_QUANT_GGML_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/half.h"
#include "quant/type.h"

enum { HLMI_QB = 32, HLMI_QK = 256 }; /* elements of a block, of a super-block */

/* Nibble j of qs (low half of the bytes first: elements 0..15, then 16..31). */
typedef struct hlmi_q4_0 {
    uint8_t d[2], qs[16];
} hlmi_q4_0;
typedef struct hlmi_q4_1 {
    uint8_t d[2], m[2], qs[16];
} hlmi_q4_1;
/* qh: bit k is bit 4 of element k. */
typedef struct hlmi_q5_0 {
    uint8_t d[2], qh[4], qs[16];
} hlmi_q5_0;
typedef struct hlmi_q5_1 {
    uint8_t d[2], m[2], qh[4], qs[16];
} hlmi_q5_1;
typedef struct hlmi_q8_0 {
    uint8_t d[2], qs[32];
} hlmi_q8_0;
/* scales: eight 6-bit scales and eight 6-bit minima, packed (see q4_k.c); 32 bytes of qs are two sub-blocks of 32, low
 * nibbles first. */
typedef struct hlmi_q4_k {
    uint8_t d[2], dmin[2], scales[12], qs[128];
} hlmi_q4_k;
/* Low nibbles and high bit pairs of two halves of 128 elements (see q6_k.c); one int8 scale for 16 elements. */
typedef struct hlmi_q6_k {
    uint8_t ql[128], qh[64], scales[16], d[2];
} hlmi_q6_k;

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files and layouts are read as they lie");
_Static_assert(sizeof(hlmi_q4_0) == 18, "q4_0 block is 18 bytes");
_Static_assert(sizeof(hlmi_q4_1) == 20, "q4_1 block is 20 bytes");
_Static_assert(sizeof(hlmi_q5_0) == 22, "q5_0 block is 22 bytes");
_Static_assert(sizeof(hlmi_q5_1) == 24, "q5_1 block is 24 bytes");
_Static_assert(sizeof(hlmi_q8_0) == 34, "q8_0 block is 34 bytes");
_Static_assert(sizeof(hlmi_q4_k) == 144, "q4_K block is 144 bytes");
_Static_assert(sizeof(hlmi_q6_k) == 210, "q6_K block is 210 bytes");

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

static inline void hlmi_store16(void *p, uint16_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void hlmi_store32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

/** An f16 in a file as f32. */
static inline float hlmi_load_f16(const void *p)
{
    return hlmi_f16_to_f32(hlmi_load16(p));
}

/** The 6-bit scales and minima of a q4_K block, one of each for a sub-block of 32. */
void hlmi_q4_k_scales(const hlmi_q4_k *b, uint8_t sc[8], uint8_t mn[8]);

/** 16 bytes of file nibbles (elements 0..15 low, 16..31 high) into the four 8-k chunks of a lane, `step` bytes
 *  apart. */
static inline void hlmi_repack_nibbles(uint8_t *out, size_t step, const uint8_t qs[16])
{
    const uint32_t low = 0x0F0F0F0Fu, high = 0xF0F0F0F0u;
    const uint32_t w0 = hlmi_load32(qs), w1 = hlmi_load32(qs + 4);
    const uint32_t w2 = hlmi_load32(qs + 8), w3 = hlmi_load32(qs + 12);
    hlmi_store32(out, (w0 & low) | ((w1 & low) << 4));
    hlmi_store32(out + step, (w2 & low) | ((w3 & low) << 4));
    hlmi_store32(out + 2 * step, ((w0 >> 4) & low) | (w1 & high));
    hlmi_store32(out + 3 * step, ((w2 >> 4) & low) | (w3 & high));
}

/** A non-negative value below 256 to an integer no larger than `top`; NaN and what is out of range are brought
 *  inside. */
static inline uint8_t hlmi_clip_u8(float v, uint8_t top)
{
    if (!(v > 0)) return 0;
    return v < (float)top ? (uint8_t)v : top;
}

/* One descriptor a file; type.c lists them. */
extern const hlmi_type_info hlmi_type_f32, hlmi_type_f16, hlmi_type_bf16, hlmi_type_f64;
extern const hlmi_type_info hlmi_type_q4_0, hlmi_type_q4_1, hlmi_type_q5_0, hlmi_type_q5_1, hlmi_type_q8_0;
extern const hlmi_type_info hlmi_type_q4_k, hlmi_type_q6_k;

#endif
