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
#include "ops/cpu/cpu.h"

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
    bool pinned; /* the split at hand is one of pinned positions */
    int64_t pos; /* of the first row */
    float *q, *s, *o, *acc, *m, *l; /* m, l, acc: of the split at hand */
    float *top, *sum; /* with o: of all splits so far */
    uint16_t *lo, *hi;
} block;

static size_t most_queries(const attn_arg *a)
{
    return a->block_rows * a->group;
}

static size_t scratch_bytes(const attn_arg *a)
{
    const size_t n = most_queries(a);
    return n * (a->kv.head_dim + SPLIT + SLACK + 2 * a->kv.v_dim + 4) * sizeof(float) +
        2 * hlmi_round_up(n * sizeof(uint16_t), HLMI_ALIGN) + 10 * HLMI_ALIGN;
}

static float *carve(uint8_t **at, size_t bytes)
{
    float *p = (float *)(void *)*at;
    *at += hlmi_round_up(bytes, HLMI_ALIGN);
    return p;
}

static void block_buffers(const attn_arg *a, block *b, uint8_t *at)
{
    const size_t n = most_queries(a), f = sizeof(float);
    b->q = carve(&at, n * a->kv.head_dim * f);
    b->s = carve(&at, n * (SPLIT + SLACK) * f);
    b->o = carve(&at, n * a->kv.v_dim * f);
    b->acc = carve(&at, n * a->kv.v_dim * f);
    b->m = carve(&at, n * f);
    b->l = carve(&at, n * f);
    b->top = carve(&at, n * f);
    b->sum = carve(&at, n * f);
    b->lo = (uint16_t *)(void *)carve(&at, n * sizeof(uint16_t));
    b->hi = (uint16_t *)(void *)carve(&at, n * sizeof(uint16_t));
}

static void load_queries(const attn_arg *a, block *b)
{
    const size_t hd = a->kv.head_dim;
    b->n = b->n_rows * b->n_heads;
    b->pos = b->span->pos + (int64_t)(b->row - b->span->row);
    for (size_t r = 0; r < b->n_rows; r++)
        memcpy(b->q + r * b->n_heads * hd, hlmi_rows_at(a->a.q, b->row + r) + b->head * hd,
               b->n_heads * hd * sizeof *b->q);
}

/* First position behind the pinned ones that the query at pos sees. */
static int64_t first_seen(const attn_arg *a, int64_t pos)
{
    const int64_t w = (int64_t)a->a.window, pinned = (int64_t)a->a.pinned;
    const int64_t first = w && pos >= w ? pos - w + 1 : 0;
    return first > pinned ? first : pinned;
}

/* End of the pinned positions that the query at pos sees. */
static int64_t pinned_end(const attn_arg *a, int64_t pos)
{
    const int64_t pinned = (int64_t)a->a.pinned;
    return pinned < pos + 1 ? pinned : pos + 1;
}

/* The part of [from, to) that query i sees, as offsets from `from`. */
static void seen(const attn_arg *a, const block *b, size_t i, int64_t from, int64_t to, size_t *lo, size_t *hi)
{
    const int64_t pos = b->pos + (int64_t)(i / b->n_heads), first = b->pinned ? 0 : first_seen(a, pos);
    const int64_t last = b->pinned ? pinned_end(a, pos) : pos + 1, end = last < to ? last : to;
    *lo = first > from ? (size_t)(first - from) : 0;
    *hi = end > from ? (size_t)(end - from) : 0;
    if (*lo > *hi) *lo = *hi;
}

/* Where rows are int8: rows i of s times the scales of n positions. */
static void apply_scales(const attn_arg *a, const block *b, int64_t offset, const float *scales, size_t n)
{
    for (size_t i = 0; i < b->n; i++) {
        float *s = b->s + i * (SPLIT + SLACK) + offset;
        a->k->mul(s, s, scales, n);
    }
}

/* Calls of the page kernels for the part of split [from, to) in one page. */
static void page_scores(const attn_arg *a, const block *b, int64_t from, int64_t at, size_t n)
{
    char *rows = hlmi_rows_of(b->span->pages, a->pages, a->a.kv, at);
    const size_t in_page = (size_t)at % a->pages->tokens; /* a multiple of SPLIT */
    a->k->qk[a->pages->format](b->s + (at - from), SPLIT + SLACK, b->q, a->kv.head_dim, b->n, a->a.scale,
                               (char *)hlmi_page_k(rows, a->pages, a->a.kv, b->kv_head) + in_page * a->pages->item,
                               a->pages->stride, a->kv.head_dim, n);
    const float *scales = hlmi_page_k_scale(rows, a->pages, a->a.kv, b->kv_head);
    if (scales) apply_scales(a, b, at - from, scales + in_page, n);
}

