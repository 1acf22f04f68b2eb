/* q5_0: blocks of 32, w = d * (q - 16); nibbles as of q4_0, bit k of qh is bit 4 of element k. */
#include "quant/ggml.h"

typedef struct hlmi_q5_0 {
    uint8_t d[2], qh[4], qs[16];
} hlmi_q5_0;
_Static_assert(sizeof(hlmi_q5_0) == 22, "q5_0 block is 22 bytes");

/* The minimum is -16 d: exact for |d| < 4096, infinite from there on. */
static void q5_0_lane(hlmi_unit_q5m *u, size_t r, const hlmi_q5_0 *b)
{
    u->d[r] = hlmi_load16(b->d);
    u->m[r] = hlmi_f32_to_f16(-16.0f * hlmi_load_f16(b->d));
    hlmi_lane_nibbles(u->q, r, b->qs);
    u->high[r] = hlmi_fifth_bits(hlmi_load32(b->qh));
}

/* Not through Q5M, which has no sign of a zero (layout.h). */
static void q5_0_dequantise(float *y, const void *x, size_t n)
{
    const hlmi_q5_0 *b = x;
    for (size_t i = 0; i < n / HLMI_QB; i++, b++, y += HLMI_QB) {
        const float d = hlmi_load_f16(b->d);
        const uint32_t qh = hlmi_load32(b->qh);
        for (int j = 0; j < HLMI_QB; j++) {
            const int low = b->qs[j % 16] >> (j / 16 * 4) & 15, high = (int)(qh >> j & 1) << 4;
            y[j] = d * (float)(low + high - 16);
        }
    }
}

HLMI_REPACK(q5_0, HLMI_QB, q5m)
HLMI_DESCRIPTOR(q5_0, "q5_0", HLMI_QB, sizeof(hlmi_q5_0), HLMI_LAYOUT_Q5M)
