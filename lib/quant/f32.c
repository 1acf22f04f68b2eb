/* f32: little-endian floats, as the machine has them. */
#include "quant/ggml.h"

enum { LANES = 32 };

static void f32_dequantise(float *y, const void *x, size_t n)
{
    if (n) memcpy(y, x, n * sizeof *y);
}

static void f32_quantise(void *y, const float *x, size_t n)
{
    if (n) memcpy(y, x, n * sizeof *x);
}

static void f32_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    memset(out, 0, cols * LANES * sizeof(float));
    for (size_t r = 0; r < LANES; r++) {
        const uint8_t *x = rows[r];
        if (!x) continue;
        for (size_t k = 0; k < cols; k++) hlmi_store32(out + (k * LANES + r) * 4, hlmi_load32(x + k * 4));
    }
}

const hlmi_type_info hlmi_type_f32 = {
    .name = "f32",
    .block = 1,
    .bytes = 4,
    .layout = HLMI_LAYOUT_F32,
    .dequantise = f32_dequantise,
    .quantise = f32_quantise,
    .repack = f32_repack,
};
