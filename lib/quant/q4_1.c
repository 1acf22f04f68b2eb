/* q4_1: blocks of 32, w = d * q + m. */
#include "quant/ggml.h"

enum { LANES = 32, UNIT = 640 };

static void q4_1_dequantise(float *y, const void *x, size_t n)
{
    const hlmi_q4_1 *b = x;
    for (size_t i = 0; i < n / HLMI_QB; i++, y += HLMI_QB) {
        const float d = hlmi_load_f16(b[i].d), m = hlmi_load_f16(b[i].m);
        for (int j = 0; j < 16; j++) {
            y[j] = d * (float)(b[i].qs[j] & 0x0F) + m;
            y[j + 16] = d * (float)(b[i].qs[j] >> 4) + m;
        }
    }
}

static void q4_1_quantise(void *y, const float *x, size_t n)
{
    hlmi_q4_1 *b = y;
    for (size_t i = 0; i < n / HLMI_QB; i++, x += HLMI_QB) {
        float lo = x[0], hi = x[0];
        for (int j = 1; j < HLMI_QB; j++) {
            if (x[j] < lo) lo = x[j];
            if (x[j] > hi) hi = x[j];
        }
        const float d = (hi - lo) / 15.0f, id = d != 0 ? 1.0f / d : 0.0f;
        hlmi_store16(b[i].d, hlmi_f32_to_f16(d));
        hlmi_store16(b[i].m, hlmi_f32_to_f16(lo));
        for (int j = 0; j < 16; j++) {
            const uint8_t q0 = hlmi_clip_u8((x[j] - lo) * id + 0.5f, 15);
            const uint8_t q1 = hlmi_clip_u8((x[j + 16] - lo) * id + 0.5f, 15);
            b[i].qs[j] = (uint8_t)(q0 | q1 << 4);
        }
    }
}

static void q4_1_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    for (size_t u = 0; u < cols / HLMI_QB; u++, out += UNIT) {
        for (size_t r = 0; r < LANES; r++) {
            const hlmi_q4_1 zero = {{0}, {0}, {0}}, *row = rows[r], *b = row ? row + u : &zero;
            memcpy(out + r * 2, b->d, 2);
            memcpy(out + 64 + r * 2, b->m, 2);
            hlmi_repack_nibbles(out + 128 + r * 4, LANES * 4, b->qs);
        }
    }
}

const hlmi_type_info hlmi_type_q4_1 = {
    .name = "q4_1",
    .block = HLMI_QB,
    .bytes = sizeof(hlmi_q4_1),
    .layout = HLMI_LAYOUT_Q4M,
    .dequantise = q4_1_dequantise,
    .quantise = q4_1_quantise,
    .repack = q4_1_repack,
};
