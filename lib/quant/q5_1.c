/* q5_1: blocks of 32, w = d * q + m. */
#include "quant/ggml.h"

enum { LANES = 32, UNIT = 768 };

static void q5_1_dequantise(float *y, const void *x, size_t n)
{
    const hlmi_q5_1 *b = x;
    for (size_t i = 0; i < n / HLMI_QB; i++, y += HLMI_QB) {
        const float d = hlmi_load_f16(b[i].d), m = hlmi_load_f16(b[i].m);
        const uint32_t qh = hlmi_load32(b[i].qh);
        for (int j = 0; j < 16; j++) {
            const uint32_t lo = (b[i].qs[j] & 0x0Fu) | (qh >> j & 1) << 4;
            const uint32_t hi = (b[i].qs[j] >> 4) | (qh >> (j + 16) & 1) << 4;
            y[j] = d * (float)lo + m;
            y[j + 16] = d * (float)hi + m;
        }
    }
}

static void q5_1_quantise(void *y, const float *x, size_t n)
{
    hlmi_q5_1 *b = y;
    for (size_t i = 0; i < n / HLMI_QB; i++, x += HLMI_QB) {
        float low = x[0], high = x[0];
        for (int j = 1; j < HLMI_QB; j++) {
            if (x[j] < low) low = x[j];
            if (x[j] > high) high = x[j];
        }
        const float d = (high - low) / 31.0f, id = d != 0 ? 1.0f / d : 0.0f;
        uint32_t qh = 0;
        hlmi_store16(b[i].d, hlmi_f32_to_f16(d));
        hlmi_store16(b[i].m, hlmi_f32_to_f16(low));
        for (int j = 0; j < 16; j++) {
            const uint32_t lo = hlmi_clip_u8((x[j] - low) * id + 0.5f, 31);
            const uint32_t hi = hlmi_clip_u8((x[j + 16] - low) * id + 0.5f, 31);
            b[i].qs[j] = (uint8_t)((lo & 15) | (hi & 15) << 4);
            qh |= (lo >> 4) << j | (hi >> 4) << (j + 16);
        }
        hlmi_store32(b[i].qh, qh);
    }
}

static void q5_1_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    for (size_t u = 0; u < cols / HLMI_QB; u++, out += UNIT) {
        for (size_t r = 0; r < LANES; r++) {
            const hlmi_q5_1 zero = {{0}, {0}, {0}, {0}}, *row = rows[r], *b = row ? row + u : &zero;
            memcpy(out + r * 2, b->d, 2);
            memcpy(out + 64 + r * 2, b->m, 2);
            hlmi_repack_nibbles(out + 128 + r * 4, LANES * 4, b->qs);
            memcpy(out + 640 + r * 4, b->qh, 4);
        }
    }
}

const hlmi_type_info hlmi_type_q5_1 = {
    .name = "q5_1",
    .block = HLMI_QB,
    .bytes = sizeof(hlmi_q5_1),
    .layout = HLMI_LAYOUT_Q5M,
    .dequantise = q5_1_dequantise,
    .quantise = q5_1_quantise,
    .repack = q5_1_repack,
};
