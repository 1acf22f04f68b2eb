/* iq1_s and iq1_m: points of one grid of {-1, 0, 1}^8, each moved by 1/8 up or down, w = d * (2 sc + 1) * (g +- 1/8).
 * Eighths make that integers: 8 g +- 1. */
#include "quant/grids.h"
#include "quant/scaled.h"

typedef struct hlmi_iq1_s {
    uint8_t d[2], idx[32], qh[16];
} hlmi_iq1_s;
typedef struct hlmi_iq1_m {
    uint8_t idx[32], qh[16], scales[8];
} hlmi_iq1_m;

static void eight(int8_t *q, uint32_t index, bool down)
{
    static const int8_t up_by[4] = {-7, 1, 9}, down_by[4] = {-9, -1, 7};
    hlmi_grid_take(q, 8, hlmi_grid_iq1_s[index], down ? down_by : up_by, 0);
}

/* For 32 elements a word: 3 more index bits for each eight, 3 of a scale, and the direction. */
static void iq1_s_split(hlmi_run *runs, const void *block)
{
    const hlmi_iq1_s *b = block;
    const float d = hlmi_load_f16(b->d);
    for (size_t i = 0; i < 32; i++) { /* eights */
        const uint32_t h = hlmi_load16(b->qh + i / 4 * 2);
        runs[i / 2].d = d * (float)(2 * (h >> 12 & 7) + 1) * 0.125f;
        runs[i / 2].m = 0;
        eight(runs[i / 2].q + i % 2 * 8, b->idx[i] | (h >> (i % 4 * 3) & 7) << 8, h >> 15);
    }
}

/* For each eight a nibble: 3 more index bits and the direction; 3-bit scales for each 16; d in the upper nibbles of the
 * four words of scales, lowest first. */
static void iq1_m_split(hlmi_run *runs, const void *block)
{
    const hlmi_iq1_m *b = block;
    uint32_t bits = 0;
    for (size_t w = 0; w < 4; w++) bits |= (uint32_t)(b->scales[w * 2 + 1] >> 4) << (4 * w);
    const float d = hlmi_f16_to_f32((uint16_t)bits);
    for (size_t i = 0; i < 32; i++) {
        const uint32_t h = (uint32_t)b->qh[i / 2] >> (i % 2 * 4);
        const uint32_t sc = hlmi_load16(b->scales + i / 8 * 2) >> (i / 2 % 4 * 3) & 7;
        runs[i / 2].d = d * (float)(2 * sc + 1) * 0.125f;
        runs[i / 2].m = 0;
        eight(runs[i / 2].q + i % 2 * 8, b->idx[i] | (h & 7) << 8, h >> 3 & 1);
    }
}

HLMI_SCALED_TYPE(iq1_s, "iq1_s", 256, S8)
HLMI_SCALED_TYPE(iq1_m, "iq1_m", 256, S8)
