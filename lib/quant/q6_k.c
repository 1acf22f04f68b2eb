/* q6_K: super-blocks of 256 in sixteen sub-blocks of 16, w = d * sc * (q - 32).
 *
 * Each half of 128 elements has 64 bytes of ql and 32 of qh. Quarter i of a half (32 elements, j = 0..31): the low 4 bits are in
 * ql[32 (i mod 2) + j], low nibble for i < 2, and the upper 2 bits are bits 2i, 2i+1 of qh[j]. */
#include "quant/block.h"

enum { LANES = 16, UNIT = 4416 };

static void q6_k_dequantise(float *y, const void *x, size_t n)
{
    const hlmi_q6_k *b = x;
    for (size_t i = 0; i < n / HLMI_QK; i++) {
        const float d = hlmi_load_f16(b[i].d);
        for (int s = 0; s < 8; s++, y += 32) { /* s: half 0 or 1, quarter 0..3 */
            const uint8_t *ql = b[i].ql + s / 4 * 64 + s % 2 * 32, *qh = b[i].qh + s / 4 * 32;
            const int low = s / 2 % 2 * 4, high = s % 4 * 2;
            const float d0 = d * (float)(int8_t)b[i].scales[2 * s];
            const float d1 = d * (float)(int8_t)b[i].scales[2 * s + 1];
            for (int j = 0; j < 32; j++) {
                const int q = (ql[j] >> low & 0x0F) | (qh[j] >> high & 3) << 4;
                y[j] = (j < 16 ? d0 : d1) * (float)(q - 32);
            }
        }
    }
}

static void q6_k_tile(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    for (size_t u = 0; u < cols / HLMI_QK; u++, out += UNIT) {
        memset(out + 32, 0, 32);
        for (size_t r = 0; r < LANES; r++) {
            const hlmi_q6_k zero = {{0}, {0}, {0}, {0}}, *row = rows[r], *b = row ? row + u : &zero;
            memcpy(out + r * 2, b->d, 2);
            for (size_t s = 0; s < 16; s++) out[64 + s * LANES + r] = b->scales[s];
            uint8_t *q = out + 320 + r * 4;
            for (size_t c = 0; c < 64; c++, q += LANES * 4) { /* chunks of 4; 8 make a quarter */
                const size_t s = c / 8, half = s / 4, j = c % 8 * 4;
                const uint32_t lo = hlmi_load32(b->ql + half * 64 + s % 2 * 32 + j) >> (s / 2 % 2 * 4);
                const uint32_t hi = hlmi_load32(b->qh + half * 32 + j) >> (s % 4 * 2);
                const uint32_t v = (lo & 0x0F0F0F0Fu) | (hi & 0x03030303u) << 4;
                hlmi_store32(q, (v + 0x60606060u) ^ 0x80808080u); /* each byte v - 32, without carries */
            }
        }
    }
}

const hlmi_type_info hlmi_type_q6_k = {
    .name = "q6_K", .block = HLMI_QK, .bytes = sizeof(hlmi_q6_k), .layout = HLMI_TILE_K6,
    .dequantise = q6_k_dequantise, .tile = q6_k_tile,
};
