/* Matrix products of experts with the rows that chose them (slots, ops.h). Each worker finds the order of the slots by
 * itself, which costs less than a barrier. Up: the bands of all used experts are divided by their cost. Down: a worker
 * has some of the output rows, for all experts one after another, so that a sum never waits for another worker. */
#include <string.h>

#include "base/size.h"
#include "ops/cpu/low.h"

enum { PRIVATE_ROWS = 4, PRIVATE_SLOTS = 4 }; /* up to here each worker packs for itself */

typedef struct grouped_arg {
    hlmi_linear_grouped a;
    hlmi_norm norm;
    const hlmi_kernels *k;
    bool f32;
    size_t cols; /* of the widest expert */
    size_t private_rows;
    size_t per[HLMI_ACT_COUNT]; /* packed rows of a row of x, of the forms that some expert reads; 0: none does */
    uint8_t *packed[HLMI_ACT_COUNT]; /* [slots] by all workers together; NULL: x itself */
    size_t stride[HLMI_ACT_COUNT];
    size_t private_at[HLMI_ACT_COUNT], order_at, tmp_at; /* offsets in a worker's scratch, behind the normed row */
    float
        *low; /* [max rows][2][HLMI_LOW_MAX] of the shared expert: gate or down, and up of a pair (low.h); NULL: none */
} grouped_arg;

/* Slots in order. An item is a row and the number of one of its experts: row * picks + number. */
typedef struct order {
    uint32_t *start; /* [n_experts + 1] first slot of an expert */
    uint32_t *item; /* [slots] */
    uint32_t *slot; /* [items] */
} order;

/* What a worker works with in one tile. */
typedef struct work {
    const grouped_arg *a;
    const hlmi_tile *t;
    order o;
    const uint8_t *x[HLMI_ACT_COUNT];
    float *tmp, *more, *added; /* products; of a pair's second matrix; what an adapter adds to a row's */
} work;

static size_t items(const grouped_arg *a, size_t rows)
{
    return rows * a->a.to.picks;
}

static order order_slots(const grouped_arg *a, size_t rows, void *scratch)
{
    const size_t n = a->a.n_experts, all = items(a, rows);
    const uint32_t *expert = a->a.to.expert;
    order o = {.start = (uint32_t *)(void *)((uint8_t *)scratch + a->order_at)};
    o.item = o.start + n + 2;
    o.slot = o.item + all;
    memset(o.start, 0, (n + 2) * sizeof *o.start);
    uint32_t *next = o.start + 1; /* becomes start when every slot is given */
    for (size_t i = 0; i < all; i++) next[expert[i] + 1]++;
    for (size_t e = 1; e <= n; e++) next[e] += next[e - 1];
    for (size_t i = 0; i < all; i++) {
        o.slot[i] = next[expert[i]]++;
        o.item[o.slot[i]] = (uint32_t)i;
    }
    return o;
}

/* Of a slot in form f. */
static size_t slot_bytes(const grouped_arg *a, size_t f)
{
    return a->per[f] * a->stride[f];
}

static void pack_one(const grouped_arg *a, hlmi_act act, uint8_t *dst, const float *x, size_t cols)
{
    if (act == HLMI_ACT_F32) memcpy(dst, x, cols * sizeof *x);
    else (a->per[act] == 2 ? a->k->pack_wide : a->k->pack)[act](dst, a->stride[act], x, a->a.x.ld, 1, cols);
}

/* Rows into the slots that they have. */
static void pack_rows(const grouped_arg *a, const order *o, hlmi_range rows, float *normed, uint8_t *const *dst)
{
    const size_t picks = a->a.to.picks;
    for (size_t i = rows.begin; i < rows.end; i++) {
        const float *x = hlmi_rows_at(a->a.x, i);
        if (a->a.norm) {
            hlmi_cpu_norm(a->k, &a->norm, normed, x);
            x = normed;
        }
        for (size_t f = 0; f < HLMI_ACT_COUNT; f++) {
            if (!a->per[f]) continue;
            const size_t bytes = slot_bytes(a, f);
            uint8_t *first = dst[f] + o->slot[i * picks] * bytes;
            pack_one(a, (hlmi_act)f, first, x, a->cols);
            for (size_t j = 1; j < picks; j++) memcpy(dst[f] + o->slot[i * picks + j] * bytes, first, bytes);
        }
    }
}

