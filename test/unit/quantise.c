/* Quantising as the types' references do, to types that the library does not make. */
#include "unit/quantise.h"

#include "quant/ggml.h"

typedef struct q4_1 {
    uint8_t d[2], m[2], qs[16];
} q4_1;
typedef struct q5_0 {
    uint8_t d[2], qh[4], qs[16];
} q5_0;
typedef struct q5_1 {
    uint8_t d[2], m[2], qh[4], qs[16];
} q5_1;

static void f32_quantise(void *y, const float *x, size_t n)
{
    if (n) memcpy(y, x, n * sizeof *x);
}

static void f16_quantise(void *y, const float *x, size_t n)
{
    uint8_t *p = y;
    for (size_t i = 0; i < n; i++) hlmi_store16(p + 2 * i, hlmi_f32_to_f16(x[i]));
}

static void bf16_quantise(void *y, const float *x, size_t n)
{
    uint8_t *p = y;
    for (size_t i = 0; i < n; i++) hlmi_store16(p + 2 * i, hlmi_f32_to_bf16(x[i]));
}

static void q4_1_quantise(void *y, const float *x, size_t n)
{
    q4_1 *b = y;
    for (size_t i = 0; i < n / HLMI_QB; i++, x += HLMI_QB) {
        float lo = x[0], hi = x[0];
        for (int j = 1; j < HLMI_QB; j++) {
            if (x[j] < lo) lo = x[j];
            if (x[j] > hi) hi = x[j];
        }
        const float d = (hi - lo) / 15.0f, id = d != 0 ? 1.0f / d : 0.0f;
        hlmi_store16(b[i].d, hlmi_f32_to_f16(d));
        hlmi_store16(b[i].m, hlmi_f32_to_f16(lo));
        for (int j = 0; j < 16; j++) {
            const uint8_t q0 = hlmi_clip_u8((x[j] - lo) * id + 0.5f, 15);
            const uint8_t q1 = hlmi_clip_u8((x[j + 16] - lo) * id + 0.5f, 15);
            b[i].qs[j] = (uint8_t)(q0 | q1 << 4);
        }
    }
}

/* The element farthest from zero (the first of equals) becomes q = 0, that is -16 d. */
static void q5_0_quantise(void *y, const float *x, size_t n)
{
    q5_0 *b = y;
    for (size_t i = 0; i < n / HLMI_QB; i++, x += HLMI_QB) {
        float top = x[0], reach = x[0] < 0 ? -x[0] : x[0];
        for (int j = 1; j < HLMI_QB; j++) {
            const float a = x[j] < 0 ? -x[j] : x[j];
            if (a > reach) {
                reach = a;
                top = x[j];
            }
        }
        const float d = top / -16.0f, id = d != 0 ? 1.0f / d : 0.0f;
        uint32_t qh = 0;
        hlmi_store16(b[i].d, hlmi_f32_to_f16(d));
        for (int j = 0; j < 16; j++) {
            const uint32_t lo = hlmi_clip_u8(x[j] * id + 16.5f, 31);
            const uint32_t hi = hlmi_clip_u8(x[j + 16] * id + 16.5f, 31);
            b[i].qs[j] = (uint8_t)((lo & 15) | (hi & 15) << 4);
            qh |= (lo >> 4) << j | (hi >> 4) << (j + 16);
        }
        hlmi_store32(b[i].qh, qh);
    }
}

static void q5_1_quantise(void *y, const float *x, size_t n)
{
    q5_1 *b = y;
    for (size_t i = 0; i < n / HLMI_QB; i++, x += HLMI_QB) {
        float low = x[0], high = x[0];
        for (int j = 1; j < HLMI_QB; j++) {
            if (x[j] < low) low = x[j];
            if (x[j] > high) high = x[j];
        }
        const float d = (high - low) / 31.0f, id = d != 0 ? 1.0f / d : 0.0f;
        uint32_t qh = 0;
        hlmi_store16(b[i].d, hlmi_f32_to_f16(d));
        hlmi_store16(b[i].m, hlmi_f32_to_f16(low));
        for (int j = 0; j < 16; j++) {
            const uint32_t lo = hlmi_clip_u8((x[j] - low) * id + 0.5f, 31);
            const uint32_t hi = hlmi_clip_u8((x[j + 16] - low) * id + 0.5f, 31);
            b[i].qs[j] = (uint8_t)((lo & 15) | (hi & 15) << 4);
            qh |= (lo >> 4) << j | (hi >> 4) << (j + 16);
        }
        hlmi_store32(b[i].qh, qh);
    }
}

quantise_fn *quantise_to(hlmi_type type)
{
    static quantise_fn *const to[HLMI_TYPE_COUNT] = {
        [HLMI_F32] = f32_quantise,   [HLMI_F16] = f16_quantise,   [HLMI_BF16] = bf16_quantise,
        [HLMI_Q4_1] = q4_1_quantise, [HLMI_Q5_0] = q5_0_quantise, [HLMI_Q5_1] = q5_1_quantise,
    };
    return to[type] ? to[type] : hlmi_type_get(type)->quantise;
}
