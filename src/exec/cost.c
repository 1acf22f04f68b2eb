/* Predicting what regions take, and choosing parts by it. */
#include "exec/cost.h"

static unsigned size_of(uint64_t amount)
{
    unsigned size = 0;
    while (amount > 1 && size < HLMI_COST_SIZES - 1) {
        amount >>= 1;
        size++;
    }
    return size;
}

/* What took longer than before may only have been interrupted, so the number falls at once and rises slowly. */
void hlmi_cost_note(hlmi_cost *c, uint64_t amount, uint64_t ns)
{
    uint32_t *was = &c->ns[size_of(amount)];
    const uint32_t now = ns == 0 ? 1 : ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
    *was = *was == 0 || now < *was ? now : *was + (now - *was) / 8;
}

/* More work takes at most in proportion longer (some of it, as reading weights, is the same for all), and less takes
 * less. */
uint64_t hlmi_cost_predict(const hlmi_cost *c, uint64_t amount)
{
    const unsigned size = size_of(amount);
    if (c->ns[size]) return c->ns[size];
    for (unsigned s = size; s-- > 0;)
        if (c->ns[s]) return (uint64_t)c->ns[s] << (size - s + 1);
    for (unsigned s = size + 1; s < HLMI_COST_SIZES; s++)
        if (c->ns[s]) return c->ns[s];
    return 0;
}

hlmi_piece hlmi_piece_first(uint64_t predicted, uint64_t target)
{
    hlmi_piece p = {.shift = predicted ? 0 : HLMI_PIECE_SHIFT_MAX};
    while (p.shift < HLMI_PIECE_SHIFT_MAX && predicted >> p.shift > target) p.shift++;
    return p;
}

void hlmi_piece_next(hlmi_piece *p, uint64_t took, uint64_t target)
{
    p->at++;
    while (p->shift && p->at % 2 == 0 && took * 2 <= target) {
        p->at /= 2;
        p->shift--;
        took *= 2;
    }
    if (took > target && p->shift < HLMI_PIECE_SHIFT_MAX && !hlmi_piece_done(p)) {
        p->at *= 2;
        p->shift++;
    }
}
