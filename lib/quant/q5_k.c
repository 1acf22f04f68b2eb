/* q5_K: super-blocks of 256 in eight of 32, w = d * sc * q - dmin * mn; scales and nibbles as q4_K has them, and bit k
 * of qh[l] is the fifth bit of element 32 k + l. */
#include "quant/ggml.h"

typedef struct hlmi_q5_k {
    uint8_t d[2], dmin[2], scales[12], qh[32], qs[128];
} hlmi_q5_k;

static void q5_k_lane(hlmi_unit_k5 *u, size_t r, const hlmi_q5_k *b)
{
    u->low.d[r] = hlmi_load16(b->d);
    u->low.dmin[r] = hlmi_load16(b->dmin);
    hlmi_k_scales(b->scales, &u->low.sc[0][r], &u->low.mn[0][r], sizeof u->low.sc[0]);
    hlmi_k_nibbles(u->low.q, r, b->qs);
    for (size_t s = 0; s < 8; s++) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 32; k++) bits |= (b->qh[k] >> s & 1u) << k;
        u->high[s][r] = hlmi_fifth_bits(bits);
    }
}

HLMI_BLOCK_TYPE(q5_k, "q5_K", HLMI_QK, k5, HLMI_LAYOUT_K5)
