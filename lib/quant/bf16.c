/* bf16: the upper half of an f32. */
#include "quant/ggml.h"

enum { LANES = 32 };

static void bf16_dequantise(float *y, const void *x, size_t n)
{
    const uint8_t *p = x;
    for (size_t i = 0; i < n; i++) y[i] = hlmi_bf16_to_f32(hlmi_load16(p + 2 * i));
}

static void bf16_quantise(void *y, const float *x, size_t n)
{
    uint8_t *p = y;
    for (size_t i = 0; i < n; i++) hlmi_store16(p + 2 * i, hlmi_f32_to_bf16(x[i]));
}

static void bf16_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    memset(out, 0, (cols + 1) / 2 * LANES * 4);
    for (size_t r = 0; r < LANES; r++) {
        const uint8_t *x = rows[r];
        if (!x) continue;
        for (size_t k = 0; k + 1 < cols; k += 2) memcpy(out + k * LANES * 2 + r * 4, x + k * 2, 4);
        if (cols % 2) memcpy(out + (cols - 1) * LANES * 2 + r * 4, x + (cols - 1) * 2, 2);
    }
}

const hlmi_type_info hlmi_type_bf16 = {
    .name = "bf16",
    .block = 1,
    .bytes = 2,
    .layout = HLMI_LAYOUT_BF16,
    .dequantise = bf16_dequantise,
    .quantise = bf16_quantise,
    .repack = bf16_repack,
};
