/* Matrix products of experts with the rows that chose them (slots, ops.h). Each worker finds the order of the slots by
 * itself, which costs less than a barrier. Up: the bands of all used experts are divided by their cost. Down: a worker
 * has some of the output rows, for all experts one after another, so that a sum never waits for another worker. */
#include <string.h>

#include "base/size.h"
#include "cpu/forms.h"
#include "cpu/low.h"

enum { OWN_SLOTS = 4 }; /* of down: up to here each worker packs for itself */

typedef struct grouped_arg {
    hlmi_linear_grouped a;
    const hlmi_kernels *k;
    bool f32;
    hlmi_forms forms; /* rows are slots */
    size_t own_rows;
    size_t order_at, tmp_at; /* offsets in a worker's scratch, behind the normed row */
    float *low; /* [max slots][2][HLMI_LOW_MAX] what adapters' first matrices make of slots (low.h) */
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
    uint8_t *x[HLMI_ACT_COUNT];
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

/* Rows into the slots that they have. */
static void pack_rows(const grouped_arg *a, const order *o, hlmi_range rows, float *normed, uint8_t *const *x)
{
    const size_t picks = a->a.to.picks;
    for (size_t i = rows.begin; i < rows.end; i++) {
        const uint32_t *slot = o->slot + i * picks;
        const float *row = hlmi_cpu_normed(a->k, a->a.norm, normed, hlmi_rows_at(a->a.x, i));
        hlmi_forms_pack(a->k, &a->forms, x, slot[0], row, a->forms.cols);
        for (size_t f = 0; f < HLMI_ACT_COUNT; f++) {
            const size_t bytes = hlmi_form_bytes(&a->forms.of[f]);
            for (size_t j = 1; j < picks && bytes; j++) memcpy(x[f] + slot[j] * bytes, x[f] + slot[0] * bytes, bytes);
        }
    }
}

/* What slots have of their experts, each as wide as its own. */
static void pack_slots(const grouped_arg *a, const order *o, hlmi_range slots, uint8_t *const *x)
{
    for (size_t s = slots.begin; s < slots.end; s++) {
        const size_t cols = a->a.experts[a->a.to.expert[o->item[s]]].down.w->cols;
        hlmi_forms_pack(a->k, &a->forms, x, s, hlmi_rows_at(a->a.x, s), cols);
    }
}

/* A part of the rows, or of the slots, into x. */
static void pack(const grouped_arg *a, const order *o, size_t rows, size_t part, size_t parts, float *normed,
                 uint8_t *const *x)
{
    if (a->a.down) pack_slots(a, o, hlmi_share(items(a, rows), part, parts), x);
    else pack_rows(a, o, hlmi_share(rows, part, parts), normed, x);
}

static void pack_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const grouped_arg *a = arg;
    const hlmi_tile *t = step;
    float *scratch = hlmi_worker_scratch(t, worker, workers);
    uint8_t *x[HLMI_ACT_COUNT];
    const order o = order_slots(a, t->n_rows, scratch);
    hlmi_forms_find(&a->forms, a->a.x, NULL, x);
    pack(a, &o, t->n_rows, worker, workers, scratch, x);
}

static work begin(const grouped_arg *a, const hlmi_tile *t, size_t worker, size_t workers)
{
    uint8_t *scratch = hlmi_worker_scratch(t, worker, workers);
    const bool own = t->n_rows <= a->own_rows;
    work w = {.a = a, .t = t, .o = order_slots(a, t->n_rows, scratch)};
    w.tmp = (float *)(void *)(scratch + a->tmp_at);
    w.more = w.tmp + HLMI_BAND_TMP;
    w.added = w.more + HLMI_BAND_TMP;
    hlmi_forms_find(&a->forms, a->a.x, own ? scratch : NULL, w.x);
    if (own) pack(a, &w.o, t->n_rows, 0, 1, (float *)(void *)scratch, w.x);
    return w;
}

/* ---- adapters ---- */

static bool is_pair(const grouped_arg *a)
{
    return !a->a.down && a->a.epilogue == HLMI_EP_SILU_MUL;
}

