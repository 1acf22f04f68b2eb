/* q4_1: blocks of 32, w = d * q + m; nibbles as of q4_0. */
#include "quant/ggml.h"

typedef struct hlmi_q4_1 {
    uint8_t d[2], m[2], qs[16];
} hlmi_q4_1;
_Static_assert(sizeof(hlmi_q4_1) == 20, "q4_1 block is 20 bytes");

static void q4_1_lane(hlmi_unit_q4m *u, size_t r, const hlmi_q4_1 *b)
{
    u->d[r] = hlmi_load16(b->d);
    u->m[r] = hlmi_load16(b->m);
    hlmi_lane_nibbles(u->q, r, b->qs);
}

HLMI_BLOCK_TYPE(q4_1, "q4_1", HLMI_QB, q4m, HLMI_LAYOUT_Q4M)
