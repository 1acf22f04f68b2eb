/* q4_K: super-blocks of 256 in eight sub-blocks of 32, w = d * sc * q - dmin * mn.
 *
 * The 6-bit scales: bytes 0..3 hold sc of sub-blocks 0..3 in their low 6 bits, bytes 4..7 mn of the same; bytes 8..11
 * the low 4 bits of sc (low nibble) and mn (high nibble) of sub-blocks 4..7, whose upper 2 bits are the upper 2 bits of
 * bytes 0..3 and 4..7. */
#include "quant/ggml.h"

enum { LANES = 16, UNIT = 2368, SUB = 256 };

void hlmi_q4_k_scales(const hlmi_q4_k *b, uint8_t sc[8], uint8_t mn[8])
{
    const uint8_t *s = b->scales;
    for (int i = 0; i < 4; i++) {
        sc[i] = s[i] & 0x3F;
        mn[i] = s[i + 4] & 0x3F;
        sc[i + 4] = (uint8_t)((s[i + 8] & 0x0F) | (s[i] >> 2 & 0x30));
        mn[i + 4] = (uint8_t)(s[i + 8] >> 4 | (s[i + 4] >> 2 & 0x30));
    }
}

static void q4_k_dequantise(float *y, const void *x, size_t n)
{
    const hlmi_q4_k *b = x;
    for (size_t i = 0; i < n / HLMI_QK; i++) {
        const float d = hlmi_load_f16(b[i].d), dmin = hlmi_load_f16(b[i].dmin);
        uint8_t sc[8], mn[8];
        hlmi_q4_k_scales(&b[i], sc, mn);
        for (int s = 0; s < 8; s++, y += 32) {
            const float ds = d * (float)sc[s], ms = dmin * (float)mn[s];
            const uint8_t *qs = b[i].qs + s / 2 * 32;
            const int shift = s % 2 * 4;
            for (int j = 0; j < 32; j++) y[j] = ds * (float)(qs[j] >> shift & 0x0F) - ms;
        }
    }
}

/* 32 bytes of nibbles, two sub-blocks, into lane r's words of both. */
static void repack_pair(uint8_t *out, const uint8_t qs[32])
{
    const uint32_t low = 0x0F0F0F0Fu, high = 0xF0F0F0F0u;
    for (size_t c = 0; c < 4; c++) {
        const uint32_t a = hlmi_load32(qs + c * 8), b = hlmi_load32(qs + c * 8 + 4);
        hlmi_store32(out + c * (LANES * 4), (a & low) | ((b & low) << 4));
        hlmi_store32(out + SUB + c * (LANES * 4), ((a >> 4) & low) | (b & high));
    }
}

static void q4_k_repack(void *group, const void *const *rows, size_t cols)
{
    uint8_t *out = group;
    for (size_t u = 0; u < cols / HLMI_QK; u++, out += UNIT) {
        for (size_t r = 0; r < LANES; r++) {
            const hlmi_q4_k zero = {{0}, {0}, {0}, {0}}, *row = rows[r], *b = row ? row + u : &zero;
            uint8_t sc[8], mn[8];
            hlmi_q4_k_scales(b, sc, mn);
            memcpy(out + r * 2, b->d, 2);
            memcpy(out + 32 + r * 2, b->dmin, 2);
            for (size_t s = 0; s < 8; s++) {
                out[64 + s * LANES + r] = sc[s];
                out[192 + s * LANES + r] = mn[s];
            }
            for (size_t p = 0; p < 4; p++) repack_pair(out + 320 + p * (2 * SUB) + r * 4, b->qs + p * 32);
        }
    }
}

const hlmi_type_info hlmi_type_q4_k = {
    .name = "q4_K",
    .block = HLMI_QK,
    .bytes = sizeof(hlmi_q4_k),
    .layout = HLMI_LAYOUT_K4,
    .dequantise = q4_k_dequantise,
    .repack = q4_k_repack,
};
