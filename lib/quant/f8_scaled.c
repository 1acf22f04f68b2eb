/* Blocks of 32 codes of E4M3 behind an f32 scale, as matrices have them that are made of two tensors (weights/coded.h):
 * no file has them. */
#include "quant/ggml.h"

typedef struct hlmi_f8_scaled {
    uint8_t d[4], q[32];
} hlmi_f8_scaled;

static void f8_scaled_lane(hlmi_unit_f8 *u, size_t r, const hlmi_f8_scaled *b)
{
    u->d[r] = hlmi_f32_from_bits(hlmi_load32(b->d));
    for (size_t c = 0; c < 8; c++) memcpy(u->q[c][r], b->q + c * 4, 4);
}

HLMI_BLOCK_TYPE(f8_scaled, "f8_scaled", HLMI_QB, f8, HLMI_LAYOUT_F8)
