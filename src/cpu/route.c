/* The choice of experts: router logits to the experts of a row and their weights. */
#include <string.h>

#include "base/math.h"
#include "base/size.h"
#include "cpu/cpu.h"

typedef struct route_arg {
    hlmi_route a;
    const hlmi_kernels *k;
    size_t score_at, open_at; /* offsets in a worker's scratch */
} route_arg;

/* What choosing for a row needs: weights before any normalising, what they are chosen by, and which may be chosen. */
typedef struct choice {
    float *weight, *score;
    uint8_t *open;
} choice;

static float sigmoid(float x)
{
    return 1.0f / (1.0f + hlmi_expf(-x));
}

/* The largest of n values that is open, the first of equals (NaN is larger than nothing). One is open. */
static size_t largest(const float *v, const uint8_t *open, size_t n)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (open[i] && (best == n || v[i] > v[best])) best = i;
    return best;
}

static float sum_of_two_best(const float *v, size_t n)
{
    float best = v[0], second = 0.0f;
    for (size_t i = 1; i < n; i++) {
        const bool first = v[i] > best;
        const float other = first ? best : v[i];
        second = i == 1 || other > second ? other : second;
        best = first ? v[i] : best;
    }
    return best + second;
}

/* Closes the experts outside the best groups. */
static void close_groups(const hlmi_router *r, const choice *c)
{
    const size_t size = r->n_experts / r->groups;
    float *sum = c->score + r->n_experts; /* [groups] behind the scores, as their flags behind the others */
    uint8_t *left = c->open + r->n_experts;
    for (size_t g = 0; g < r->groups; g++) sum[g] = sum_of_two_best(c->score + g * size, size);
    memset(left, 1, r->groups);
    for (size_t i = 0; i < r->best_groups; i++) left[largest(sum, left, r->groups)] = 0;
    for (size_t g = 0; g < r->groups; g++) memset(c->open + g * size, !left[g], size);
}

/* Fills c->weight and c->score from a row's logits. */
static void score(const route_arg *a, const float *logits, const choice *c)
{
    const hlmi_router *r = &a->a.router;
    const size_t n = r->n_experts;
    memcpy(c->score, logits, n * sizeof *logits);
    if (r->kind == HLMI_ROUTE_SOFTMAX) {
        const float sum = a->k->exp_sum(c->weight, logits, a->k->max(logits, n), n);
        for (size_t i = 0; i < n; i++) c->weight[i] /= sum;
    } else if (r->kind == HLMI_ROUTE_SIGMOID) {
        for (size_t i = 0; i < n; i++) c->weight[i] = c->score[i] = sigmoid(logits[i]);
        if (r->bias) a->k->add(c->score, c->score, r->bias, n);
        if (r->groups) close_groups(r, c);
    }
}

/* w [n] = softmax of logits that are in descending order, first to last. */
static void softmax_of_chosen(float *w, size_t n)
{
    const float most = w[0];
    float sum = 0.0f;
    for (size_t i = 0; i < n; i++) sum += w[i] = hlmi_expf(w[i] - most);
    for (size_t i = 0; i < n; i++) w[i] /= sum;
}

static void choose(const route_arg *a, const float *logits, const choice *c, uint32_t *expert, float *weight)
{
    const hlmi_router *r = &a->a.router;
    memset(c->open, 1, r->n_experts);
    score(a, logits, c);
    float sum = 0.0f;
    for (size_t i = 0; i < r->top_k; i++) {
        const size_t e = largest(c->score, c->open, r->n_experts);
        c->open[e] = 0;
        expert[i] = (uint32_t)e;
        weight[i] = r->kind == HLMI_ROUTE_TOP_SOFTMAX ? logits[e] : c->weight[e];
        sum += weight[i];
    }
    if (r->kind == HLMI_ROUTE_TOP_SOFTMAX) softmax_of_chosen(weight, r->top_k);
    for (size_t i = 0; i < r->top_k; i++) {
        if (r->normalise) weight[i] /= sum + 1e-20f;
        weight[i] *= r->scale;
    }
    if (r->shared != 0.0f) {
        expert[r->top_k] = (uint32_t)r->n_experts;
        weight[r->top_k] = r->shared_gated ? r->shared * sigmoid(logits[r->n_experts]) : r->shared;
    }
}

static void route_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const route_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(t->n_rows, worker, workers);
    uint8_t *scratch = hlmi_worker_scratch(t, worker, workers);
    const choice c = {.weight = (float *)(void *)scratch,
                      .score = (float *)(void *)(scratch + a->score_at),
                      .open = scratch + a->open_at};
    for (size_t i = r.begin; i < r.end; i++) {
        const size_t at = i * a->a.out.picks;
        choose(a, hlmi_rows_at(a->a.logits, i), &c, a->a.out.expert + at, a->a.out.weight + at);
    }
}

void hlmi_cpu_route(hlmi_builder *b, const hlmi_route *o)
{
    const size_t n = o->router.n_experts, all = n + o->router.groups;
    route_arg a = {.a = *o, .k = b->kernels};
    a.score_at = hlmi_round_up(n * sizeof(float), HLMI_ALIGN);
    a.open_at = a.score_at + hlmi_round_up(all * sizeof(float), HLMI_ALIGN);
    hlmi_scratch_worker(b, a.open_at + all);
    hlmi_emit(b, route_run, &a, sizeof a, 0, 0);
}
