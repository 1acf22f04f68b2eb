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

/* The element farthest from zero (the first of equals) becomes q = 0, that is -8 d. */
static void q4_0_quantise(void *y, const float *x, size_t n)
{
    hlmi_q4_0 *b = y;
    for (size_t i = 0; i < n / HLMI_QB; i++, x += HLMI_QB) {
        float top = x[0], reach = x[0] < 0 ? -x[0] : x[0];
        for (int j = 1; j < HLMI_QB; j++) {
            const float a = x[j] < 0 ? -x[j] : x[j];
            if (a > reach) {
                reach = a;
                top = x[j];
            }
        }
        const float d = top / -8.0f, id = d != 0 ? 1.0f / d : 0.0f;
        hlmi_store16(b[i].d, hlmi_f32_to_f16(d));
        for (int j = 0; j < 16; j++) {
            const uint8_t lo = hlmi_clip_u8(x[j] * id + 8.5f, 15);
            const uint8_t hi = hlmi_clip_u8(x[j + 16] * id + 8.5f, 15);
            b[i].qs[j] = (uint8_t)(lo | hi << 4);
        }
    }
}

HLMI_REPACK(q4_0, HLMI_QB, q4)
HLMI_DEQUANTISE(q4_0, HLMI_QB, q4, HLMI_LAYOUT_Q4)
HLMI_MADE_DESCRIPTOR(q4_0, "q4_0", HLMI_QB, sizeof(hlmi_q4_0), HLMI_LAYOUT_Q4, q4_0_quantise)
