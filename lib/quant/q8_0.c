/* q8_0: blocks of 32, w = d * q with signed q. */
#include "quant/ggml.h"

enum { LANES = 32, UNIT = 1088 };

static void q8_0_dequantise(float *y, const void *x, size_t n)
{
    const hlmi_q8_0 *b = x;
    for (size_t i = 0; i < n / HLMI_QB; i++, y += HLMI_QB) {
        const float d = hlmi_load_f16(b[i].d);
        for (int j = 0; j < HLMI_QB; j++) y[j] = d * (float)(int8_t)b[i].qs[j];
    }
}

/* Half away from zero, as the type's reference rounds; NaN and what is past int8 are brought inside. */
static uint8_t round_q8(float v)
{
    const float a = v < 0 ? -v : v;
    const int whole = hlmi_clip_u8(a, 127);
    int q = whole + (2.0f * (a - (float)whole) >= 1.0f);
    if (q > 127) q = 127;
    return (uint8_t)(v < 0 ? -q : q);
}

static void q8_0_quantise(void *y, const float *x, size_t n)
{
    hlmi_q8_0 *b = y;
    for (size_t i = 0; i < n / HLMI_QB; i++, x += HLMI_QB) {
        float reach = 0;
        for (int j = 0; j < HLMI_QB; j++) {
            const float a = x[j] < 0 ? -x[j] : x[j];
            if (a > reach) reach = a;
        }
        const float d = reach / 127.0f, id = d != 0 ? 1.0f / d : 0.0f;
        hlmi_store16(b[i].d, hlmi_f32_to_f16(d));
        for (int j = 0; j < HLMI_QB; j++) b[i].qs[j] = round_q8(x[j] * id);
    }
}

static void q8_0_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    for (size_t u = 0; u < cols / HLMI_QB; u++, out += UNIT) {
        for (size_t r = 0; r < LANES; r++) {
            const hlmi_q8_0 zero = {{0}, {0}}, *row = rows[r], *b = row ? row + u : &zero;
            memcpy(out + r * 2, b->d, 2);
            for (size_t c = 0; c < 8; c++) memcpy(out + 64 + c * (LANES * 4) + r * 4, b->qs + c * 4, 4);
        }
    }
}

const hlmi_type_info hlmi_type_q8_0 = {
    .name = "q8_0",
    .block = HLMI_QB,
    .bytes = sizeof(hlmi_q8_0),
    .layout = HLMI_LAYOUT_Q8,
    .dequantise = q8_0_dequantise,
    .quantise = q8_0_quantise,
    .repack = q8_0_repack,
};
