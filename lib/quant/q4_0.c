/* q4_0: blocks of 32, w = d * (q - 8). */
#include "quant/ggml.h"

enum { LANES = 32, UNIT = 576 };

static void q4_0_dequantise(float *y, const void *x, size_t n)
{
    const hlmi_q4_0 *b = x;
    for (size_t i = 0; i < n / HLMI_QB; i++, y += HLMI_QB) {
        const float d = hlmi_load_f16(b[i].d);
        for (int j = 0; j < 16; j++) {
            y[j] = d * (float)((b[i].qs[j] & 0x0F) - 8);
            y[j + 16] = d * (float)((b[i].qs[j] >> 4) - 8);
        }
    }
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

static void q4_0_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    for (size_t u = 0; u < cols / HLMI_QB; u++, out += UNIT) {
        for (size_t r = 0; r < LANES; r++) {
            const hlmi_q4_0 zero = {{0}, {0}}, *row = rows[r], *b = row ? row + u : &zero;
            memcpy(out + r * 2, b->d, 2);
            hlmi_repack_nibbles(out + 64 + r * 4, LANES * 4, b->qs);
        }
    }
}

const hlmi_type_info hlmi_type_q4_0 = {
    .name = "q4_0",
    .block = HLMI_QB,
    .bytes = sizeof(hlmi_q4_0),
    .layout = HLMI_LAYOUT_Q4,
    .dequantise = q4_0_dequantise,
    .quantise = q4_0_quantise,
    .repack = q4_0_repack,
};
