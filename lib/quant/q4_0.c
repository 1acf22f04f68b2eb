/* q4_0: blocks of 32, w = d * (q - 8). Nibble j of qs: low halves of the bytes first, elements 0..15, then 16..31. */
#include "quant/ggml.h"

typedef struct hlmi_q4_0 {
    uint8_t d[2], qs[16];
} hlmi_q4_0;
_Static_assert(sizeof(hlmi_q4_0) == 18, "q4_0 block is 18 bytes");

static void q4_0_lane(hlmi_unit_q4 *u, size_t r, const hlmi_q4_0 *b)
{
    u->d[r] = hlmi_load16(b->d);
    hlmi_lane_nibbles(u->q, r, b->qs);
}

HLMI_BLOCK_TYPE(q4_0, "q4_0", HLMI_QB, q4, HLMI_LAYOUT_Q4)
