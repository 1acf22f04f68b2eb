/* Packed activations, byte for byte. A packed row is a run of blocks, 64-byte aligned; the bytes from its end to its
 * stride (hlmi_act_stride) are not written. Written by pack, read by gemm; nobody else looks inside.
 *
 *  BF16  cols rounded up to 2 elements, bf16 each, to nearest even; an odd end is followed by 0
 *  Q8    cols / 32 blocks of hlmi_act_q8
 *  Q8K   cols / 256 blocks of hlmi_act_q8k
 *  Q16   cols / 32 blocks of hlmi_act_q16
 *
 * A block is quantised thus, in f32, with the same bits on every ISA. m = max |x|, where a NaN counts as more than
 * infinity.
 *   id = 127 / m, d = m / 127, q = round-half-even(x * id), which lies in -127..127
 *   m infinite or NaN: d = NaN and q = 0, so that every output of the token shows the fault
 *   id infinite (m is 0 or below 2^-121): d = 0 and q = 0
 *
 * A wide row is two such rows. The second is packed from r = fma(-d, q, x), element by element: at most about d / 2, so
 * that both together are within d / 500 of x, some 16 bits of the block's largest. To a product they are two tokens. */
#ifndef HLMI_KERNEL_ACT_H
#define HLMI_KERNEL_ACT_H

#include <stdint.h>

/** d * sum is what a block's minimum is multiplied by; the other sums are integer starts of dot products whose weights
 *  are stored with an offset to be unsigned (w + 8, w + 128). */
typedef struct hlmi_act_q8 {
    int8_t q[32];
    float d;
    float dsum; /* d * (float)sum; NaN when d is */
    int32_t sum8; /* -8 * sum of q */
    int32_t sum128; /* -128 * sum of q */
} hlmi_act_q8;

typedef struct hlmi_act_q8k {
    int8_t q[256];
    int16_t sum16[16]; /* of each 16 q */
    int16_t sum32[8]; /* of each 32 q */
    float d;
    int32_t zero[3];
} hlmi_act_q8k;

/** The same with 32767 for 127 (and 2^-113 for 2^-121). Of every 4 columns the middle two are exchanged: q[4c + 0..3]
 *  holds columns 4c + 0, 2, 1, 3, because the even and the odd bytes of a word of weights become 16 bits in one or two
 *  instructions. */
typedef struct hlmi_act_q16 {
    int16_t q[32];
    float d;
} hlmi_act_q16;

_Static_assert(sizeof(hlmi_act_q16) == 68, "68 bytes for 32 activations");
_Static_assert(sizeof(hlmi_act_q8) == 48, "48 bytes for 32 activations");
_Static_assert(sizeof(hlmi_act_q8k) == 320, "5 cache lines for 256 activations");

#endif
