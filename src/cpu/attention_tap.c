/* Attention weights, for those who ask to see them: each query's scores over its whole past, then one softmax. The
 * attention op never has them whole (it folds splits), so this is a computation of its own beside it. */
#include <string.h>

#include "base/size.h"
#include "cpu/cpu.h"

typedef struct tap_arg {
    int32_t layer;
    hlmi_attention a;
    hlmi_kv_layer kv;
    const hlmi_kernels *k;
    const hlmi_page_layout *pages;
} tap_arg;

enum { SLACK = 16 /* qk may write up to the next multiple of 16 */ };

/* s[0, n) = scores of a query over positions [from, from + n) of its sequence, page by page through `page_scores`. */
static void scores(const tap_arg *a, const hlmi_span *span, size_t head, const float *q, int64_t from, size_t n,
                   float *page_scores, float *s)
{
    const size_t per = a->pages->tokens, kv_head = head / (a->a.n_heads / a->kv.n_kv_heads);
    const size_t end = (size_t)from + n;
    for (size_t at = (size_t)from; at < end;) {
        const size_t in_page = at % per, m = hlmi_min_size(per - in_page, end - at);
        char *rows = hlmi_rows_of(span->pages, a->pages, a->a.kv, (int64_t)at);
        a->k->qk[a->pages->format](page_scores, per + SLACK, q, a->kv.head_dim, 1, a->a.scale,
                                   hlmi_page_k(rows, a->pages, a->a.kv, kv_head), a->pages->stride, a->kv.head_dim,
                                   in_page + m);
        const float *scales = hlmi_page_k_scale(rows, a->pages, a->a.kv, kv_head);
        if (scales) a->k->mul(page_scores, page_scores, scales, in_page + m);
        memcpy(s + (at - (size_t)from), page_scores + in_page, m * sizeof *s);
        at += m;
    }
}

/* Consecutive positions that a query sees, and their weights. */
typedef struct part {
    int64_t from;
    size_t n;
    float *s;
} part;

/* What the query at pos sees: pinned positions and those in the window. The first ones, the plan's prefix, have no
 * place in `out`; what they take goes to `hidden`. */
static size_t seen(const tap_arg *a, int64_t pos, int64_t prefix, float *out, float *hidden, part *parts)
{
    const int64_t window = (int64_t)a->a.window, pinned = (int64_t)a->a.pinned;
    const int64_t first = window && pos >= window ? pos - window + 1 : 0;
    const int64_t cuts[] = {0, pinned < first ? pinned : first, first, first > prefix ? first : prefix, pos + 1};
    size_t n = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i == 1 || cuts[i] >= cuts[i + 1]) continue; /* between pinned positions and window: unseen */
        float *s = cuts[i] < prefix ? hidden + cuts[i] : out + (cuts[i] - prefix);
        parts[n++] = (part){.from = cuts[i], .n = (size_t)(cuts[i + 1] - cuts[i]), .s = s};
    }
    return n;
}

/* The weights of one row and head into out [tap->keys]. */
static void weights(const tap_arg *a, const hlmi_tile *t, const hlmi_attn_tap *tap, size_t row, size_t head,
                    float *scratch, float *out)
{
    part parts[4];
    const hlmi_span *span = &t->spans[t->span_of[row]];
    float *page_scores = scratch, *hidden = scratch + a->pages->tokens + SLACK;
    const size_t n = seen(a, t->pos[row], tap->hidden, out, hidden, parts);
    float top = 0.0f, sum = 0.0f;
    memset(out, 0, tap->keys * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        scores(a, span, head, hlmi_rows_at(a->a.q, row) + head * a->kv.head_dim, parts[i].from, parts[i].n, page_scores,
               parts[i].s);
        const float max = a->k->max(parts[i].s, parts[i].n);
        if (i == 0 || max > top) top = max;
    }
    for (size_t i = 0; i < n; i++) sum += a->k->exp_sum(parts[i].s, parts[i].s, top, parts[i].n);
    for (size_t i = 0; i < n; i++) a->k->scale(parts[i].s, parts[i].s, 1.0f / sum, parts[i].n);
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
            weights(a, t, tap, tap->row + row, head, hlmi_worker_scratch(t, worker, workers),
                    tap->out + head * tap->head_stride + row * tap->keys);
        }
    }
}

void hlmi_cpu_attention_tap(hlmi_builder *b, int32_t layer, const hlmi_attention *o)
{
    const tap_arg a = {.layer = layer, .a = *o, .kv = b->plan->kv[o->kv], .k = b->kernels, .pages = b->pages};
    hlmi_scratch_worker(b, (b->pages->tokens + SLACK + b->plan->n_prefix) * sizeof(float));
    hlmi_emit(b, tap_run, &a, sizeof a, 0, 0);
}
