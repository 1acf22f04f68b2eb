/* int4: what torchao's int4_weight_only makes at load. Blocks of 128, w = d * (q - 8) + m. Nibble k % 2 of byte k / 2.
 * No file has them. */
#include "quant/scaled.h"

enum { COLUMNS = 128, MIDDLE = 8, TOP = 15 };

typedef struct hlmi_int4 {
    uint8_t d[4], m[4], qs[COLUMNS / 2];
} hlmi_int4;
_Static_assert(sizeof(hlmi_int4) == 72, "int4 block is 72 bytes");

static void int4_split(hlmi_run *runs, const void *block)
{
    const hlmi_int4 *b = block;
    for (size_t k = 0; k < COLUMNS; k++) {
        hlmi_run *run = &runs[k / HLMI_RUN];
        memcpy(&run->d, b->d, sizeof run->d);
        memcpy(&run->m, b->m, sizeof run->m);
        run->q[k % HLMI_RUN] = (int8_t)((b->qs[k / 2] >> (k % 2 * 4) & 15) - MIDDLE);
    }
}

/* To the nearest integer, of two the even one; v is below 2^22. */
static float nearest(float v)
{
    const float shift = 12582912.0f;
    return v + shift - shift;
}

static void int4_quantise(void *y, const float *x, size_t n)
{
    hlmi_int4 *b = y;
    for (size_t i = 0; i < n / COLUMNS; i++, x += COLUMNS) {
        const float least = 1e-6f; /* torchao's, so that a group of equals has a scale */
        float low = x[0], high = x[0];
        for (size_t k = 1; k < COLUMNS; k++) {
            if (x[k] < low) low = x[k];
            if (x[k] > high) high = x[k];
        }
        const float range = (high - low) / (float)TOP, d = range > least ? range : least, m = low + MIDDLE * d;
        memcpy(b[i].d, &d, sizeof d);
        memcpy(b[i].m, &m, sizeof m);
        for (size_t k = 0; k < COLUMNS; k += 2) {
            const uint8_t first = hlmi_clip_u8(nearest((x[k] - low) / d), TOP);
            const uint8_t second = hlmi_clip_u8(nearest((x[k + 1] - low) / d), TOP);
            b[i].qs[k / 2] = (uint8_t)(first | second << 4);
        }
    }
}

HLMI_SCALED(int4, COLUMNS, S8M)
HLMI_MADE_DESCRIPTOR(int4, "int4", COLUMNS, sizeof(hlmi_int4), HLMI_LAYOUT_S8M, int4_quantise)
