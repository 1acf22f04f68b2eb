/* Causal grouped-query attention over pages, with an online softmax (Milakov and Gimelshein 2018; Dao et al. 2022) in a
 * fixed order: the positions of a sequence are cut into splits of SPLIT at fixed positions, each split is computed by
 * itself (scores, maximum, exponentials and their sum, weighted values in order), and the splits of a query are folded
 * from the first on. In tiles of few rows the splits are computed by all workers and folded afterwards; else one worker
 * does all splits of a query. The operations of a query are the same either way.
 *
 * Pinned positions, which a query sees whatever its window, come first as splits of their own; the window's begin
 * behind them.
 *
 * Words: a *group* is the query heads that share a KV head; a *block* is a few rows of one span and one or more heads
 * of a group, computed together. */
#include <string.h>

#include "base/math.h"
#include "base/size.h"
#include "cpu/cpu.h"

enum {
    SPLIT = 256, /* positions of a split */
    SLACK = 16, /* qk may write up to the next multiple of 16 */
    FEW_ROWS = 16, /* up to here splits are shared among workers */
    BLOCK_ROWS = 16,
    BLOCK_QUERIES = 64,
    PARTIAL_BYTES = 16 << 20 /* most memory for partial results */
};

typedef struct attn_arg {
    hlmi_attention a;
    hlmi_kv_layer kv;
    const hlmi_kernels *k;
    const hlmi_page_layout *pages;
    size_t group, block_rows;
    float *partial; /* [slots][2 + v_dim]: maximum, sum, weighted values */
    size_t slots, slot; /* slot: floats of one */
} attn_arg;

/* Queries that are computed together, and a worker's buffers for them. */
typedef struct block {
    const hlmi_span *span;
    size_t row, n_rows; /* in the tile */
    size_t kv_head, head, n_heads; /* heads head .. head + n_heads - 1 */
    size_t n; /* queries: n_rows * n_heads, row-major */
    size_t pos; /* of the first row */
    bool pinned; /* the split at hand is one of pinned positions */
    size_t from; /* it is [from, from + SPLIT) */
    float *q, *s, *o, *acc, *m, *l; /* m, l, acc: of the split at hand */
    float *top, *sum; /* with o: of all splits so far */
    uint16_t *lo, *hi;
} block;

/* The next buffer of n queries' `size` bytes each. */
static void *carve(uint8_t **at, size_t n, size_t size)
{
    void *p = *at;
    *at += hlmi_round_up(n * size, HLMI_ALIGN);
    return p;
}

/* The buffers in a worker's scratch; gives their end. */
static uint8_t *block_buffers(const attn_arg *a, block *b, uint8_t *at)
{
    const size_t n = a->block_rows * a->group, f = sizeof(float);
    b->q = carve(&at, n, a->kv.head_dim * f);
    b->s = carve(&at, n, (SPLIT + SLACK) * f);
    b->o = carve(&at, n, a->kv.v_dim * f);
    b->acc = carve(&at, n, a->kv.v_dim * f);
    b->m = carve(&at, n, f);
    b->l = carve(&at, n, f);
    b->top = carve(&at, n, f);
    b->sum = carve(&at, n, f);
    b->lo = carve(&at, n, sizeof *b->lo);
    b->hi = carve(&at, n, sizeof *b->hi);
    return at;
}

/* ---- what a query sees ---- */

/* Positions that the query at pos sees: of the pinned ones, or of those behind them. */
static hlmi_range seen(const attn_arg *a, bool pinned, size_t pos)
{
    if (pinned) return (hlmi_range){0, hlmi_min_size(a->a.pinned, pos + 1)};
    const size_t first = a->a.window && pos >= a->a.window ? pos - a->a.window + 1 : 0;
    return (hlmi_range){hlmi_max_size(first, a->a.pinned), pos + 1};
}

/* The part of [from, to) that query i of a block sees, as offsets from `from`. */
static hlmi_range seen_of(const attn_arg *a, const block *b, size_t i, size_t from, size_t to)
{
    const hlmi_range r = seen(a, b->pinned, b->pos + i / b->n_heads);
    const size_t end = hlmi_max_size(from, hlmi_min_size(r.end, to)), begin = hlmi_max_size(from, r.begin);
    return (hlmi_range){hlmi_min_size(begin, end) - from, end - from};
}

static size_t first_split(const attn_arg *a, size_t pos)
{
    return seen(a, false, pos).begin / SPLIT * SPLIT;
}

/* Splits of pinned positions that queries up to `last` see. */
static size_t pinned_splits(const attn_arg *a, size_t last)
{
    return hlmi_div_up(seen(a, true, last).end, SPLIT);
}

