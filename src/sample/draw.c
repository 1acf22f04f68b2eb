/* Greedy choice and random draw. */
#include "sample/draw.h"

#include <float.h>
#include <math.h>

#include "base/size.h"

size_t hlmi_argmax(const float *x, size_t n)
{
    float lane[16];
    for (size_t j = 0; j < 16; j++) lane[j] = -INFINITY;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (size_t j = 0; j < 16; j++) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    }
    float max = -INFINITY;
    for (size_t j = 0; j < 16; j++) max = lane[j] > max ? lane[j] : max;
    for (; i < n; i++) max = x[i] > max ? x[i] : max;
    if (max == -INFINITY) return n;
    size_t block = 0;
    for (; block + 16 <= n; block += 16) { /* whole blocks first: the first one that holds it ends the search */
        int equal = 0;
        for (size_t j = 0; j < 16; j++) equal |= x[block + j] == max;
        if (equal) break;
    }
    for (i = block; x[i] != max; i++) continue;
    return i;
}

/* The last candidate with a weight at or before `i`. */
static size_t last_positive(const float *w, size_t i)
{
    while (i > 0 && !(w[i] > 0)) i--;
    return i;
}

size_t hlmi_draw(hlmi_cands *c, float temperature, double u)
{
    const float scale = 1 / temperature;
    double left = u * hlmi_cands_weigh(c, scale < FLT_MAX ? scale : FLT_MAX);
    size_t begin = 0;
    for (; begin + HLMI_WEIGHT_BLOCK < c->n; begin += HLMI_WEIGHT_BLOCK) {
        const double block = hlmi_weight_block(c->weight + begin, HLMI_WEIGHT_BLOCK);
        if (left < block) break;
        left -= block;
    }
    const size_t end = begin + hlmi_min_size(HLMI_WEIGHT_BLOCK, c->n - begin);
    for (size_t i = begin; i < end; i++) {
        if (left < (double)c->weight[i]) return i;
        left -= (double)c->weight[i];
    }
    return last_positive(c->weight, end - 1); /* rounding ate the last piece */
}
