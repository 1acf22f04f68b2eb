/* q6_K: super-blocks of 256 in sixteen sub-blocks of 16 with int8 scales, w = d * sc * (q - 32).
 *
 * Each half of 128 elements has 64 bytes of ql and 32 of qh. Quarter i of a half (32 elements, j = 0..31): the low 4
 * bits are in ql[32 (i mod 2) + j], low nibble for i < 2, and the upper 2 bits are bits 2i, 2i+1 of qh[j]. */
#include "base/assert.h"
#include "quant/ggml.h"

typedef struct hlmi_q6_k {
    uint8_t ql[128], qh[64], scales[16], d[2];
} hlmi_q6_k;
_Static_assert(sizeof(hlmi_q6_k) == 210, "q6_K block is 210 bytes");

/* Four elements, one a byte: low nibbles and, in place, the upper bits; each byte becomes v - 32, without carries. */
static uint32_t join(uint32_t low, uint32_t high)
{
    const uint32_t v = (low & 0x0F0F0F0Fu) | (high & 0x30303030u);
    hlmi_assert((v & 0xC0C0C0C0u) == 0); /* kernels of K6 add pairs of products in 16 bits, so -32 .. 31 it must be */
    return (v + 0x60606060u) ^ 0x80808080u;
}

static void q6_k_lane(hlmi_unit_k6 *u, size_t r, const hlmi_q6_k *b)
{
    u->d[r] = hlmi_load16(b->d);
    u->zero[r] = 0;
    for (size_t s = 0; s < 16; s++) u->sc[s][r] = (int8_t)b->scales[s];
    for (size_t c = 0; c < 16; c++) { /* 4 k of each quarter, which is two sub-blocks, of one of the halves */
        const size_t half = c / 8, s = half * 8 + c % 8 / 4;
        const uint8_t *ql = b->ql + half * 64 + c % 8 * 4;
        const uint32_t a = hlmi_load32(ql), e = hlmi_load32(ql + 32), h = hlmi_load32(b->qh + c * 4);
        hlmi_store32(u->q[s][c % 4][r], join(a, h << 4));
        hlmi_store32(u->q[s + 2][c % 4][r], join(e, h << 2));
        hlmi_store32(u->q[s + 4][c % 4][r], join(a >> 4, h));
        hlmi_store32(u->q[s + 6][c % 4][r], join(e >> 4, h >> 2));
    }
}

HLMI_BLOCK_TYPE(q6_k, "q6_K", HLMI_QK, k6, HLMI_LAYOUT_K6)