/* Splits of queries at positions pos to last: those of pinned positions, then the others. */
static size_t split_count(const attn_arg *a, size_t pos, size_t last)
{
    const size_t first = first_split(a, pos);
    return pinned_splits(a, last) + (first <= last ? (last - first) / SPLIT + 1 : 0);
}

static size_t last_of(const block *b)
{
    return b->pos + b->n_rows - 1;
}

/* ---- a split ---- */

/* Where rows are int8: rows i of s times the scales of n positions. */
static void apply_scales(const attn_arg *a, const block *b, size_t offset, const float *scales, size_t n)
{
    for (size_t i = 0; i < b->n; i++) {
        float *s = b->s + i * (SPLIT + SLACK) + offset;
        a->k->mul(s, s, scales, n);
    }
}

/* Calls of the page kernels for the n positions of the split at hand from `at` on, which are in one page. */
static void page_scores(const attn_arg *a, const block *b, size_t at, size_t n)
{
    char *rows = hlmi_rows_of(b->span->pages, a->pages, a->a.kv, (int64_t)at);
    const size_t in_page = at % a->pages->tokens; /* a multiple of SPLIT */
    a->k->qk[a->pages->format](b->s + (at - b->from), SPLIT + SLACK, b->q, a->kv.head_dim, b->n, a->a.scale,
                               (char *)hlmi_page_k(rows, a->pages, a->a.kv, b->kv_head) + in_page * a->pages->item,
                               a->pages->stride, a->kv.head_dim, n);
    const float *scales = hlmi_page_k_scale(rows, a->pages, a->a.kv, b->kv_head);
    if (scales) apply_scales(a, b, at - b->from, scales + in_page, n);
}

static void page_values(const attn_arg *a, const block *b, size_t at, size_t n)
{
    char *rows = hlmi_rows_of(b->span->pages, a->pages, a->a.kv, (int64_t)at);
    const size_t in_page = at % a->pages->tokens;
    const float *scales = hlmi_page_v_scale(rows, a->pages, a->a.kv, b->kv_head);
    if (scales) apply_scales(a, b, at - b->from, scales + in_page, n);
    for (size_t i = 0; i < b->n; i++) {
        const hlmi_range r = seen_of(a, b, i, at, at + n);
        b->lo[i] = (uint16_t)r.begin;
        b->hi[i] = (uint16_t)r.end;
    }
    a->k->pv[a->pages->format](
        b->acc, a->kv.v_dim, b->s + (at - b->from), SPLIT + SLACK, b->n, b->lo, b->hi,
        (char *)hlmi_page_v(rows, a->pages, a->a.kv, b->kv_head) + in_page * a->kv.v_dim * a->pages->item, a->kv.v_dim);
}

typedef void page_fn(const attn_arg *a, const block *b, size_t at, size_t n);

static void each_page(const attn_arg *a, const block *b, page_fn *fn)
{
    const size_t per = a->pages->tokens, first = seen(a, b->pinned, b->pos).begin / per * per;
    const size_t end = hlmi_min_size(b->from + SPLIT, seen(a, b->pinned, last_of(b)).end);
    for (size_t at = hlmi_max_size(b->from, first), next; at < end; at = next) {
        next = hlmi_min_size((at / per + 1) * per, end);
        fn(a, b, at, next - at);
    }
}

/* The split at hand of every query: maximum to b->m, sum to b->l (0: it sees nothing of it), values to b->acc. */
static void split(const attn_arg *a, block *b)
{
    each_page(a, b, page_scores);
    for (size_t i = 0; i < b->n; i++) {
        const hlmi_range r = seen_of(a, b, i, b->from, b->from + SPLIT);
        float *s = b->s + i * (SPLIT + SLACK) + r.begin;
        const size_t n = r.end - r.begin;
        b->m[i] = n ? a->k->max(s, n) : 0.0f;
        b->l[i] = n ? a->k->exp_sum(s, s, b->m[i], n) : 0.0f;
    }
    memset(b->acc, 0, b->n * a->kv.v_dim * sizeof *b->acc);
    each_page(a, b, page_values);
}

/* Folds a split (m, l, acc) into what came before (mo, lo, o); *lo is 0 before the first. */
static void fold(float *mo, float *lo, float *o, float m, float l, const float *acc, size_t n)
{
    if (l == 0.0f) return;
    if (*lo == 0.0f) {
        *mo = m;
        *lo = l;
        memcpy(o, acc, n * sizeof *o);
        return;
    }
    const float top = m > *mo ? m : *mo;
    const float x = hlmi_expf(*mo - top), y = hlmi_expf(m - top);
    *mo = top;
    *lo = *lo * x + l * y;
    for (size_t i = 0; i < n; i++) o[i] = o[i] * x + acc[i] * y;
}

