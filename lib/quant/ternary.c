/* Weights of two, three or four steps with one scale a block: q1_0, q2_0, tq1_0, tq2_0. */
#include "quant/scaled.h"

typedef struct hlmi_q1_0 {
    uint8_t d[2], bits[16];
} hlmi_q1_0;
typedef struct hlmi_q2_0 {
    uint8_t d[2], qs[16];
} hlmi_q2_0;
typedef struct hlmi_tq1_0 {
    uint8_t qs[48], qh[4], d[2];
} hlmi_tq1_0;
typedef struct hlmi_tq2_0 {
    uint8_t qs[64], d[2];
} hlmi_tq2_0;

/* Element k of its block. */
static void put(hlmi_run *runs, size_t k, float d, int q)
{
    runs[k / HLMI_RUN].d = d;
    runs[k / HLMI_RUN].m = 0;
    runs[k / HLMI_RUN].q[k % HLMI_RUN] = (int8_t)q;
}

static void q1_0_split(hlmi_run *runs, const void *block)
{
    const hlmi_q1_0 *b = block;
    const float d = hlmi_load_f16(b->d);
    for (size_t k = 0; k < 128; k++) put(runs, k, d, b->bits[k / 8] >> (k % 8) & 1 ? 1 : -1);
}

static void q2_0_split(hlmi_run *runs, const void *block)
{
    const hlmi_q2_0 *b = block;
    const float d = hlmi_load_f16(b->d);
    for (size_t k = 0; k < 64; k++) put(runs, k, d, (b->qs[k / 4] >> (k % 4 * 2) & 3) - 1);
}

/* Digit n of base 3: the byte is a fraction of 256, five digits long. */
static int digit(uint8_t x, size_t n)
{
    static const uint8_t power[5] = {1, 3, 9, 27, 81};
    return (uint8_t)(x * power[n]) * 3 >> 8;
}

/* Five digits of the first 32 bytes, digit by digit, five of the next 16, and four of qh. */
static void tq1_0_split(hlmi_run *runs, const void *block)
{
    const hlmi_tq1_0 *b = block;
    const float d = hlmi_load_f16(b->d);
    for (size_t k = 0; k < HLMI_QK; k++) {
        const int t = k < 160 ? digit(b->qs[k % 32], k / 32)
            : k < 240         ? digit(b->qs[32 + k % 16], (k - 160) / 16)
                              : digit(b->qh[k % 4], (k - 240) / 4);
        put(runs, k, d, t - 1);
    }
}

static void tq2_0_split(hlmi_run *runs, const void *block)
{
    const hlmi_tq2_0 *b = block;
    const float d = hlmi_load_f16(b->d);
    for (size_t k = 0; k < HLMI_QK; k++) put(runs, k, d, hlmi_plane2(b->qs, k) - 1);
}

HLMI_SCALED_TYPE(q1_0, "q1_0", 128, Q8)
HLMI_SCALED_TYPE(q2_0, "q2_0", 64, Q8)
HLMI_SCALED_TYPE(tq1_0, "tq1_0", 256, Q8)
HLMI_SCALED_TYPE(tq2_0, "tq2_0", 256, Q8)