/* What slots have of their experts, each as wide as its own. */
static void pack_slots(const grouped_arg *a, const order *o, hlmi_range slots, uint8_t *const *dst)
{
    for (size_t s = slots.begin; s < slots.end; s++) {
        const size_t cols = a->a.experts[a->a.to.expert[o->item[s]]].down->cols;
        for (size_t f = 0; f < HLMI_ACT_COUNT; f++)
            if (a->packed[f]) pack_one(a, (hlmi_act)f, dst[f] + s * slot_bytes(a, f), hlmi_rows_at(a->a.x, s), cols);
    }
}

static void pack_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const grouped_arg *a = arg;
    const hlmi_tile *t = step;
    float *scratch = hlmi_worker_scratch(t, worker, workers);
    const order o = order_slots(a, t->n_rows, scratch);
    if (a->a.down) pack_slots(a, &o, hlmi_share(items(a, t->n_rows), worker, workers), a->packed);
    else pack_rows(a, &o, hlmi_share(t->n_rows, worker, workers), scratch, a->packed);
}

static work begin(const grouped_arg *a, const hlmi_tile *t, size_t worker, size_t workers)
{
    uint8_t *scratch = hlmi_worker_scratch(t, worker, workers);
    uint8_t *own[HLMI_ACT_COUNT];
    const bool alone = t->n_rows <= a->private_rows;
    work w = {.a = a, .t = t, .o = order_slots(a, t->n_rows, scratch)};
    w.tmp = (float *)(void *)(scratch + a->tmp_at);
    w.more = w.tmp + HLMI_BAND_TMP;
    w.added = w.more + HLMI_BAND_TMP;
    for (size_t f = 0; f < HLMI_ACT_COUNT; f++) {
        own[f] = scratch + a->private_at[f];
        w.x[f] = !a->packed[f] ? (const uint8_t *)a->a.x.at : alone ? own[f] : a->packed[f];
    }
    if (!alone) return w;
    if (a->a.down) pack_slots(a, &w.o, (hlmi_range){0, items(a, t->n_rows)}, own);
    else pack_rows(a, &w.o, (hlmi_range){0, t->n_rows}, (float *)(void *)scratch, own);
    return w;
}

/* ---- adapters: the shared expert's matrices, of which a row has one slot ---- */

static bool is_pair(const grouped_arg *a)
{
    return !a->a.down && a->a.epilogue == HLMI_EP_SILU_MUL;
}

/* Matrix `which` of an expert: that of up or down, or gate and up of a pair. NULL: there is none. */
static const hlmi_matrix *matrix_of(const grouped_arg *a, const hlmi_expert *e, size_t which)
{
    if (is_pair(a)) return which == 0 ? e->gate : e->up;
    return which == 1 ? NULL : a->a.down ? e->down : e->up;
}

static float *low_row(const grouped_arg *a, size_t row, size_t which)
{
    return a->low + (row * 2 + which) * HLMI_LOW_MAX;
}

static void low_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const grouped_arg *a = arg;
    const hlmi_tile *t = step;
    float *normed = hlmi_worker_scratch(t, worker, workers);
    const order o = order_slots(a, t->n_rows, normed);
    const hlmi_expert *e = &a->a.experts[a->a.n_experts - 1];
    const size_t first = o.start[a->a.n_experts - 1];
    const hlmi_range r = hlmi_share(o.start[a->a.n_experts] - first, worker, workers);
    for (size_t s = first + r.begin; s < first + r.end; s++) {
        const size_t row = o.item[s] / a->a.to.picks;
        const float *x = hlmi_rows_at(a->a.x, a->a.down ? s : row);
        for (size_t which = 0; which < 2; which++) {
            const hlmi_matrix *m = matrix_of(a, e, which);
            const hlmi_low *low = m ? hlmi_low_of(t->adapter[row], m) : NULL;
            if (!low) continue;
            if (a->a.norm && x != normed) {
                hlmi_cpu_norm(a->k, &a->norm, normed, x);
                x = normed;
            }
            hlmi_low_in(a->k, low, x, low_row(a, row, which));
        }
    }
}

/* Adds what adapters have for matrix `which` of an expert to n products y of slots from s on. */
static void adapt(const work *w, size_t expert, size_t which, size_t u, size_t bands, size_t s, size_t n, float *y)
{
    const grouped_arg *a = w->a;
    if (!a->low || !w->t->adapted || expert != a->a.n_experts - 1) return;
    for (size_t i = 0; i < n; i++) {
        const size_t row = w->o.item[s + i] / a->a.to.picks;
        const hlmi_low *low = hlmi_low_of(w->t->adapter[row], matrix_of(a, &a->a.experts[expert], which));
        if (low) hlmi_low_out(a->k, low, u, bands, low_row(a, row, which), y + i * bands * HLMI_BAND, w->added);
    }
}

/* ---- products ---- */