/* A query's result: the folded values over their sum. */
static void finish(const attn_arg *a, size_t row, size_t head, float l, const float *o)
{
    a->k->scale(hlmi_rows_at(a->a.out, row) + head * a->kv.v_dim, o, 1.0f / l, a->kv.v_dim);
}

/* ---- many rows: a worker folds the splits of a block one after another ---- */

static void fold_split(const attn_arg *a, const block *b)
{
    const size_t v = a->kv.v_dim;
    for (size_t q = 0; q < b->n; q++) fold(&b->top[q], &b->sum[q], b->o + q * v, b->m[q], b->l[q], b->acc + q * v, v);
}

static void finish_block(const attn_arg *a, const block *b)
{
    for (size_t q = 0; q < b->n; q++)
        finish(a, b->row + q / b->n_heads, b->head + q % b->n_heads, b->sum[q], b->o + q * a->kv.v_dim);
}

/* ---- few rows: workers share the splits, whose results are kept in slots and folded afterwards ---- */

/* Splits, and so slots, of a query. */
static size_t query_splits(const attn_arg *a, const hlmi_tile *t, size_t row)
{
    return split_count(a, (size_t)t->pos[row], (size_t)t->pos[row]);
}

/* Slots of the rows before `row`. */
static size_t slots_before(const attn_arg *a, const hlmi_tile *t, size_t row)
{
    size_t n = 0;
    for (size_t r = 0; r < row; r++) n += query_splits(a, t, r) * a->a.n_heads;
    return n;
}

/* A tile that needs more partial results than there is room for is done as one of many rows. */
static bool is_shared(const attn_arg *a, const hlmi_tile *t)
{
    return t->n_rows <= FEW_ROWS && slots_before(a, t, t->n_rows) <= a->slots;
}

/* The first slot of a row and head. */
static float *slot_of(const attn_arg *a, const hlmi_tile *t, size_t row, size_t head)
{
    return a->partial + (slots_before(a, t, row) + head * query_splits(a, t, row)) * a->slot;
}

/* The split at hand into the slots of the queries of which it is one. */
static void store_split(const attn_arg *a, const hlmi_tile *t, const block *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const size_t row = b->row + i / b->n_heads, pos = (size_t)t->pos[row];
        const size_t first = b->pinned ? 0 : first_split(a, pos), before = b->pinned ? 0 : pinned_splits(a, pos);
        if (b->from < first || b->from >= seen(a, b->pinned, pos).end) continue;
        float *slot = slot_of(a, t, row, b->head + i % b->n_heads) + (before + (b->from - first) / SPLIT) * a->slot;
        slot[0] = b->m[i];
        slot[1] = b->l[i];
        memcpy(slot + 2, b->acc + i * a->kv.v_dim, a->kv.v_dim * sizeof *slot);
    }
}

static void fold_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const attn_arg *a = arg;
    const hlmi_tile *t = step;
    if (!is_shared(a, t)) return;
    const hlmi_range r = hlmi_share(t->n_rows * a->a.n_heads, worker, workers);
    for (size_t i = r.begin; i < r.end; i++) {
        const size_t row = i / a->a.n_heads, head = i % a->a.n_heads;
        float *first = slot_of(a, t, row, head), *slot = first;
        for (size_t s = query_splits(a, t, row); s > 1; s--) {
            slot += a->slot;
            fold(&first[0], &first[1], first + 2, slot[0], slot[1], slot + 2, a->kv.v_dim);
        }
        finish(a, row, head, first[1], first + 2);
    }
}

/* ---- who does what ---- */

/* A worker on its way over a tile's blocks and their splits, numbered through. */
typedef struct walk {
    const hlmi_tile *t;
    bool shared; /* all workers share all splits, else each those of its blocks with its parts */
    size_t heads; /* most of a block */
    size_t owner, owners; /* of the blocks, every `owners`-th is its own */
    size_t block, split; /* numbers of the next block, and of the next one's first split */
    hlmi_range mine; /* splits that it does */
} walk;

/* Splits [begin, end) of a block's n, of which the first `pinned` are of pinned positions. What came before is where
 * the last part has left it, in the worker's scratch. */
static void visit(const attn_arg *a, const walk *w, block *b, hlmi_range splits, size_t n, size_t pinned)
{
    const size_t hd = a->kv.head_dim;
    b->n = b->n_rows * b->n_heads;
    for (size_t r = 0; r < b->n_rows; r++)
        memcpy(b->q + r * b->n_heads * hd, hlmi_rows_at(a->a.q, b->row + r) + b->head * hd,
               b->n_heads * hd * sizeof *b->q);
    if (splits.begin == 0) memset(b->sum, 0, b->n * sizeof *b->sum);
    for (size_t i = splits.begin; i < splits.end; i++) {
        b->pinned = i < pinned;
        b->from = b->pinned ? i * SPLIT : first_split(a, b->pos) + (i - pinned) * SPLIT;
        split(a, b);
        if (w->shared) store_split(a, w->t, b);
        else fold_split(a, b);
    }
    if (!w->shared && splits.end == n) finish_block(a, b);
}

