/* Candidates: loading, keys, and selection without a sort. */
#include "sample/cands.h"

#include <string.h>

#include "base/size.h"
#include "sample/softmax.h"

hlm_status hlmi_cands_init(hlmi_cands *c, size_t vocab, const hlmi_mem *mem)
{
    *c = (hlmi_cands){.n = 0};
    const size_t each = hlmi_round_up(vocab * sizeof(float), HLMI_ALIGN);
    const size_t bytes = 6 * each; /* ranked takes two */
    char *block = hlmi_alloc(mem, bytes);
    if (!block) return hlmi_nomem(bytes, "the sampler's candidates");
    c->logit = (float *)(void *)block;
    c->id = (int32_t *)(void *)(block + each);
    c->weight = (float *)(void *)(block + 2 * each);
    c->key = (uint32_t *)(void *)(block + 3 * each);
    c->ranked = (hlmi_ranked *)(void *)(block + 4 * each);
    return HLM_OK;
}

void hlmi_cands_free(hlmi_cands *c, const hlmi_mem *mem)
{
    hlmi_free(mem, c->logit);
    *c = (hlmi_cands){.n = 0};
}

void hlmi_cands_load(hlmi_cands *c, const float *restrict logits, size_t vocab)
{
    float *restrict to = c->logit;
    for (size_t i = 0; i < vocab; i++) to[i] = hlmi_logit(logits[i]);
    c->n = vocab;
    c->dense = true;
}

bool hlmi_cands_find_max(hlmi_cands *c)
{
    c->max = hlmi_max(c->logit, c->n);
    return c->max > -INFINITY;
}

double hlmi_cands_weigh(hlmi_cands *c, float scale)
{
    return hlmi_softmax(c->weight, c->logit, c->n, c->max, scale);
}

uint32_t hlmi_float_key(float x)
{
    const float y = x + 0.0f; /* -0 becomes 0 */
    uint32_t bits;
    memcpy(&bits, &y, sizeof bits);
    return bits ^ ((0u - (bits >> 31)) | 0x80000000u);
}

void hlmi_cands_key_logits(hlmi_cands *c)
{
    uint32_t *restrict key = c->key;
    const float *restrict logit = c->logit;
    for (size_t i = 0; i < c->n; i++) key[i] = hlmi_float_key(logit[i]);
}

static inline void move(hlmi_cands *c, size_t to, size_t from)
{
    c->id[to] = hlmi_cands_id(c, from);
    c->logit[to] = c->logit[from];
    c->weight[to] = c->weight[from];
}

/* Is there one at all? Mostly not: few tokens of a vocabulary are likely. */
static bool any_reaches(const float *x, size_t n, float floor)
{
    int any = 0;
    for (size_t i = 0; i < n; i++) any |= x[i] >= floor;
    return any != 0;
}

void hlmi_cands_drop_below(hlmi_cands *c, const float *x, float floor)
{
    enum { BLOCK = 32 };
    size_t n = 0;
    for (size_t i = 0; i < c->n; i += BLOCK) {
        const size_t end = i + hlmi_min_size(BLOCK, c->n - i);
        if (!any_reaches(x + i, end - i, floor)) continue;
        for (size_t j = i; j < end; j++) {
            if (x[j] >= floor) move(c, n++, j);
        }
    }
    c->n = n;
    c->dense = false;
}

/* The digit (8 bits at `shift`) in which the mass of the best keys reaches target; *above is the mass before it, there
 * and here. Should rounding keep the sum short of target, the last digit in use. */
static unsigned pick_digit(const hlmi_ranked *r, size_t n, unsigned shift, double target, double *above)
{
    double mass[4][256] = {0}; /* four, so that additions to one digit need not wait for one another */
    bool used[256] = {0};
    for (size_t i = 0; i < n; i++) {
        const unsigned digit = r[i].key >> shift & 255;
        mass[i & 3][digit] += (double)r[i].mass;
        used[digit] = true;
    }
    unsigned pick = 0;
    double sum = *above;
    for (unsigned digit = 256; digit-- > 0;) {
        if (!used[digit]) continue;
        pick = digit;
        *above = sum;
        sum += (mass[0][digit] + mass[1][digit]) + (mass[2][digit] + mass[3][digit]);
        if (sum >= target) break;
    }
    return pick;
}

/* The worst key of the smallest set of best keys with mass target, by radix from the top digit; *above receives the
 * mass of the better ones. */
static uint32_t threshold(hlmi_ranked *r, size_t n, double target, double *above)
{
    uint32_t key = 0;
    *above = 0;
    for (unsigned shift = 32; shift > 0;) {
        shift -= 8;
        const unsigned digit = pick_digit(r, n, shift, target, above);
        key |= (uint32_t)digit << shift;
        size_t left = 0;
        for (size_t i = 0; i < n; i++) {
            if ((r[i].key >> shift & 255) == digit) r[left++] = r[i];
        }
        n = left;
    }
    return key;
}

void hlmi_cands_keep_best(hlmi_cands *c, double target)
{
    if (c->n < 2) return;
    for (size_t i = 0; i < c->n; i++) c->ranked[i] = (hlmi_ranked){c->key[i], c->weight[i]};
    double mass;
    const uint32_t worst = threshold(c->ranked, c->n, target, &mass);
    bool any = false; /* a tie is kept even when its weight is 0 */
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (c->key[i] < worst) continue;
        if (c->key[i] == worst) {
            if (any && mass >= target) continue;
            mass += (double)c->weight[i];
            any = true;
        }
        move(c, n++, i);
    }
    c->n = n;
    c->dense = false;
}
