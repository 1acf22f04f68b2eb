/* The random draw. */
#include "sample/draw.h"

#include <float.h>

#include "base/size.h"
#include "sample/softmax.h"

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
    for (; begin + HLMI_SUM_BLOCK < c->n; begin += HLMI_SUM_BLOCK) {
        const double block = hlmi_sum_block(c->weight + begin, HLMI_SUM_BLOCK);
        if (left < block) break;
        left -= block;
    }
    const size_t end = begin + hlmi_min_size(HLMI_SUM_BLOCK, c->n - begin);
    for (size_t i = begin; i < end; i++) {
        if (left < (double)c->weight[i]) return i;
        left -= (double)c->weight[i];
    }
    return last_positive(c->weight, end - 1); /* rounding ate the last piece */
}
