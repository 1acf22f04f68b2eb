/* q8_0: blocks of 32, w = d * q with signed q. */
#include "quant/ggml.h"

typedef struct hlmi_q8_0 {
    uint8_t d[2], qs[32];
} hlmi_q8_0;
_Static_assert(sizeof(hlmi_q8_0) == 34, "q8_0 block is 34 bytes");

static void q8_0_lane(hlmi_unit_q8 *u, size_t r, const hlmi_q8_0 *b)
{
    u->d[r] = hlmi_load16(b->d);
    for (size_t c = 0; c < 8; c++) memcpy(u->q[c][r], b->qs + c * 4, 4);
}

/* Half away from zero, as the type's reference rounds; NaN and what is past int8 are brought inside. */
static uint8_t round_q8(float v)
{
    const float a = v < 0 ? -v : v;
    const int whole = hlmi_clip_u8(a, 127);
    int q = whole + (2.0f * (a - (float)whole) >= 1.0f);
    if (q > 127) q = 127;
    return (uint8_t)(v < 0 ? -q : q);
}

static void q8_0_quantise(void *y, const float *x, size_t n)
{
    hlmi_q8_0 *b = y;
    for (size_t i = 0; i < n / HLMI_QB; i++, x += HLMI_QB) {
        float reach = 0;
        for (int j = 0; j < HLMI_QB; j++) {
            const float a = x[j] < 0 ? -x[j] : x[j];
            if (a > reach) reach = a;
        }
        const float d = reach / 127.0f, id = d != 0 ? 1.0f / d : 0.0f;
        hlmi_store16(b[i].d, hlmi_f32_to_f16(d));
        for (int j = 0; j < HLMI_QB; j++) b[i].qs[j] = round_q8(x[j] * id);
    }
}

HLMI_REPACK(q8_0, HLMI_QB, q8)
HLMI_DEQUANTISE(q8_0, HLMI_QB, q8, HLMI_LAYOUT_Q8)
HLMI_MADE_DESCRIPTOR(q8_0, "q8_0", HLMI_QB, sizeof(hlmi_q8_0), HLMI_LAYOUT_Q8, q8_0_quantise)
