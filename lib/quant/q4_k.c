/* q4_K: super-blocks of 256 in eight sub-blocks of 32, w = d * sc * q - dmin * mn. 32 bytes of qs are two sub-blocks,
 * low nibbles first.
 *
 * The 6-bit scales: bytes 0..3 hold sc of sub-blocks 0..3 in their low 6 bits, bytes 4..7 mn of the same; bytes 8..11
 * the low 4 bits of sc (low nibble) and mn (high nibble) of sub-blocks 4..7, whose upper 2 bits are the upper 2 bits of
 * bytes 0..3 and 4..7. */
#include "quant/ggml.h"

typedef struct hlmi_q4_k {
    uint8_t d[2], dmin[2], scales[12], qs[128];
} hlmi_q4_k;
_Static_assert(sizeof(hlmi_q4_k) == 144, "q4_K block is 144 bytes");

void hlmi_k_scales(const uint8_t s[12], uint8_t *sc, uint8_t *mn, size_t step)
{
    for (size_t i = 0; i < 4; i++) {
        sc[i * step] = s[i] & 0x3F;
        mn[i * step] = s[i + 4] & 0x3F;
        sc[(i + 4) * step] = (uint8_t)((s[i + 8] & 0x0F) | (s[i] >> 2 & 0x30));
        mn[(i + 4) * step] = (uint8_t)(s[i + 8] >> 4 | (s[i + 4] >> 2 & 0x30));
    }
}

void hlmi_k_nibbles(uint8_t q[8][4][16][4], size_t r, const uint8_t qs[128])
{
    for (size_t c = 0; c < 16; c++) /* four chunks of each pair of sub-blocks */
        hlmi_nibbles(q[c / 4 * 2][c % 4][r], q[c / 4 * 2 + 1][c % 4][r], qs + c * 8);
}

static void q4_k_lane(hlmi_unit_k4 *u, size_t r, const hlmi_q4_k *b)
{
    u->d[r] = hlmi_load16(b->d);
    u->dmin[r] = hlmi_load16(b->dmin);
    hlmi_k_scales(b->scales, &u->sc[0][r], &u->mn[0][r], sizeof u->sc[0]);
    hlmi_k_nibbles(u->q, r, b->qs);
}

HLMI_BLOCK_TYPE(q4_k, "q4_K", HLMI_QK, k4, HLMI_LAYOUT_K4)