/* Products of bands [u, u + bands) of m with slots [s, s + n). */
static void products(const work *w, const hlmi_matrix *m, size_t u, size_t bands, size_t s, size_t n, float *y)
{
    const grouped_arg *a = w->a;
    const hlmi_product p = hlmi_product_of(a->k, m, a->f32, a->a.wide);
    const uint8_t *x = w->x[p.act] + s * slot_bytes(a, p.act);
    hlmi_product_run(a->k, &p, u, bands, x, a->stride[p.act], n, y, bands * HLMI_BAND);
}

/* What becomes of n products y (of a pair: and up) from output row `row` on, for slot s. */
static void finish_up(const work *w, const hlmi_expert *e, float *y, float *up, size_t row, size_t n, size_t s)
{
    const hlmi_linear_grouped *a = &w->a->a;
    const hlmi_kernels *k = w->a->k;
    float *out = hlmi_rows_at(a->y, s) + row;
    float *biased = a->epilogue == HLMI_EP_SILU_MUL ? up : y;
    if (e->up_bias) k->add(biased, biased, e->up_bias + row, n);
    if (a->epilogue == HLMI_EP_SILU_MUL) k->silu_mul(out, y, up, n);
    else if (a->epilogue == HLMI_EP_GELU) k->gelu(out, y, n);
    else k->relu2(out, y, n);
}

static void finish_down(const work *w, const hlmi_expert *e, float *y, size_t row, size_t n, size_t s)
{
    const hlmi_linear_grouped *a = &w->a->a;
    const hlmi_kernels *k = w->a->k;
    const size_t item = w->o.item[s];
    float *out = hlmi_rows_at(a->y, item / a->to.picks) + row;
    if (e->down_bias) k->add(y, y, e->down_bias + row, n);
    k->scale(y, y, a->to.weight[item], n);
    k->add(out, out, y, n);
}

/* Bands [first, last) of an expert for all its slots: some bands at a time, so that they are read once. */
static void expert_run(const work *w, size_t expert, size_t first, size_t last)
{
    const hlmi_linear_grouped *a = &w->a->a;
    const hlmi_expert *e = &a->experts[expert];
    const bool pair = is_pair(w->a);
    const hlmi_matrix *m = matrix_of(w->a, e, 0);
    const size_t begin = w->o.start[expert], end = w->o.start[expert + 1];
    const size_t per = a->wide ? 2 : 1;
    const size_t most = HLMI_BAND_TMP / (HLMI_BAND * per * hlmi_min_size(end - begin, HLMI_BAND_TOKENS));
    for (size_t u = first, run; u < last; u += run) {
        run = hlmi_min_size(most, last - u);
        const size_t row = u * HLMI_BAND, ld = run * HLMI_BAND, width = hlmi_min_size(ld, m->rows - row);
        for (size_t s = begin; s < end; s += HLMI_BAND_TOKENS) {
            const size_t n = hlmi_min_size(HLMI_BAND_TOKENS, end - s);
            products(w, m, u, run, s, n, w->tmp);
            adapt(w, expert, 0, u, run, s, n, w->tmp);
            if (pair) products(w, e->up, u, run, s, n, w->more);
            if (pair) adapt(w, expert, 1, u, run, s, n, w->more);
            for (size_t i = 0; i < n; i++) {
                if (a->down) finish_down(w, e, w->tmp + i * ld, row, width, s + i);
                else finish_up(w, e, w->tmp + i * ld, w->more + i * ld, row, width, s + i);
            }
        }
    }
}

static size_t bands_of(const hlmi_matrix *m)
{
    return hlmi_div_up(m->rows, HLMI_BAND);
}

/* A band costs as much as it has slots; it goes to the worker in whose share of all costs it begins. */
static void up_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const grouped_arg *a = arg;
    const work w = begin(a, step, worker, workers);
    const uint32_t *start = w.o.start;
    size_t total = 0;
    for (size_t e = 0; e < a->a.n_experts; e++)
        if (start[e] < start[e + 1]) total += (start[e + 1] - start[e]) * bands_of(a->a.experts[e].up);
    const hlmi_range r = hlmi_share(total, worker, workers);
    for (size_t e = 0, base = 0; e < a->a.n_experts && base < r.end; e++) {
        const size_t n = start[e + 1] - start[e];
        if (n == 0) continue;
        const size_t bands = bands_of(a->a.experts[e].up);
        const size_t first = r.begin > base ? hlmi_div_up(r.begin - base, n) : 0;
        const size_t last = hlmi_min_size(bands, hlmi_div_up(r.end - base, n));
        if (first < last) expert_run(&w, e, first, last);
        base += n * bands;
    }
}