static void page_values(const attn_arg *a, const block *b, int64_t from, int64_t at, size_t n)
{
    char *rows = hlmi_rows_of(b->span->pages, a->pages, a->a.kv, at);
    const float *scales = hlmi_page_v_scale(rows, a->pages, a->a.kv, b->kv_head);
    if (scales) apply_scales(a, b, at - from, scales + (size_t)at % a->pages->tokens, n);
    for (size_t i = 0; i < b->n; i++) {
        size_t lo, hi;
        seen(a, b, i, at, at + (int64_t)n, &lo, &hi);
        b->lo[i] = (uint16_t)lo;
        b->hi[i] = (uint16_t)hi;
    }
    a->k->pv[a->pages->format](b->acc, a->kv.v_dim, b->s + (at - from), SPLIT + SLACK, b->n, b->lo, b->hi,
                               (char *)hlmi_page_v(rows, a->pages, a->a.kv, b->kv_head) +
                                   (size_t)at % a->pages->tokens * a->kv.v_dim * a->pages->item,
                               a->kv.v_dim);
}

typedef void page_fn(const attn_arg *a, const block *b, int64_t from, int64_t at, size_t n);

static void each_page(const attn_arg *a, const block *b, int64_t from, int64_t to, page_fn *fn)
{
    const int64_t per = (int64_t)a->pages->tokens, last_row = b->pos + (int64_t)b->n_rows - 1;
    const int64_t last = b->pinned ? pinned_end(a, last_row) : last_row + 1;
    const int64_t first = b->pinned ? 0 : first_seen(a, b->pos), end = to < last ? to : last;
    int64_t at = from > first / per * per ? from : first / per * per;
    if (at < from) at = from;
    while (at < end) {
        const int64_t next = (at / per + 1) * per < end ? (at / per + 1) * per : end;
        fn(a, b, from, at, (size_t)(next - at));
        at = next;
    }
}

/* Split [from, from + SPLIT) of every query: maximum to b->m, sum to b->l (0: it sees nothing of it), values to
 * b->acc. */
static void split(const attn_arg *a, block *b, int64_t from)
{
    const int64_t to = from + SPLIT;
    each_page(a, b, from, to, page_scores);
    for (size_t i = 0; i < b->n; i++) {
        size_t lo, hi;
        seen(a, b, i, from, to, &lo, &hi);
        float *s = b->s + i * (SPLIT + SLACK) + lo;
        b->l[i] = 0.0f;
        if (lo == hi) continue;
        b->m[i] = a->k->max(s, hi - lo);
        b->l[i] = a->k->exp_sum(s, s, b->m[i], hi - lo);
    }
    memset(b->acc, 0, b->n * a->kv.v_dim * sizeof *b->acc);
    each_page(a, b, from, to, page_values);
}