/* Matrix `which` of an expert: that of up or down, or gate and up of a pair. NULL: there is none. */
static const hlmi_matrix *matrix_of(const grouped_arg *a, const hlmi_expert *e, size_t which)
{
    if (is_pair(a)) return which == 0 ? e->gate.w : e->up.w;
    return which == 1 ? NULL : a->a.down ? e->down.w : e->up.w;
}

static float *low_row(const grouped_arg *a, size_t slot, size_t which)
{
    return a->low + (slot * 2 + which) * HLMI_LOW_MAX;
}

static void low_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const grouped_arg *a = arg;
    const hlmi_tile *t = step;
    float *normed = hlmi_worker_scratch(t, worker, workers);
    const order o = order_slots(a, t->n_rows, normed);
    const hlmi_range r = hlmi_share(items(a, t->n_rows), worker, workers);
    for (size_t s = r.begin; s < r.end; s++) {
        const size_t row = o.item[s] / a->a.to.picks;
        const hlmi_expert *e = &a->a.experts[a->a.to.expert[o.item[s]]];
        const hlmi_dense m[] = {{.w = matrix_of(a, e, 0)}, {.w = matrix_of(a, e, 1)}};
        hlmi_low_in(a->k, t->adapter[row], m, 2, a->a.norm, hlmi_rows_at(a->a.x, a->a.down ? s : row), normed,
                    low_row(a, s, 0));
    }
}

/* ---- products ---- */

/* Products y of bands [u, u + bands) of an expert's matrix `which` with slots [s, s + n), and what adapters add. */
static void products(const work *w, size_t expert, size_t which, size_t u, size_t bands, size_t s, size_t n, float *y)
{
    const grouped_arg *a = w->a;
    const hlmi_matrix *m = matrix_of(a, &a->a.experts[expert], which);
    const hlmi_product p = hlmi_product_of(a->k, m, a->f32, a->a.wide);
    hlmi_forms_run(a->k, &a->forms, &p, u, bands, w->x, s, n, y);
    for (size_t i = 0; i < n && w->t->adapted; i++) {
        const size_t row = w->o.item[s + i] / a->a.to.picks;
        const hlmi_low *low = hlmi_low_of(w->t->adapter[row], m);
        if (low) hlmi_low_out(a->k, low, u, bands, low_row(a, s + i, which), y + i * bands * HLMI_BAND, w->added);
    }
}

/* What becomes of n products y (of a pair: and up) from output row `row` on, for slot s. */
static void finish_up(const work *w, const hlmi_expert *e, float *y, float *up, size_t row, size_t n, size_t s)
{
    const hlmi_linear_grouped *a = &w->a->a;
    float *biased = is_pair(w->a) ? up : y;
    if (e->up.bias) w->a->k->add(biased, biased, e->up.bias + row, n);
    hlmi_finish(w->a->k, a->epilogue, hlmi_rows_at(a->y, s) + row, y, up, n);
}

static void finish_down(const work *w, const hlmi_expert *e, float *y, size_t row, size_t n, size_t s)
{
    const hlmi_linear_grouped *a = &w->a->a;
    const hlmi_kernels *k = w->a->k;
    const size_t item = w->o.item[s];
    float *out = hlmi_rows_at(a->y, item / a->to.picks) + row;
    if (e->down.bias) k->add(y, y, e->down.bias + row, n);
    k->scale(y, y, a->to.weight[item], n);
    k->add(out, out, y, n);
}

