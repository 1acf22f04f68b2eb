/* q3_K: super-blocks of 256 in sixteen of 16, w = d * (sc - 32) * q with q of -4 .. 3.
 *
 * Bit k of hm[l] is the upper bit of element 32 k + l, set where q is not negative. The 6-bit scales: the low 4 bits of
 * number g are nibble g of the first eight bytes (the low ones of all first), its upper 2 are bits 2 (g / 4) of byte 8 +
 * g mod 4. */
#include "quant/scaled.h"

typedef struct hlmi_q3_k {
    uint8_t hm[32], qs[64], scales[12], d[2];
} hlmi_q3_k;

static int scale_of(const uint8_t s[12], size_t g)
{
    const int low = s[g % 8] >> (g < 8 ? 0 : 4) & 15, high = s[8 + g % 4] >> (g / 4 * 2) & 3;
    return (low | high << 4) - 32;
}

static void q3_k_split(hlmi_run *runs, const void *block)
{
    const hlmi_q3_k *b = block;
    const float d = hlmi_load_f16(b->d);
    for (size_t g = 0; g < 16; g++) {
        runs[g].d = d * (float)scale_of(b->scales, g);
        runs[g].m = 0;
        for (size_t j = 0; j < 16; j++) {
            const size_t k = g * 16 + j;
            const int high = b->hm[k % 32] >> (k / 32) & 1;
            runs[g].q[j] = (int8_t)(hlmi_plane2(b->qs, k) - (high ? 0 : 4));
        }
    }
}

HLMI_SCALED_TYPE(q3_k, "q3_K", 256, false)
