/* q5_0: blocks of 32, w = d * (q - 16). */
#include "quant/ggml.h"

enum { LANES = 32, UNIT = 768 };

static void q5_0_dequantise(float *y, const void *x, size_t n)
{
    const hlmi_q5_0 *b = x;
    for (size_t i = 0; i < n / HLMI_QB; i++, y += HLMI_QB) {
        const float d = hlmi_load_f16(b[i].d);
        const uint32_t qh = hlmi_load32(b[i].qh);
        for (int j = 0; j < 16; j++) {
            const uint32_t lo = (b[i].qs[j] & 0x0Fu) | (qh >> j & 1) << 4;
            const uint32_t hi = (b[i].qs[j] >> 4) | (qh >> (j + 16) & 1) << 4;
            y[j] = d * (float)((int)lo - 16);
            y[j + 16] = d * (float)((int)hi - 16);
        }
    }
}

/* The element farthest from zero (the first of equals) becomes q = 0, that is -16 d. */
static void q5_0_quantise(void *y, const float *x, size_t n)
{
    hlmi_q5_0 *b = y;
    for (size_t i = 0; i < n / HLMI_QB; i++, x += HLMI_QB) {
        float top = x[0], reach = x[0] < 0 ? -x[0] : x[0];
        for (int j = 1; j < HLMI_QB; j++) {
            const float a = x[j] < 0 ? -x[j] : x[j];
            if (a > reach) {
                reach = a;
                top = x[j];
            }
        }
        const float d = top / -16.0f, id = d != 0 ? 1.0f / d : 0.0f;
        uint32_t qh = 0;
        hlmi_store16(b[i].d, hlmi_f32_to_f16(d));
        for (int j = 0; j < 16; j++) {
            const uint32_t lo = hlmi_clip_u8(x[j] * id + 16.5f, 31);
            const uint32_t hi = hlmi_clip_u8(x[j + 16] * id + 16.5f, 31);
            b[i].qs[j] = (uint8_t)((lo & 15) | (hi & 15) << 4);
            qh |= (lo >> 4) << j | (hi >> 4) << (j + 16);
        }
        hlmi_store32(b[i].qh, qh);
    }
}

/* -16 d as f16: exact for |d| < 4096, infinite from there on. */
static uint16_t minimum(const uint8_t d[2])
{
    return hlmi_f32_to_f16(-16.0f * hlmi_load_f16(d));
}

static void q5_0_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    for (size_t u = 0; u < cols / HLMI_QB; u++, out += UNIT) {
        for (size_t r = 0; r < LANES; r++) {
            const hlmi_q5_0 zero = {{0}, {0}, {0}}, *row = rows[r], *b = row ? row + u : &zero;
            memcpy(out + r * 2, b->d, 2);
            hlmi_store16(out + 64 + r * 2, minimum(b->d));
            hlmi_repack_nibbles(out + 128 + r * 4, LANES * 4, b->qs);
            memcpy(out + 640 + r * 4, b->qh, 4);
        }
    }
}

const hlmi_type_info hlmi_type_q5_0 = {
    .name = "q5_0",
    .block = HLMI_QB,
    .bytes = sizeof(hlmi_q5_0),
    .layout = HLMI_LAYOUT_Q5M,
    .dequantise = q5_0_dequantise,
    .quantise = q5_0_quantise,
    .repack = q5_0_repack,
};