/* Goes over the blocks of some rows, and does of their n splits those that are its own. */
static void walk_heads(const attn_arg *a, walk *w, block *b)
{
    const size_t n = split_count(a, b->pos, last_of(b)), pinned = pinned_splits(a, last_of(b));
    for (b->kv_head = 0; b->kv_head < a->kv.n_kv_heads; b->kv_head++) {
        const size_t end = (b->kv_head + 1) * a->group;
        for (b->head = end - a->group; b->head < end; b->head += b->n_heads) {
            b->n_heads = hlmi_min_size(w->heads, end - b->head);
            if (w->block++ % w->owners != w->owner) continue;
            const size_t first = w->split;
            w->split += n;
            if (first >= w->mine.end || w->split <= w->mine.begin) continue;
            const hlmi_range mine = {hlmi_max_size(first, w->mine.begin), hlmi_min_size(w->split, w->mine.end)};
            visit(a, w, b, (hlmi_range){mine.begin - first, mine.end - first}, n, pinned);
        }
    }
}

static void walk_blocks(const attn_arg *a, walk *w, block *b)
{
    for (size_t i = 0; i < w->t->n_spans; i++) {
        b->span = &w->t->spans[i];
        for (size_t r = 0; r < b->span->n; r += a->block_rows) {
            b->row = b->span->row + r;
            b->n_rows = hlmi_min_size(a->block_rows, b->span->n - r);
            b->pos = (size_t)w->t->pos[b->row];
            walk_heads(a, w, b);
        }
    }
}

static void attend_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const attn_arg *a = arg;
    const hlmi_tile *t = step;
    walk w = {.t = t, .shared = is_shared(a, t), .heads = BLOCK_QUERIES, .owners = 1, .mine = {0, SIZE_MAX}};
    size_t part = worker, parts = workers;
    block b;
    block_buffers(a, &b, hlmi_worker_scratch(t, worker, workers));
    if (w.shared) {
        size_t tasks = 0;
        for (size_t s = 0; s < t->n_spans; s++) tasks += query_splits(a, t, t->spans[s].row) * a->kv.n_kv_heads;
        if (tasks < 4 * t->workers) w.heads = 1; /* heads of a group one by one: more to share */
    } else {
        w.owner = hlmi_team_worker(t, worker, workers);
        w.owners = t->workers;
        parts = hlmi_team_parts(t, workers);
        part = worker % parts;
    }
    if (parts > 1) {
        walk all = w;
        all.mine.end = 0;
        walk_blocks(a, &all, &b);
        w.mine = hlmi_share(all.split, part, parts);
    }
    walk_blocks(a, &w, &b);
}

/* Room for the partial results of one row at the model's longest text, of FEW_ROWS short ones, and a bound. */
static size_t slot_count(const hlmi_builder *b, const attn_arg *a)
{
    const size_t longest = (size_t)b->plan->max_positions + b->plan->n_prefix;
    const size_t one = (longest / SPLIT + hlmi_div_up(a->a.pinned, SPLIT) + 1) * a->a.n_heads;
    const size_t few = 4 * FEW_ROWS * a->a.n_heads;
    return hlmi_min_size(hlmi_max_size(one, few), PARTIAL_BYTES / (a->slot * sizeof(float)));
}

void hlmi_cpu_attention(hlmi_builder *b, const hlmi_attention *o)
{
    attn_arg a = {.a = *o, .kv = b->plan->kv[o->kv], .k = b->kernels, .pages = b->pages};
    a.group = o->n_heads / a.kv.n_kv_heads;
    const size_t fit = BLOCK_QUERIES / hlmi_min_size(a.group, BLOCK_QUERIES);
    a.block_rows = hlmi_min_size(fit, BLOCK_ROWS);
    a.slot = hlmi_round_up(2 + a.kv.v_dim, 4);
    a.slots = slot_count(b, &a);
    const size_t mark = hlmi_scratch_mark(b);
    a.partial = hlmi_scratch(b, a.slots * a.slot * sizeof(float));
    block buffers;
    uint8_t *const worker = (uint8_t *)(uintptr_t)HLMI_ALIGN; /* an address that nobody reads */
    hlmi_scratch_worker(b, (size_t)(block_buffers(&a, &buffers, worker) - worker));
    hlmi_emit(b, attend_run, &a, sizeof a, 0, 0);
    hlmi_emitted_by_past(b);
    hlmi_emit(b, fold_run, &a, sizeof a, 0, FEW_ROWS);
    hlmi_scratch_release(b, mark);
}
