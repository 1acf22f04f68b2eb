/* iq2_xxs, iq2_xs, iq2_s: points of grids of {8, 25, 43}^8 with signs, w = d * (sc + 1/2) / 4 * g. */
#include "quant/grids.h"
#include "quant/scaled.h"

typedef struct hlmi_iq2_xxs {
    uint8_t d[2], groups[8][8];
} hlmi_iq2_xxs;
typedef struct hlmi_iq2_xs {
    uint8_t d[2], qs[64], scales[8];
} hlmi_iq2_xs;
typedef struct hlmi_iq2_s {
    uint8_t d[2], idx[32], signs[32], qh[8], scales[8];
} hlmi_iq2_s;

static void eight(hlmi_run *runs, size_t i, float d, uint32_t scale, uint32_t entry, uint32_t minus)
{
    static const int8_t values[4] = {8, 25, 43};
    hlmi_run *r = &runs[i / 2];
    r->d = d * (0.5f + (float)scale) * 0.25f;
    r->m = 0;
    hlmi_grid_take(r->q + i % 2 * 8, 8, entry, values, minus);
}

/* For 32 elements: four index bytes, and a word of four times seven signs and a scale. */
static void iq2_xxs_split(hlmi_run *runs, const void *block)
{
    const hlmi_iq2_xxs *b = block;
    const float d = hlmi_load_f16(b->d);
    for (size_t i = 0; i < 32; i++) {
        const uint8_t *g = b->groups[i / 4];
        const uint32_t word = hlmi_load32(g + 4);
        eight(runs, i, d, word >> 28, hlmi_grid_iq2_xxs[g[i % 4]], hlmi_even_signs(word >> (i % 4 * 7)));
    }
}

/* For 8 elements a word of 9 index bits and seven signs; for 16 a nibble of scale. */
static void iq2_xs_split(hlmi_run *runs, const void *block)
{
    const hlmi_iq2_xs *b = block;
    const float d = hlmi_load_f16(b->d);
    for (size_t i = 0; i < 32; i++) {
        const uint32_t q = hlmi_load16(b->qs + i * 2), sc = (uint32_t)b->scales[i / 4] >> (i / 2 % 2 * 4) & 15u;
        eight(runs, i, d, sc, hlmi_grid_iq2_xs[q & 511], hlmi_even_signs(q >> 9));
    }
}

/* For 8 elements an index byte, two more index bits and eight signs; for 16 a nibble of scale. */
static void iq2_s_split(hlmi_run *runs, const void *block)
{
    const hlmi_iq2_s *b = block;
    const float d = hlmi_load_f16(b->d);
    for (size_t i = 0; i < 32; i++) {
        const uint32_t high = (uint32_t)b->qh[i / 4] >> (i % 4 * 2) & 3u,
                       sc = (uint32_t)b->scales[i / 4] >> (i / 2 % 2 * 4) & 15u;
        eight(runs, i, d, sc, hlmi_grid_iq2_s[b->idx[i] | high << 8], b->signs[i]);
    }
}

HLMI_SCALED_TYPE(iq2_xxs, "iq2_xxs", 256, S8)
HLMI_SCALED_TYPE(iq2_xs, "iq2_xs", 256, S8)
HLMI_SCALED_TYPE(iq2_s, "iq2_s", 256, S8)
