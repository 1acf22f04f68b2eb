/* Numbers and layouts of types that come apart into runs. */
#include "quant/scaled.h"

enum { LANES = 32 };

void hlmi_scaled_dequantise(const hlmi_scaled *t, float *y, const void *x, size_t n)
{
    hlmi_run runs[HLMI_MOST_RUNS];
    const uint8_t *b = x;
    const bool minimum = hlmi_layout_get(t->layout)->minimum;
    for (size_t k = 0; k < n; k++) {
        if (k % t->block == 0) t->split(runs, b + k / t->block * t->bytes);
        const hlmi_run *run = &runs[k % t->block / HLMI_RUN];
        const float w = run->d * (float)run->q[k % HLMI_RUN];
        y[k] = minimum ? w + run->m : w;
    }
}

/* A run into lane r of half h of a unit: its scale and minimum, and its codes in order behind those of all lanes. */
static void put(uint8_t *unit, hlmi_layout layout, size_t r, size_t h, const hlmi_run *run)
{
    uint8_t *q = NULL;
    if (layout == HLMI_LAYOUT_Q8) {
        hlmi_unit_q8 *u = (hlmi_unit_q8 *)(void *)unit;
        u->d[r] = hlmi_f32_to_f16(run->d);
        q = (uint8_t *)u->q;
    } else {
        hlmi_unit_s8m *u = (hlmi_unit_s8m *)(void *)unit; /* scales are where s8 has them */
        u->d[h][r] = run->d;
        if (layout == HLMI_LAYOUT_S8M) u->m[h][r] = run->m;
        q = layout == HLMI_LAYOUT_S8M ? (uint8_t *)u->q : (uint8_t *)((hlmi_unit_s8 *)u)->q;
    }
    q += (h * 4 * LANES + r) * 4;
    for (size_t c = 0; c < HLMI_RUN / 4; c++) memcpy(q + c * LANES * 4, run->q + c * 4, 4);
}

void hlmi_scaled_repack(const hlmi_scaled *t, void *group, const void *const *rows, size_t cols)
{
    const size_t unit = hlmi_layout_get(t->layout)->unit_bytes;
    hlmi_run runs[HLMI_MOST_RUNS] = {0};
    for (size_t r = 0; r < LANES; r++) {
        const uint8_t *b = rows[r];
        if (!b) memset(runs, 0, sizeof runs);
        for (size_t k = 0; k < cols; k += HLMI_RUN) {
            if (b && k % t->block == 0) t->split(runs, b + k / t->block * t->bytes);
            put((uint8_t *)group + k / 32 * unit, t->layout, r, k % 32 / HLMI_RUN, &runs[k % t->block / HLMI_RUN]);
        }
    }
}
