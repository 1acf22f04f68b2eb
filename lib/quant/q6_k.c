/* q6_K: super-blocks of 256 in sixteen sub-blocks of 16, w = d * sc * (q - 32).
 *
 * Each half of 128 elements has 64 bytes of ql and 32 of qh. Quarter i of a half (32 elements, j = 0..31): the low 4
 * bits are in ql[32 (i mod 2) + j], low nibble for i < 2, and the upper 2 bits are bits 2i, 2i+1 of qh[j]. */
#include "base/assert.h"
#include "quant/ggml.h"

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

/* Four elements, one a byte: low nibbles and, in place, the upper bits; each byte becomes v - 32, without carries. */
static uint32_t join(uint32_t low, uint32_t high)
{
    const uint32_t v = (low & 0x0F0F0F0Fu) | (high & 0x30303030u);
    hlmi_assert((v & 0xC0C0C0C0u) == 0); /* kernels of K6 add pairs of products in 16 bits, so -32 .. 31 it must be */
    return (v + 0x60606060u) ^ 0x80808080u;
}

/* One half of a block into a lane: its 32 chunks of 4 k, of which a quarter has 8. */
static void repack_half(uint8_t *out, const uint8_t ql[64], const uint8_t qh[32])
{
    enum { CHUNK = LANES * 4, QUARTER = 8 * CHUNK };
    for (size_t j = 0; j < 8; j++, out += CHUNK) {
        const uint32_t a = hlmi_load32(ql + j * 4), b = hlmi_load32(ql + 32 + j * 4), h = hlmi_load32(qh + j * 4);
        hlmi_store32(out, join(a, h << 4));
        hlmi_store32(out + QUARTER, join(b, h << 2));
        hlmi_store32(out + 2 * QUARTER, join(a >> 4, h));
        hlmi_store32(out + 3 * QUARTER, join(b >> 4, h >> 2));
    }
}

static void q6_k_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    for (size_t u = 0; u < cols / HLMI_QK; u++, out += UNIT) {
        memset(out + 32, 0, 32);
        for (size_t r = 0; r < LANES; r++) {
            const hlmi_q6_k zero = {{0}, {0}, {0}, {0}}, *row = rows[r], *b = row ? row + u : &zero;
            memcpy(out + r * 2, b->d, 2);
            for (size_t s = 0; s < 16; s++) out[64 + s * LANES + r] = b->scales[s];
            repack_half(out + 320 + r * 4, b->ql, b->qh);
            repack_half(out + 320 + 32 * LANES * 4 + r * 4, b->ql + 64, b->qh + 32);
        }
    }
}

const hlmi_type_info hlmi_type_q6_k = {
    .name = "q6_K",
    .block = HLMI_QK,
    .bytes = sizeof(hlmi_q6_k),
    .layout = HLMI_LAYOUT_K6,
    .dequantise = q6_k_dequantise,
    .repack = q6_k_repack,
};
