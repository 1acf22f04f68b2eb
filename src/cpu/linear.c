/* Matrix products of rows with weights, and what becomes of them. The rows are normed and packed into the forms that
 * the weights' kernels read (forms.h). */
#include <string.h>

#include "base/size.h"
#include "cpu/forms.h"
#include "cpu/low.h"

typedef struct linear_arg {
    hlmi_linear a;
    const hlmi_kernels *k;
    hlmi_forms forms;
    size_t per; /* most rows of products for a row of x */
    hlmi_product p[HLMI_LINEAR_MAX];
    size_t tmp_at; /* offset in a worker's scratch of products, of a pair's second ones, and of what adapters add */
    float *low; /* [max rows, n, HLMI_LOW_MAX] what the adapters' first matrices make of the rows */
} linear_arg;

static bool of_out_rows(const hlmi_linear *l)
{
    return l->epilogue == HLMI_EP_OUT;
}

static size_t row_count(const linear_arg *a, const hlmi_tile *t)
{
    return of_out_rows(&a->a) ? t->n_out : t->n_rows;
}

static void pack_rows(const linear_arg *a, hlmi_range r, float *normed, uint8_t *const *rows)
{
    for (size_t i = r.begin; i < r.end; i++) {
        const float *x = hlmi_cpu_normed(a->k, a->a.norm, normed, hlmi_rows_at(a->a.x, i));
        hlmi_forms_pack(a->k, &a->forms, rows, i, x, a->forms.cols);
    }
}

static void pack_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const linear_arg *a = arg;
    const hlmi_tile *t = step;
    uint8_t *rows[HLMI_ACT_COUNT];
    hlmi_forms_find(&a->forms, a->a.x, NULL, rows);
    pack_rows(a, hlmi_share(row_count(a, t), worker, workers), hlmi_worker_scratch(t, worker, workers), rows);
}

/* ---- adapters (low.h) ---- */

static const hlm_adapter *adapter_of(const linear_arg *a, const hlmi_tile *t, size_t i)
{
    return t->adapter[of_out_rows(&a->a) ? t->out_row[i] : i];
}

static float *low_row(const linear_arg *a, size_t i, size_t m)
{
    return a->low + (i * a->a.n + m) * HLMI_LOW_MAX;
}

static void low_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const linear_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(row_count(a, t), worker, workers);
    float *normed = hlmi_worker_scratch(t, worker, workers);
    for (size_t i = r.begin; i < r.end; i++)
        hlmi_low_in(a->k, adapter_of(a, t, i), a->a.w, a->a.n, a->a.norm, hlmi_rows_at(a->a.x, i), normed,
                    low_row(a, i, 0));
}

/* ---- products ---- */

/* Bands [u, u + bands) of the rows [t0, t0 + n), packed in x. */
typedef struct piece {
    const hlmi_tile *tile;
    uint8_t *const *x;
    size_t u, bands, t0, n;
} piece;

/* Products y of a piece with matrix i, and what adapters add; tmp: room as y. */
static void products(const linear_arg *a, const piece *p, size_t i, float *y, float *tmp)
{
    hlmi_forms_run(a->k, &a->forms, &a->p[i], p->u, p->bands, p->x, p->t0, p->n, y);
    for (size_t t = p->t0; p->tile->adapted && t < p->t0 + p->n; t++, y += p->bands * HLMI_BAND) {
        const hlmi_low *low = hlmi_low_of(adapter_of(a, p->tile, t), a->a.w[i].w);
        if (low) hlmi_low_out(a->k, low, p->u, p->bands, low_row(a, t, i), y, tmp);
    }
}

/* y = scale * (y + bias) of matrix i, from output row `row` on. */
static void add_bias(const linear_arg *a, size_t i, float *y, size_t row, size_t n)
{
    if (a->a.w[i].bias) a->k->add(y, y, a->a.w[i].bias + row, n);
    if (a->a.w[i].scale) a->k->mul(y, y, a->a.w[i].scale + row, n);
}

