/* f64: rounded to the nearest f32, so that its matrices lie as f32. */
#include "quant/ggml.h"

enum { LANES = 32, SIZE = 8 };

static float load(const uint8_t *x)
{
    const uint64_t bits = (uint64_t)hlmi_load32(x) | (uint64_t)hlmi_load32(x + 4) << 32;
    double d;
    memcpy(&d, &bits, sizeof d);
    return (float)d;
}

static void f64_dequantise(float *y, const void *x, size_t n)
{
    const uint8_t *p = x;
    for (size_t i = 0; i < n; i++) y[i] = load(p + SIZE * i);
}

static void f64_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    memset(out, 0, cols * LANES * sizeof(float));
    for (size_t r = 0; r < LANES; r++) {
        const uint8_t *x = rows[r];
        for (size_t k = 0; x && k < cols; k++) {
            const float f = load(x + SIZE * k);
            memcpy(out + (k * LANES + r) * sizeof f, &f, sizeof f);
        }
    }
}

const hlmi_type_info hlmi_type_f64 = {
    .name = "f64",
    .block = 1,
    .bytes = SIZE,
    .layout = HLMI_LAYOUT_F32,
    .dequantise = f64_dequantise,
    .repack = f64_repack,
};
