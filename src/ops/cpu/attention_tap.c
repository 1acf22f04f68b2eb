/* Attention weights, for those who ask to see them: each query's scores over its whole past, then one softmax. The
 * attention op never has them whole (it folds splits), so this is a computation of its own beside it. */
#include <string.h>

#include "base/size.h"
#include "ops/cpu/cpu.h"

typedef struct tap_arg {
    int32_t layer;
    hlmi_attention a;
    hlmi_kv_layer kv;
    const hlmi_kernels *k;
    const hlmi_page_layout *pages;
} tap_arg;

enum { SLACK = 16 /* qk may write up to the next multiple of 16 */ };

/* s[0, n) = scores of a query over positions [from, from + n) of its sequence, page by page through `page_scores`. */
static void scores(const tap_arg *a, const hlm_cache *cache, size_t head, const float *q, int64_t from, size_t n,
                   float *page_scores, float *s)
{
    const size_t per = a->pages->tokens, kv_head = head / (a->a.n_heads / a->kv.n_kv_heads);
    const size_t end = (size_t)from + n;
    for (size_t at = (size_t)from; at < end;) {
        const size_t in_page = at % per, m = hlmi_min_size(per - in_page, end - at);
        const hlmi_page *p = hlmi_cache_page(cache, (int64_t)at);
        a->k->qk[a->pages->format](page_scores, per + SLACK, q, a->kv.head_dim, 1, a->a.scale,
                                   hlmi_page_k(p, a->pages, a->a.kv, kv_head), a->pages->stride, a->kv.head_dim,
                                   in_page + m);
        memcpy(s + (at - (size_t)from), page_scores + in_page, m * sizeof *s);
        at += m;
    }
}

/* The weights of one row and head into out [keys]. */
static void weights(const tap_arg *a, const hlmi_tile *t, size_t row, size_t head, size_t keys, float *page_scores,
                    float *out)
{
    const int64_t pos = t->pos[row], window = (int64_t)a->a.window;
    const int64_t from = window && pos >= window ? pos - window + 1 : 0;
    const size_t n = (size_t)(pos + 1 - from);
    memset(out, 0, keys * sizeof *out);
    float *s = out + from;
    scores(a, t->spans[t->span_of[row]].cache, head, a->a.q + row * a->a.ldq + head * a->kv.head_dim, from, n,
           page_scores, s);
    const float sum = a->k->exp_sum(s, s, a->k->max(s, n), n);
    a->k->scale(s, s, 1.0f / sum, n);
}

static void tap_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const tap_arg *a = arg;
    const hlmi_tile *t = step;
    for (size_t i = 0; i < t->n_attn_taps; i++) {
        const hlmi_attn_tap *tap = &t->attn_taps[i];
        if (tap->layer != a->layer) continue;
        const hlmi_range r = hlmi_share(tap->n * a->a.n_heads, worker, workers);
        for (size_t j = r.begin; j < r.end; j++) {
            const size_t row = j / a->a.n_heads, head = j % a->a.n_heads;
            weights(a, t, tap->row + row, head, tap->keys, hlmi_worker_scratch(t, worker),
                    tap->out + head * tap->head_stride + row * tap->keys);
        }
    }
}

void hlmi_cpu_attention_tap(hlmi_builder *b, int32_t layer, const hlmi_attention *o)
{
    const tap_arg a = {.layer = layer, .a = *o, .kv = b->plan->kv[o->kv], .k = b->kernels, .pages = b->pages};
    hlmi_scratch_worker(b, (b->pages->tokens + SLACK) * sizeof(float));
    hlmi_emit(b, tap_run, &a, sizeof a, 0, 0);
}