/* Bands [first, last) of an expert for all its slots: some bands at a time, so that they are read once. */
static void expert_run(const work *w, size_t expert, size_t first, size_t last)
{
    const hlmi_linear_grouped *a = &w->a->a;
    const hlmi_expert *e = &a->experts[expert];
    const size_t rows = matrix_of(w->a, e, 0)->rows;
    const size_t begin = w->o.start[expert], end = w->o.start[expert + 1];
    const size_t per = a->wide ? 2 : 1;
    const size_t most = HLMI_BAND_TMP / (HLMI_BAND * per * hlmi_min_size(end - begin, HLMI_BAND_TOKENS));
    for (size_t u = first, run; u < last; u += run) {
        run = hlmi_min_size(most, last - u);
        const size_t row = u * HLMI_BAND, ld = run * HLMI_BAND, width = hlmi_min_size(ld, rows - row);
        for (size_t s = begin; s < end; s += HLMI_BAND_TOKENS) {
            const size_t n = hlmi_min_size(HLMI_BAND_TOKENS, end - s);
            products(w, expert, 0, u, run, s, n, w->tmp);
            if (is_pair(w->a)) products(w, expert, 1, u, run, s, n, w->more);
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
        if (start[e] < start[e + 1]) total += (start[e + 1] - start[e]) * bands_of(a->a.experts[e].up.w);
    const hlmi_range r = hlmi_share(total, worker, workers);
    for (size_t e = 0, base = 0; e < a->a.n_experts && base < r.end; e++) {
        const size_t n = start[e + 1] - start[e];
        if (n == 0) continue;
        const size_t bands = bands_of(a->a.experts[e].up.w);
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
    const size_t rows = a->a.experts[0].down.w->rows;
    const hlmi_range r = hlmi_share(bands_of(a->a.experts[0].down.w), worker, workers);
    if (r.begin == r.end) return;
    const work w = begin(a, t, worker, workers);
    if (a->a.epilogue == HLMI_EP_STORE) {
        const size_t from = r.begin * HLMI_BAND, to = hlmi_min_size(r.end * HLMI_BAND, rows);
        for (size_t i = 0; i < t->n_rows; i++) memset(hlmi_rows_at(a->a.y, i) + from, 0, (to - from) * sizeof(float));
    }
    for (size_t e = 0; e < a->a.n_experts; e++)
        if (w.o.start[e] < w.o.start[e + 1]) expert_run(&w, e, r.begin, r.end);
}

void hlmi_cpu_linear_grouped(hlmi_builder *b, const hlmi_linear_grouped *l)
{
    grouped_arg a = {.a = *l, .k = b->kernels, .f32 = b->f32_activations};
    const size_t mark = hlmi_scratch_mark(b);
    for (size_t e = 0; e < l->n_experts; e++) {
        for (size_t which = 0; which < 2; which++) {
            const hlmi_matrix *m = matrix_of(&a, &l->experts[e], which);
            if (!m) continue;
            const hlmi_product p = hlmi_product_of(a.k, m, a.f32, l->wide);
            hlmi_forms_note(&a.forms, &p);
            hlmi_adapts(b, m);
            a.forms.cols = hlmi_max_size(a.forms.cols, m->cols);
        }
    }
    a.own_rows = l->down ? hlmi_max_size(1, OWN_SLOTS / l->to.picks) : HLMI_OWN_ROWS;
    a.order_at = hlmi_round_up(a.forms.cols * sizeof(float), HLMI_ALIGN);
    const bool packed = hlmi_forms_take(b, &a.forms, items(&a, b->max_rows), items(&a, a.own_rows),
                                        l->down ? &l->x : NULL, &a.order_at);
    const size_t numbers = l->n_experts + 2 + 2 * items(&a, b->max_rows);
    a.tmp_at = a.order_at + hlmi_round_up(numbers * sizeof(uint32_t), HLMI_ALIGN);
    hlmi_scratch_worker(b, a.tmp_at + 3 * HLMI_BAND_TMP * sizeof(float));
    a.low = hlmi_scratch(b, items(&a, b->max_rows) * 2 * HLMI_LOW_MAX * sizeof *a.low);
    if (packed) hlmi_emit(b, pack_run, &a, sizeof a, a.own_rows + 1, 0);
    hlmi_emit(b, low_run, &a, sizeof a, 1, 0);
    hlmi_emitted_for_adapters(b);
    hlmi_emit(b, l->down ? down_run : up_run, &a, sizeof a, 0, 0);
    hlmi_scratch_release(b, mark);
}