static void band_run(const linear_arg *a, const piece *p, size_t i, float *tmp)
{
    const bool pair = a->a.epilogue == HLMI_EP_SILU_MUL;
    const size_t row = p->u * HLMI_BAND, ld = p->bands * HLMI_BAND, n = hlmi_min_size(ld, a->a.w[i].w->rows - row);
    float *y = tmp, *up = y + HLMI_BAND_TMP, *added = up + HLMI_BAND_TMP;
    products(a, p, i, y, added);
    if (pair) products(a, p, 1, up, added);
    for (size_t t = p->t0; t < p->t0 + p->n; t++, y += ld, up += ld) {
        float *out = of_out_rows(&a->a) ? p->tile->out[t] : hlmi_rows_at(a->a.y[i], t);
        add_bias(a, i, y, row, n);
        if (pair) add_bias(a, 1, up, row, n);
        hlmi_finish(a->k, a->a.epilogue, out + row, y, up, n);
    }
}

/* Work is ordered by blocks of tokens, whose packed rows then stay in the core's cache while weights pass by. */
static void linear_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const linear_arg *a = arg;
    const hlmi_tile *t = step;
    const size_t rows = row_count(a, t), blocks = hlmi_div_up(rows, HLMI_BAND_TOKENS);
    const size_t n_mat = a->a.epilogue == HLMI_EP_SILU_MUL ? 1 : a->a.n;
    const bool own = !of_out_rows(&a->a) && rows <= HLMI_OWN_ROWS;
    uint8_t *x[HLMI_ACT_COUNT], *scratch = hlmi_worker_scratch(t, worker, workers);
    size_t bands = 0;
    for (size_t i = 0; i < n_mat; i++) bands += a->p[i].bands;
    hlmi_range r = hlmi_share(bands * blocks, worker, workers);
    if (r.begin == r.end) return;
    hlmi_forms_find(&a->forms, a->a.x, own ? scratch : NULL, x);
    if (own) pack_rows(a, (hlmi_range){0, rows}, (float *)(void *)scratch, x);
    while (r.begin < r.end) {
        size_t i = 0, u = r.begin % bands;
        const size_t t0 = r.begin / bands * HLMI_BAND_TOKENS, n = hlmi_min_size(HLMI_BAND_TOKENS, rows - t0);
        for (; u >= a->p[i].bands; i++) u -= a->p[i].bands;
        const size_t left = hlmi_min_size(a->p[i].bands - u, r.end - r.begin);
        const size_t run = hlmi_min_size(left, HLMI_BAND_TMP / (HLMI_BAND * n * a->per));
        band_run(a, &(piece){t, x, u, run, t0, n}, i, (float *)(void *)(scratch + a->tmp_at));
        r.begin += run;
    }
}

void hlmi_cpu_linear(hlmi_builder *b, const hlmi_linear *l)
{
    linear_arg a = {.a = *l, .k = b->kernels, .forms.cols = l->w[0].w->cols, .per = 1};
    const bool out = of_out_rows(l);
    const size_t most = out ? b->max_out : b->max_rows, mark = hlmi_scratch_mark(b);
    for (size_t i = 0; i < l->n; i++) {
        a.p[i] = hlmi_product_of(b->kernels, l->w[i].w, b->f32_activations || l->exact, l->wide[i]);
        a.per = hlmi_max_size(a.per, a.p[i].per);
        hlmi_forms_note(&a.forms, &a.p[i]);
        hlmi_adapts(b, l->w[i].w);
    }
    a.tmp_at = hlmi_round_up(a.forms.cols * sizeof(float), HLMI_ALIGN); /* behind a normed row and what is packed */
    const bool packed = hlmi_forms_take(b, &a.forms, most, HLMI_OWN_ROWS, l->norm ? NULL : &l->x, &a.tmp_at);
    hlmi_scratch_worker(b, a.tmp_at + 3 * HLMI_BAND_TMP * sizeof(float));
    a.low = hlmi_scratch(b, most * l->n * HLMI_LOW_MAX * sizeof *a.low);
    if (packed) hlmi_emit(b, pack_run, &a, sizeof a, out ? 0 : HLMI_OWN_ROWS + 1, 0);
    hlmi_emit(b, low_run, &a, sizeof a, out ? 0 : 1, 0);
    hlmi_emitted_for_adapters(b);
    hlmi_emit(b, linear_run, &a, sizeof a, 0, 0);
    hlmi_scratch_release(b, mark);
}
