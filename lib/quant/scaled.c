/* Numbers and carriers of types that come apart into runs. */
#include "quant/scaled.h"

enum { LANES = 32 };

void hlmi_scaled_dequantise(const hlmi_scaled *t, float *y, const void *x, size_t n)
{
    hlmi_run runs[HLMI_MOST_RUNS];
    const uint8_t *b = x;
    for (size_t k = 0; k < n; k++) {
        if (k % t->block == 0) t->split(runs, b + k / t->block * t->bytes);
        const hlmi_run *run = &runs[k % t->block / HLMI_RUN];
        const float w = run->d * (float)run->q[k % HLMI_RUN];
        y[k] = t->minimum ? w + run->m : w;
    }
}

/* A run into lane r of half h of a unit, which has its scales, its minimums if there are any, and its codes in order. */
static void put(uint8_t *unit, bool minimum, size_t r, size_t h, const hlmi_run *run)
{
    enum { SCALES = 2 * LANES * 4 };
    memcpy(unit + (h * LANES + r) * 4, &run->d, 4);
    if (minimum) memcpy(unit + SCALES + (h * LANES + r) * 4, &run->m, 4);
    uint8_t *q = unit + (minimum ? 2 : 1) * SCALES + (h * 4 * LANES + r) * 4;
    for (size_t c = 0; c < HLMI_RUN / 4; c++) memcpy(q + c * LANES * 4, run->q + c * 4, 4);
}

void hlmi_scaled_repack(const hlmi_scaled *t, void *group, const void *const *rows, size_t cols)
{
    const size_t unit = t->minimum ? sizeof(hlmi_unit_s8m) : sizeof(hlmi_unit_s8);
    hlmi_run runs[HLMI_MOST_RUNS] = {0};
    for (size_t r = 0; r < LANES; r++) {
        const uint8_t *b = rows[r];
        if (!b) memset(runs, 0, sizeof runs);
        for (size_t k = 0; k < cols; k += HLMI_RUN) {
            if (b && k % t->block == 0) t->split(runs, b + k / t->block * t->bytes);
            put((uint8_t *)group + k / 32 * unit, t->minimum, r, k % 32 / HLMI_RUN, &runs[k % t->block / HLMI_RUN]);
        }
    }
}
