/* q3_K: super-blocks of 256 in sixteen of 16, w = d * (sc - 32) * q with q of -4 .. 3.
 *
 * Bit k of hm[l] is the upper bit of element 32 k + l, set where q is not negative. The 6-bit scales: the low 4 bits of
 * number g are nibble g of the first eight bytes (the low ones of all first), its upper 2 are bits 2 (g / 4) of byte 8
 * + g mod 4. */
#include "quant/scaled.h"

typedef struct hlmi_q3_k {
    uint8_t hm[32], qs[64], scales[12], d[2];
} hlmi_q3_k;

static int scale_of(const uint8_t s[12], size_t g)
{
    const int low = s[g % 8] >> (g < 8 ? 0 : 4) & 15, high = s[8 + g % 4] >> (g / 4 * 2) & 3;
    return (low | high << 4) - 32;
}

static void q3_k_lane(hlmi_unit_k6 *u, size_t r, const hlmi_q3_k *b)
{
    u->d[r] = hlmi_load16(b->d);
    u->zero[r] = 0;
    for (size_t g = 0; g < 16; g++) u->sc[g][r] = (int8_t)scale_of(b->scales, g);
    for (size_t k = 0; k < HLMI_QK; k++) {
        const int high = b->hm[k % 32] >> (k / 32) & 1;
        u->q[k / 16][k % 16 / 4][r][k % 4] = (int8_t)(hlmi_plane2(b->qs, k) - (high ? 0 : 4));
    }
}

HLMI_BLOCK_TYPE(q3_k, "q3_K", HLMI_QK, k6, HLMI_LAYOUT_K6)