/* Folds a split (m, l, acc) into what came before (mo, lo, o); *lo is 0 before the first. */
static void fold(float *mo, float *lo, float *o, float m, float l, const float *acc, size_t n)
{
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

static float *out_of(const attn_arg *a, size_t row, size_t head)
{
    return hlmi_rows_at(a->a.out, row) + head * a->kv.v_dim;
}

/* A query's result: the folded values over their sum. */
static void finish(const attn_arg *a, size_t row, size_t head, float l, const float *o)
{
    a->k->scale(out_of(a, row, head), o, 1.0f / l, a->kv.v_dim);
}

static int64_t first_split(const attn_arg *a, int64_t pos)
{
    return first_seen(a, pos) / SPLIT * SPLIT;
}

/* The splits of a block: those of pinned positions, where there are any, then the others. False behind the last. */
static bool split_begin(const attn_arg *a, block *b, int64_t *from)
{
    b->pinned = a->a.pinned > 0;
    *from = b->pinned ? 0 : first_split(a, b->pos);
    return true; /* a block sees itself */
}

static bool split_next(const attn_arg *a, block *b, int64_t *from)
{
    const int64_t last = b->pos + (int64_t)b->n_rows - 1;
    *from += SPLIT;
    if (b->pinned && *from >= pinned_end(a, last)) {
        b->pinned = false;
        *from = first_split(a, b->pos);
    }
    return b->pinned || *from <= last;
}

/* How many there are. */
static size_t split_total(const attn_arg *a, block *b)
{
    const int64_t last = b->pos + (int64_t)b->n_rows - 1, first = first_split(a, b->pos);
    const size_t pinned = a->a.pinned ? hlmi_div_up((size_t)pinned_end(a, last), SPLIT) : 0;
    return pinned + (first <= last ? (size_t)((last - first) / SPLIT) + 1 : 0);
}

/* ---- many rows: a worker does all splits of a block ---- */

/* Splits [begin, end) of a block's n. What came before is where the last part has left it, in the worker's scratch. */
static void whole(const attn_arg *a, block *b, size_t begin, size_t end, size_t n)
{
    const size_t v = a->kv.v_dim;
    size_t i = 0;
    int64_t from;
    load_queries(a, b);
    for (size_t q = 0; begin == 0 && q < b->n; q++) b->sum[q] = 0.0f;
    for (bool more = split_begin(a, b, &from); more && i < end; more = split_next(a, b, &from), i++) {
        if (i < begin) continue;
        split(a, b, from);
        for (size_t q = 0; q < b->n; q++)
            if (b->l[q] != 0.0f) fold(&b->top[q], &b->sum[q], b->o + q * v, b->m[q], b->l[q], b->acc + q * v, v);
    }
    for (size_t q = 0; end == n && q < b->n; q++)
        finish(a, b->row + q / b->n_heads, b->head + q % b->n_heads, b->sum[q], b->o + q * v);
}

/* The splits of a worker's blocks, numbered through. */
typedef struct splits {
    size_t at; /* number of the next block's first */
    hlmi_range mine;
} splits;

static void visit(const attn_arg *a, block *b, splits *s)
{
    const size_t n = split_total(a, b), first = s->at, end = first + n;
    s->at = end;
    if (first < s->mine.end && end > s->mine.begin)
        whole(a, b, hlmi_max_size(first, s->mine.begin) - first, hlmi_min_size(end, s->mine.end) - first, n);
}

static void own_blocks(const attn_arg *a, const hlmi_tile *t, size_t worker, block *b, splits *s)
{
    size_t turn = 0;
    for (size_t i = 0; i < t->n_spans; i++) {
        b->span = &t->spans[i];
        for (size_t r = 0; r < b->span->n; r += a->block_rows) {
            b->row = b->span->row + r;
            b->n_rows = hlmi_min_size(a->block_rows, b->span->n - r);
            b->pos = t->pos[b->row];
            for (size_t h = 0; h < a->kv.n_kv_heads; h++) {
                if (turn++ % t->workers != worker) continue;
                b->kv_head = h;
                for (size_t g = 0; g < a->group; g += BLOCK_QUERIES) {
                    b->head = h * a->group + g;
                    b->n_heads = hlmi_min_size(BLOCK_QUERIES, a->group - g);
                    visit(a, b, s);
                }
            }
        }
    }
}

static void whole_blocks(const attn_arg *a, const hlmi_tile *t, size_t worker, size_t workers)
{
    const size_t own = hlmi_team_worker(t, worker, workers), parts = hlmi_team_parts(t, workers);
    splits s = {.mine = {0, SIZE_MAX}};
    block b;
    block_buffers(a, &b, hlmi_worker_scratch(t, worker, workers));
    if (parts > 1) {
        splits all = {0};
        own_blocks(a, t, own, &b, &all);
        s.mine = hlmi_share(all.at, worker % parts, parts);
    }
    own_blocks(a, t, own, &b, &s);
}

/* ---- few rows: workers share the splits, then fold them ---- */

static size_t pinned_count(const attn_arg *a, int64_t pos)
{
    return hlmi_div_up((size_t)pinned_end(a, pos), SPLIT);
}

static size_t split_count(const attn_arg *a, int64_t pos)
{
    const size_t others = pos < first_seen(a, pos) ? 0 : (size_t)((pos - first_split(a, pos)) / SPLIT) + 1;
    return pinned_count(a, pos) + others;
}

/* Partial results that the tile needs; more than there are: whole_blocks does the work. */
static size_t slots_needed(const attn_arg *a, const hlmi_tile *t)
{
    size_t n = 0;
    for (size_t r = 0; r < t->n_rows; r++) n += split_count(a, t->pos[r]) * a->a.n_heads;
    return n;
}

/* Slot of split number `index` of a row and head. */
static float *slot_of(const attn_arg *a, const hlmi_tile *t, size_t row, size_t head, size_t index)
{
    size_t n = 0;
    for (size_t r = 0; r < row; r++) n += split_count(a, t->pos[r]) * a->a.n_heads;
    n += head * split_count(a, t->pos[row]) + index;
    return a->partial + n * a->slot;
}

/* Number of the block's split at hand among those of the query at pos; false: it is none of them. */
static bool split_index(const attn_arg *a, const block *b, int64_t pos, int64_t from, size_t *index)
{
    const int64_t first = b->pinned ? 0 : first_split(a, pos), end = b->pinned ? pinned_end(a, pos) : pos + 1;
    if (from < first || from >= end || (!b->pinned && pos < first_seen(a, pos))) return false;
    *index = (size_t)((from - first) / SPLIT) + (b->pinned ? 0 : pinned_count(a, pos));
    return true;
}

static void store_split(const attn_arg *a, const hlmi_tile *t, const block *b, int64_t from)
{
    for (size_t i = 0; i < b->n; i++) {
        const size_t row = b->row + i / b->n_heads;
        size_t index;
        if (!split_index(a, b, t->pos[row], from, &index)) continue;
        float *slot = slot_of(a, t, row, b->head + i % b->n_heads, index);
        slot[0] = b->m[i];
        slot[1] = b->l[i];
        memcpy(slot + 2, b->acc + i * a->kv.v_dim, a->kv.v_dim * sizeof *slot);
    }
}

/* The splits of a tile's blocks, `heads` query heads in each: those whose numbers are in s->mine. */
static void share_splits(const attn_arg *a, const hlmi_tile *t, block *b, size_t heads, splits *s)
{
    for (size_t i = 0; i < t->n_spans; i++) {
        b->span = &t->spans[i];
        for (size_t r = 0; r < b->span->n; r += a->block_rows) {
            b->row = b->span->row + r;
            b->n_rows = hlmi_min_size(a->block_rows, b->span->n - r);
            b->pos = t->pos[b->row];
            for (size_t h = 0; h < a->a.n_heads; h += heads) {
                b->kv_head = h / a->group;
                b->head = h;
                b->n_heads = heads;
                int64_t from;
                for (bool more = split_begin(a, b, &from); more; more = split_next(a, b, &from)) {
                    const size_t number = s->at++;
                    if (number < s->mine.begin || number >= s->mine.end) continue;
                    load_queries(a, b);
                    split(a, b, from);
                    store_split(a, t, b, from);
                }
            }
        }
    }
}

static void attend_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const attn_arg *a = arg;
    const hlmi_tile *t = step;
    if (t->n_rows > FEW_ROWS || slots_needed(a, t) > a->slots) {
        whole_blocks(a, t, worker, workers);
        return;
    }
    size_t tasks = 0;
    for (size_t s = 0; s < t->n_spans; s++) tasks += split_count(a, t->spans[s].pos) * a->kv.n_kv_heads;
    const bool alone =
        tasks < 4 * t->workers || a->group > BLOCK_QUERIES; /* heads of a group one by one: more to share */
    const size_t heads = alone ? 1 : a->group;
    block b;
    block_buffers(a, &b, hlmi_worker_scratch(t, worker, workers));
    splits all = {0};
    share_splits(a, t, &b, heads, &all);
    splits s = {.mine = hlmi_share(all.at, worker, workers)};
    share_splits(a, t, &b, heads, &s);
}

static void fold_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const attn_arg *a = arg;
    const hlmi_tile *t = step;
    if (slots_needed(a, t) > a->slots) return;
    const hlmi_range r = hlmi_share(t->n_rows * a->a.n_heads, worker, workers);
    for (size_t i = r.begin; i < r.end; i++) {
        const size_t row = i / a->a.n_heads, head = i % a->a.n_heads, n = split_count(a, t->pos[row]);
        float *slot = slot_of(a, t, row, head, 0);
        float *first = slot;
        for (size_t s = 1; s < n; s++) {
            slot += a->slot;
            if (slot[1] != 0.0f) fold(&first[0], &first[1], first + 2, slot[0], slot[1], slot + 2, a->kv.v_dim);
        }
        finish(a, row, head, first[1], first + 2);
    }
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
    hlmi_scratch_worker(b, scratch_bytes(&a));
    hlmi_emit(b, attend_run, &a, sizeof a, 0, 0);
    hlmi_emitted_by_past(b);
    hlmi_emit(b, fold_run, &a, sizeof a, 0, FEW_ROWS);
    hlmi_scratch_release(b, mark);
}
