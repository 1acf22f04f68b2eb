/* q8_0: blocks of 32, w = d * q with signed q. */
#include "quant/ggml.h"

typedef struct hlmi_q8_0 {
    uint8_t d[2], qs[32];
} hlmi_q8_0;
_Static_assert(sizeof(hlmi_q8_0) == 34, "q8_0 block is 34 bytes");

static void q8_0_lane(hlmi_unit_q8 *u, size_t r, const hlmi_q8_0 *b)
{
    u->d[r] = hlmi_load16(b->d);
    for (size_t c = 0; c < 8; c++) memcpy(u->q[c][r], b->qs + c * 4, 4);
}

HLMI_BLOCK_TYPE(q8_0, "q8_0", HLMI_QB, q8, HLMI_LAYOUT_Q8)
