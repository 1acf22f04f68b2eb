/* Nibbles that name numbers of a table: iq4_nl, iq4_xs (a table fitted to weights), mxfp4 and nvfp4 (E2M1: twice its
 * values are integers). Of each run of 2n nibbles the low halves of n bytes come first. */
#include "quant/scaled.h"

static const int8_t e2m1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

typedef struct hlmi_iq4_nl {
    uint8_t d[2], qs[16];
} hlmi_iq4_nl;
typedef struct hlmi_iq4_xs {
    uint8_t d[2], high[2], low[4], qs[128];
} hlmi_iq4_xs;
typedef struct hlmi_mxfp4 {
    uint8_t e, qs[16];
} hlmi_mxfp4;
typedef struct hlmi_nvfp4 {
    uint8_t s[4], qs[32];
} hlmi_nvfp4;

/* 32 elements of 16 bytes. */
static void pair(hlmi_run runs[2], float s, const uint8_t qs[16], const int8_t table[16])
{
    runs[0] = runs[1] = (hlmi_run){.d = s};
    for (size_t j = 0; j < 16; j++) {
        runs[0].q[j] = table[qs[j] & 15];
        runs[1].q[j] = table[qs[j] >> 4];
    }
}

static void iq4_nl_split(hlmi_run *runs, const void *block)
{
    const hlmi_iq4_nl *b = block;
    pair(runs, hlmi_load_f16(b->d), b->qs, hlmi_k4t_values);
}

/* For 32 elements a scale of 6 bits: a nibble of `low`, two bits of `high`. */
static void iq4_xs_lane(hlmi_unit_k4t *u, size_t r, const hlmi_iq4_xs *b)
{
    const uint32_t high = hlmi_load16(b->high);
    u->d[r] = hlmi_load16(b->d);
    u->zero[r] = 0;
    for (size_t s = 0; s < 8; s++) {
        const uint32_t sc = ((uint32_t)b->low[s / 2] >> (s % 2 * 4) & 15u) | (high >> (s * 2) & 3) << 4;
        u->sc[s][r] = (int8_t)((int)sc - 32);
        for (size_t c = 0; c < 2; c++) hlmi_nibbles(u->q[s][c][r], u->q[s][c + 2][r], b->qs + s * 16 + c * 8);
    }
}

/* 2^(e - 128), halved for the table's sake; the two smallest are subnormal. */
static void mxfp4_split(hlmi_run *runs, const void *block)
{
    const hlmi_mxfp4 *b = block;
    const uint32_t bits = b->e < 2 ? 0x00200000u << b->e : (uint32_t)(b->e - 1) << 23;
    pair(runs, hlmi_f32_from_bits(bits), b->qs, e2m1);
}

/* E4M3 without a sign; 127 is no number and read as 0. */
static float ue4m3(uint8_t s)
{
    const uint32_t e = s >> 3 & 15, m = s & 7;
    if ((s & 127) == 127) return 0;
    return e ? hlmi_f32_from_bits((e + 120) << 23 | m << 20) : (float)m * 0x1p-9f;
}

void hlmi_nvfp4_split(hlmi_run runs[4], const void *block)
{
    const hlmi_nvfp4 *b = block;
    for (size_t g = 0; g < 4; g++) {
        runs[g] = (hlmi_run){.d = ue4m3(b->s[g]) * 0.5f};
        for (size_t j = 0; j < 16; j++) runs[g].q[j] = e2m1[b->qs[g * 8 + j % 8] >> (j / 8 * 4) & 15];
    }
}

static void nvfp4_split(hlmi_run *runs, const void *block)
{
    hlmi_nvfp4_split(runs, block);
}

HLMI_SCALED_TYPE(iq4_nl, "iq4_nl", 32, Q8)
HLMI_BLOCK_TYPE(iq4_xs, "iq4_xs", HLMI_QK, k4t, HLMI_LAYOUT_K4T)
HLMI_SCALED_TYPE(mxfp4, "mxfp4", 32, S8)
HLMI_SCALED_TYPE(nvfp4, "nvfp4", 64, S8)