static void down_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const grouped_arg *a = arg;
    const hlmi_tile *t = step;
    const size_t rows = a->a.experts[0].down->rows;
    const hlmi_range r = hlmi_share(bands_of(a->a.experts[0].down), worker, workers);
    if (r.begin == r.end) return;
    const work w = begin(a, t, worker, workers);
    if (a->a.epilogue == HLMI_EP_STORE) {
        const size_t from = r.begin * HLMI_BAND, to = hlmi_min_size(r.end * HLMI_BAND, rows);
        for (size_t i = 0; i < t->n_rows; i++) memset(hlmi_rows_at(a->a.y, i) + from, 0, (to - from) * sizeof(float));
    }
    for (size_t e = 0; e < a->a.n_experts; e++)
        if (w.o.start[e] < w.o.start[e + 1]) expert_run(&w, e, r.begin, r.end);
}

static void note_form(grouped_arg *a, const hlmi_matrix *m)
{
    const hlmi_product p = hlmi_product_of(a->k, m, a->f32, a->a.wide);
    a->per[p.act] = p.per;
}

/* Which forms of x the experts read, and where they are packed. */
static void find_forms(hlmi_builder *b, grouped_arg *a, size_t *at)
{
    const hlmi_linear_grouped *l = &a->a;
    for (size_t e = 0; e < l->n_experts; e++) {
        const hlmi_expert *x = &l->experts[e];
        note_form(a, l->down ? x->down : x->up);
        if (l->epilogue == HLMI_EP_SILU_MUL) note_form(a, x->gate);
    }
    for (size_t f = 0; f < HLMI_ACT_COUNT; f++) {
        if (!a->per[f]) continue;
        if (l->down && f == HLMI_ACT_F32) { /* slots lie as they are read */
            a->stride[f] = l->x.ld * sizeof(float);
            continue;
        }
        a->stride[f] = hlmi_act_stride((hlmi_act)f, a->cols);
        if (slot_bytes(a, f) % 4096 == 0) a->stride[f] += HLMI_ALIGN; /* as hlmi_act_stride does */
        a->packed[f] = hlmi_scratch(b, items(a, b->max_rows) * slot_bytes(a, f));
        a->private_at[f] = *at;
        *at += items(a, a->private_rows) * slot_bytes(a, f);
    }
}

/* Room for what adapters make of the shared expert's rows. */
static void take_low(hlmi_builder *b, grouped_arg *a)
{
    a->low = hlmi_scratch(b, b->max_rows * 2 * HLMI_LOW_MAX * sizeof *a->low);
    for (size_t which = 0; which < 2; which++) {
        const hlmi_matrix *m = matrix_of(a, &a->a.experts[a->a.n_experts - 1], which);
        if (m) hlmi_adapts(b, m);
    }
}

void hlmi_cpu_linear_grouped(hlmi_builder *b, const hlmi_linear_grouped *l)
{
    grouped_arg a = {.a = *l, .k = b->kernels, .f32 = b->f32_activations};
    for (size_t e = 0; e < l->n_experts; e++)
        a.cols = hlmi_max_size(a.cols, (l->down ? l->experts[e].down : l->experts[e].up)->cols);
    if (l->norm) a.norm = *l->norm;
    b->widest = hlmi_max_size(b->widest, a.cols);
    a.private_rows = l->down ? hlmi_max_size(1, PRIVATE_SLOTS / l->to.picks) : PRIVATE_ROWS;
    const size_t mark = hlmi_scratch_mark(b);
    size_t at = hlmi_round_up(a.cols * sizeof(float), HLMI_ALIGN);
    find_forms(b, &a, &at);
    a.order_at = at;
    at += hlmi_round_up((l->n_experts + 2 + 2 * items(&a, b->max_rows)) * sizeof(uint32_t), HLMI_ALIGN);
    a.tmp_at = at;
    hlmi_scratch_worker(b, at + 3 * HLMI_BAND_TMP * sizeof(float));
    if (l->shared) take_low(b, &a);
    bool packed = false;
    for (size_t f = 0; f < HLMI_ACT_COUNT; f++) packed |= a.packed[f] != NULL;
    if (packed) hlmi_emit(b, pack_run, &a, sizeof a, a.private_rows + 1, 0);
    if (a.low) hlmi_emit(b, low_run, &a, sizeof a, 1, 0);
    if (a.low) hlmi_emitted_for_adapters(b);
    hlmi_emit(b, l->down ? down_run : up_run, &a, sizeof a, 0, 0);
    hlmi_scratch_release(b, mark);
}
