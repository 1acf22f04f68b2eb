/* f16: IEEE half precision. */
#include "quant/ggml.h"

enum { LANES = 32 };

static void f16_dequantise(float *y, const void *x, size_t n)
{
    const uint8_t *p = x;
    for (size_t i = 0; i < n; i++) y[i] = hlmi_load_f16(p + 2 * i);
}

static void f16_quantise(void *y, const float *x, size_t n)
{
    uint8_t *p = y;
    for (size_t i = 0; i < n; i++) hlmi_store16(p + 2 * i, hlmi_f32_to_f16(x[i]));
}

static void f16_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    memset(out, 0, cols * LANES * 2);
    for (size_t r = 0; r < LANES; r++) {
        const uint8_t *x = rows[r];
        if (!x) continue;
        for (size_t k = 0; k < cols; k++) memcpy(out + (k * LANES + r) * 2, x + k * 2, 2);
    }
}

const hlmi_type_info hlmi_type_f16 = {
    .name = "f16",
    .block = 1,
    .bytes = 2,
    .layout = HLMI_LAYOUT_F16,
    .dequantise = f16_dequantise,
    .quantise = f16_quantise,
    .repack = f16_repack,
};
