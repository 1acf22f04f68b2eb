/* Vocabulary-wide maxima and exponentials. */
#include "sample/softmax.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/size.h"

enum { LANES = 128 };

/* Many lanes in memory, not a few in registers: this shape of loop is the one that gcc and clang both vectorise, and
 * the lanes stay in the L1 cache. */
float hlmi_max(const float *x, size_t n)
{
    float lane[LANES];
    for (size_t j = 0; j < LANES; j++) lane[j] = -INFINITY;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t j = 0; j < LANES; j++) {
            const float v = x[i + j];
            lane[j] = v > lane[j] ? v : lane[j];
        }
    }
    float max = -INFINITY;
    for (size_t j = 0; j < LANES; j++) max = lane[j] > max ? lane[j] : max;
    for (; i < n; i++) max = x[i] > max ? x[i] : max;
    return max;
}

size_t hlmi_argmax(const float *x, size_t n)
{
    const float max = hlmi_max(x, n);
    if (max == -INFINITY) return n;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        int equal = 0;
        for (size_t j = 0; j < LANES; j++) equal |= x[i + j] == max;
        if (equal) break;
    }
    while (x[i] != max) i++;
    return i;
}

/* e^x for x <= 0 in products and sums alone. hlmi_expf is defined by fused operations, which are slow where the
 * compiler may not assume the hardware's.
 * Below -86 (no subnormal results) the value is rubbish until its bits are cleared: a clamp before it would become a
 * branch, and the loop would not be vectorised. */
static inline float exp_nonpositive(float x)
{
    const float round = 12582912.0f; /* 1.5 * 2^23 */
    const float t = x * 1.44269504f + round;
    const float n = t - round;
    const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    float p = 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &t, sizeof bits); /* 0x4B400000 + n */
    bits = (bits - 0x4B400000u + 127u) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    float y = p * power;
    memcpy(&bits, &y, sizeof bits);
    bits &= 0u - (uint32_t)(x > -86.0f);
    memcpy(&y, &bits, sizeof y);
    return y;
}

double hlmi_sum_block(const float *x, size_t n)
{
    double lane[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t j = 0; j < 4; j++) lane[j] += (double)x[i + j];
    }
    for (size_t j = 0; i + j < n; j++) lane[j] += (double)x[i + j];
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

double hlmi_softmax(float *restrict y, const float *restrict x, size_t n, float max, float scale)
{
    double sum = 0;
    for (size_t i = 0; i < n; i += HLMI_SUM_BLOCK) {
        const size_t part = hlmi_min_size(HLMI_SUM_BLOCK, n - i);
        for (size_t j = 0; j < part; j++) y[i + j] = exp_nonpositive((x[i + j] - max) * scale);
        sum += hlmi_sum_block(y + i, part);
    }
    return sum;
}

double hlmi_sum_exp(const float *x, size_t n, float max)
{
    float y[HLMI_SUM_BLOCK];
    double sum = 0;
    for (size_t i = 0; i < n; i += HLMI_SUM_BLOCK) {
        const size_t part = hlmi_min_size(HLMI_SUM_BLOCK, n - i);
        sum += hlmi_softmax(y, x + i, part, max, 1);
    }
    return sum;
}
