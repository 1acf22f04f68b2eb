/* q2_K: super-blocks of 256 in sixteen of 16, w = d * sc * q - dmin * mn with 4-bit scales and minima. */
#include "quant/scaled.h"

typedef struct hlmi_q2_k {
    uint8_t scales[16], qs[64], d[2], dmin[2];
} hlmi_q2_k;

static void q2_k_split(hlmi_run *runs, const void *block)
{
    const hlmi_q2_k *b = block;
    const float d = hlmi_load_f16(b->d), dmin = hlmi_load_f16(b->dmin);
    for (size_t g = 0; g < 16; g++) {
        runs[g].d = d * (float)(b->scales[g] & 15);
        runs[g].m = -(dmin * (float)(b->scales[g] >> 4));
        for (size_t j = 0; j < 16; j++) runs[g].q[j] = (int8_t)hlmi_plane2(b->qs, g * 16 + j);
    }
}

HLMI_SCALED_TYPE(q2_k, "q2_K", 256, S8M)
