/* iq3_xxs and iq3_s: points of grids of four magnitudes with signs. */
#include "quant/grids.h"
#include "quant/scaled.h"

typedef struct hlmi_iq3_xxs {
    uint8_t d[2], idx[64], words[32];
} hlmi_iq3_xxs;
typedef struct hlmi_iq3_s {
    uint8_t d[2], idx[64], qh[8], signs[32], scales[4];
} hlmi_iq3_s;

/* Fours 2i and 2i + 1, with the signs of eight. */
static void two_fours(int8_t *q, uint32_t first, uint32_t second, const int8_t values[8], uint32_t minus)
{
    hlmi_grid_take(q, 4, first, values, minus);
    hlmi_grid_take(q + 4, 4, second, values, minus >> 4);
}

/* w = d * (sc + 1/2) / 2 * g; for 32 elements a word of four times seven signs and a scale. */
static void iq3_xxs_split(hlmi_run *runs, const void *block)
{
    static const int8_t values[8] = {4, 12, 20, 28, 36, 44, 52, 62};
    const hlmi_iq3_xxs *b = block;
    const float d = hlmi_load_f16(b->d);
    for (size_t i = 0; i < 32; i++) {
        const uint32_t word = hlmi_load32(b->words + i / 4 * 4);
        runs[i / 2].d = d * (0.5f + (float)(word >> 28)) * 0.5f;
        runs[i / 2].m = 0;
        two_fours(runs[i / 2].q + i % 2 * 8, hlmi_grid_iq3_xxs[b->idx[i * 2]], hlmi_grid_iq3_xxs[b->idx[i * 2 + 1]],
                  values, hlmi_even_signs(word >> (i % 4 * 7)));
    }
}

/* w = d * (1 + 2 sc) * g; a ninth index bit for each four, eight signs, a nibble of scale for 32. */
static void iq3_s_lane(hlmi_unit_k6 *u, size_t r, const hlmi_iq3_s *b)
{
    static const int8_t values[8] = {1, 3, 5, 7, 9, 11, 13, 15};
    u->d[r] = hlmi_load16(b->d);
    u->zero[r] = 0;
    for (size_t i = 0; i < 32; i++) {
        const uint32_t high = (uint32_t)b->qh[i / 4] >> (i % 4 * 2),
                       sc = (uint32_t)b->scales[i / 8] >> (i / 4 % 2 * 4) & 15u;
        const uint32_t first = b->idx[i * 2] | (high & 1) << 8, second = b->idx[i * 2 + 1] | (high >> 1 & 1) << 8;
        int8_t q[8];
        two_fours(q, hlmi_grid_iq3_s[first], hlmi_grid_iq3_s[second], values, b->signs[i]);
        u->sc[i / 2][r] = (int8_t)(1 + 2 * sc);
        for (size_t c = 0; c < 2; c++) memcpy(u->q[i / 2][i % 2 * 2 + c][r], q + c * 4, 4);
    }
}

HLMI_SCALED_TYPE(iq3_xxs, "iq3_xxs", 256, S8)
HLMI_BLOCK_TYPE(iq3_s, "iq3_s", HLMI_QK, k6, HLMI_LAYOUT_K6)
