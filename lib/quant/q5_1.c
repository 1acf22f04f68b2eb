/* q5_1: blocks of 32, w = d * q + m; qh and nibbles as of q5_0. */
#include "quant/ggml.h"

typedef struct hlmi_q5_1 {
    uint8_t d[2], m[2], qh[4], qs[16];
} hlmi_q5_1;
_Static_assert(sizeof(hlmi_q5_1) == 24, "q5_1 block is 24 bytes");

static void q5_1_lane(hlmi_unit_q5m *u, size_t r, const hlmi_q5_1 *b)
{
    u->d[r] = hlmi_load16(b->d);
    u->m[r] = hlmi_load16(b->m);
    hlmi_lane_nibbles(u->q, r, b->qs);
    u->high[r] = hlmi_fifth_bits(hlmi_load32(b->qh));
}

HLMI_BLOCK_TYPE(q5_1, "q5_1", HLMI_QB, q5m, HLMI_LAYOUT_Q5M)
