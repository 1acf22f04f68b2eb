/* q5_K: super-blocks of 256 in eight of 32, w = d * sc * q - dmin * mn; scales and nibbles as q4_K has them, and bit k
 * of qh[l] is the fifth bit of element 32 k + l. */
#include "quant/scaled.h"

typedef struct hlmi_q5_k {
    uint8_t d[2], dmin[2], scales[12], qh[32], qs[128];
} hlmi_q5_k;

static void q5_k_split(hlmi_run *runs, const void *block)
{
    const hlmi_q5_k *b = block;
    const float d = hlmi_load_f16(b->d), dmin = hlmi_load_f16(b->dmin);
    uint8_t sc[8], mn[8];
    hlmi_k_scales(b->scales, sc, mn, 1);
    for (size_t k = 0; k < HLMI_QK; k++) {
        hlmi_run *run = &runs[k / HLMI_RUN];
        const size_t g = k / 32, l = k % 32;
        const int low = b->qs[g / 2 * 32 + l] >> (g % 2 * 4) & 15, high = b->qh[l] >> g & 1;
        run->d = d * (float)sc[g];
        run->m = -(dmin * (float)mn[g]);
        run->q[k % HLMI_RUN] = (int8_t)(low | high << 4);
    }
}

HLMI_SCALED_TYPE(q5_k, "q5_K", 256, S8M)
