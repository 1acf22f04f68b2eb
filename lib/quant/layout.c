/* The table of layouts and the reading of single rows out of them. */
#include "quant/layout.h"

#include "base/size.h"
#include "quant/ggml.h"

/* ---- plain layouts: one load an element ---- */

static void read_f32(float *y, const void *group, size_t cols, size_t row, size_t k0, size_t n)
{
    (void)cols;
    const uint8_t *p = (const uint8_t *)group + (k0 * 32 + row) * 4;
    for (size_t i = 0; i < n; i++) memcpy(&y[i], p + i * 128, 4);
}

static void read_f16(float *y, const void *group, size_t cols, size_t row, size_t k0, size_t n)
{
    (void)cols;
    const uint8_t *p = (const uint8_t *)group + (k0 * 32 + row) * 2;
    for (size_t i = 0; i < n; i++) y[i] = hlmi_load_f16(p + i * 64);
}

static void read_bf16(float *y, const void *group, size_t cols, size_t row, size_t k0, size_t n)
{
    (void)cols;
    const uint8_t *p = (const uint8_t *)group + row * 4;
    for (size_t i = 0; i < n; i++) {
        const size_t k = k0 + i;
        y[i] = hlmi_bf16_to_f32(hlmi_load16(p + k / 2 * 128 + k % 2 * 2));
    }
}

/* ---- unit layouts: a lane of a whole unit at a time ---- */

typedef void expand_fn(float *w, const uint8_t *unit, size_t row);

/* Elements k0 .. k0+n-1 of a lane; units that are wanted only in part go through a buffer. */
static void read_units(float *y, const uint8_t *group, size_t unit_k, size_t unit_bytes, expand_fn *expand, size_t row,
                       size_t k0, size_t n)
{
    float part[HLMI_QK];
    while (n) {
        const size_t skip = k0 % unit_k, take = hlmi_min_size(n, unit_k - skip);
        const uint8_t *unit = group + k0 / unit_k * unit_bytes;
        if (take == unit_k) {
            expand(y, unit, row);
        } else {
            expand(part, unit, row);
            memcpy(y, part + skip, take * sizeof *y);
        }
        y += take;
        k0 += take;
        n -= take;
    }
}

/* The nibbles of a lane's 32 k, from chunks of 8 that are `step` bytes apart. */
static void lane_nibbles(uint8_t q[32], const uint8_t *p, size_t step)
{
    for (size_t c = 0; c < 4; c++, p += step) {
        for (size_t j = 0; j < 4; j++) {
            q[c * 8 + j] = p[j] & 0x0F;
            q[c * 8 + 4 + j] = p[j] >> 4;
        }
    }
}

static void expand_q4(float *w, const uint8_t *unit, size_t row)
{
    uint8_t q[32];
    const float d = hlmi_load_f16(unit + row * 2);
    lane_nibbles(q, unit + 64 + row * 4, 128);
    for (int k = 0; k < 32; k++) w[k] = d * (float)(q[k] - 8);
}

static void expand_q4m(float *w, const uint8_t *unit, size_t row)
{
    uint8_t q[32];
    const float d = hlmi_load_f16(unit + row * 2), m = hlmi_load_f16(unit + 64 + row * 2);
    lane_nibbles(q, unit + 128 + row * 4, 128);
    for (int k = 0; k < 32; k++) w[k] = d * (float)q[k] + m;
}

static void expand_q5m(float *w, const uint8_t *unit, size_t row)
{
    uint8_t q[32];
    const float d = hlmi_load_f16(unit + row * 2), m = hlmi_load_f16(unit + 64 + row * 2);
    const uint32_t high = hlmi_load32(unit + 640 + row * 4);
    lane_nibbles(q, unit + 128 + row * 4, 128);
    for (int k = 0; k < 32; k++) w[k] = d * (float)(q[k] | (high >> k & 1) << 4) + m;
}

static void expand_q8(float *w, const uint8_t *unit, size_t row)
{
    const float d = hlmi_load_f16(unit + row * 2);
    const uint8_t *p = unit + 64 + row * 4;
    for (int k = 0; k < 32; k++) w[k] = d * (float)(int8_t)p[k / 4 * 128 + k % 4];
}

static void expand_k4(float *w, const uint8_t *unit, size_t row)
{
    const float d = hlmi_load_f16(unit + row * 2), dmin = hlmi_load_f16(unit + 32 + row * 2);
    for (size_t s = 0; s < 8; s++, w += 32) {
        uint8_t q[32];
        const float ds = d * (float)unit[64 + s * 16 + row], ms = dmin * (float)unit[192 + s * 16 + row];
        lane_nibbles(q, unit + 320 + s * 256 + row * 4, 64);
        for (int k = 0; k < 32; k++) w[k] = ds * (float)q[k] - ms;
    }
}

static void expand_k6(float *w, const uint8_t *unit, size_t row)
{
    const float d = hlmi_load_f16(unit + row * 2);
    const uint8_t *p = unit + 320 + row * 4;
    for (size_t s = 0; s < 16; s++, w += 16, p += 256) {
        const float ds = d * (float)(int8_t)unit[64 + s * 16 + row];
        for (int k = 0; k < 16; k++) w[k] = ds * (float)(int8_t)p[k / 4 * 64 + k % 4];
    }
}

#define READER(constant, name, rows, unit_k, unit_bytes)                                             \
  static void read_##name(float *y, const void *group, size_t cols, size_t row, size_t k0, size_t n) \
  {                                                                                                  \
    (void)cols;                                                                                      \
    read_units(y, group, unit_k, unit_bytes, expand_##name, row, k0, n);                             \
  }
HLMI_UNIT_LAYOUTS(READER)
#undef READER

static const hlmi_layout_info layouts[HLMI_LAYOUT_COUNT] = {
#define ROW(constant, name, rows, unit_k, unit_bytes) \
  [HLMI_LAYOUT_##constant] = {#name, rows, unit_k, unit_bytes, read_##name},
    HLMI_LAYOUTS(ROW)
#undef ROW
};

const hlmi_layout_info *hlmi_layout_get(hlmi_layout layout)
{
    return (unsigned)layout < HLMI_LAYOUT_COUNT ? &layouts[layout] : NULL;
}

size_t hlmi_layout_group_bytes(hlmi_layout layout, size_t cols)
{
    const hlmi_layout_info *l = hlmi_layout_get(layout);
    return l ? hlmi_div_up(cols, l->unit_k) * l->unit_bytes : 0;
}
