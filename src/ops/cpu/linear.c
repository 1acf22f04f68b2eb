/* Matrix products of rows with weights, and what becomes of them. The rows are normed and packed into the form that the
 * weights' kernels read: for a few rows each worker packs all of them for itself, which costs less than a barrier; else
 * the workers share it in a region of its own. */
#include <string.h>

#include "base/size.h"
#include "ops/cpu/low.h"

enum { PRIVATE_ROWS = 4 }; /* up to here each worker packs for itself */

typedef struct form {
    hlmi_act act;
    size_t per; /* packed rows of a row of x: 2 where a matrix wants them wide */
    hlmi_pack_fn *pack; /* NULL: rows of f32 */
    uint8_t *rows; /* [max rows] packed by all workers together; NULL: x itself */
    size_t stride; /* bytes */
} form;

typedef struct weights {
    hlmi_product p;
    size_t form_index;
} weights;

typedef struct linear_arg {
    hlmi_linear a;
    hlmi_norm norm;
    const hlmi_kernels *k;
    size_t cols, n_forms;
    size_t per; /* most rows of products for a row of x */
    form forms[HLMI_LINEAR_MAX];
    weights w[HLMI_LINEAR_MAX];
    size_t private_at, tmp_at; /* offsets in a worker's scratch, behind the normed row */
    size_t private_bytes[HLMI_LINEAR_MAX];
    float *low; /* [max rows, n, HLMI_LOW_MAX] what the adapters' first matrices make of the rows */
} linear_arg;

static bool is_out(const hlmi_linear *l)
{
    return l->epilogue == HLMI_EP_OUT;
}

static size_t row_count(const linear_arg *a, const hlmi_tile *t)
{
    return is_out(&a->a) ? t->n_out : t->n_rows;
}

/* Rows [r.begin, r.end) of x through the norm and into every form; dst[f] is row 0 of form f. */
static void pack_rows(const linear_arg *a, hlmi_range r, float *normed, uint8_t *const *dst)
{
    for (size_t i = r.begin; i < r.end; i++) {
        const float *x = hlmi_rows_at(a->a.x, i);
        if (a->a.norm) {
            hlmi_cpu_norm(a->k, &a->norm, normed, x);
            x = normed;
        }
        for (size_t f = 0; f < a->n_forms; f++) {
            if (!dst[f]) continue;
            const form *to = &a->forms[f];
            uint8_t *y = dst[f] + i * to->per * to->stride;
            if (to->pack) to->pack(y, to->stride, x, a->a.x.ld, 1, a->cols);
            else memcpy(y, x, a->cols * sizeof *x);
        }
    }
}

static void pack_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const linear_arg *a = arg;
    const hlmi_tile *t = step;
    uint8_t *dst[HLMI_LINEAR_MAX];
    for (size_t f = 0; f < a->n_forms; f++) dst[f] = a->forms[f].rows;
    pack_rows(a, hlmi_share(row_count(a, t), worker, workers), hlmi_worker_scratch(t, worker, workers), dst);
}

/* ---- adapters (low.h) ---- */

/* What the adapter of row i adds to matrix m, or NULL. */
static const hlmi_low *low_of(const linear_arg *a, const hlmi_tile *t, size_t i, size_t m)
{
    return hlmi_low_of(t->adapter[is_out(&a->a) ? t->out_row[i] : i], a->w[m].p.m);
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
    for (size_t i = r.begin; i < r.end; i++) {
        const float *x = NULL;
        for (size_t m = 0; m < a->a.n; m++) {
            const hlmi_low *low = low_of(a, t, i, m);
            if (!low) continue;
            if (!x) x = hlmi_rows_at(a->a.x, i);
            if (a->a.norm && x != normed) {
                hlmi_cpu_norm(a->k, &a->norm, normed, x);
                x = normed;
            }
            hlmi_low_in(a->k, low, x, low_row(a, i, m));
        }
    }
}

/* Products y of `bands` bands of matrix m from band `u` on, for tokens [t0, t0 + n), with what adapters add. */
static void adapt(const linear_arg *a, const hlmi_tile *t, size_t m, size_t u, size_t bands, size_t t0, size_t n,
                  float *y, float *tmp)
{
    for (size_t i = 0; i < n && t->adapted; i++) {
        const hlmi_low *low = low_of(a, t, t0 + i, m);
        if (low) hlmi_low_out(a->k, low, u, bands, low_row(a, t0 + i, m), y + i * bands * HLMI_BAND, tmp);
    }
}

/* Products of `bands` bands of matrix i from band `u` on, for tokens [t0, t0 + n). */
static void products(const linear_arg *a, size_t i, size_t u, size_t bands, size_t t0, size_t n, uint8_t *const *x,
                     float *y, size_t ldy)
{
    const weights *w = &a->w[i];
    const form *f = &a->forms[w->form_index];
    const uint8_t *first = x[w->form_index] + t0 * f->per * f->stride;
    hlmi_product_run(a->k, &w->p, u, bands, first, f->per / w->p.per * f->stride, n, y, ldy);
}

/* y = scale * (y + bias) of matrix i, from output row `row` on. */
static void add_bias(const linear_arg *a, size_t i, float *y, size_t row, size_t n)
{
    if (a->a.bias[i]) a->k->add(y, y, a->a.bias[i] + row, n);
    if (a->a.scale[i]) a->k->mul(y, y, a->a.scale[i] + row, n);
}

/* What becomes of n products y of matrix i, from output row `row` on, for token t; up: the second matrix's. */
static void finish(const linear_arg *a, const hlmi_tile *tile, size_t i, float *y, float *up, size_t row, size_t n,
                   size_t t)
{
    add_bias(a, i, y, row, n);
    float *out = a->a.epilogue == HLMI_EP_OUT ? tile->out[t] + row : hlmi_rows_at(a->a.y[i], t) + row;
    switch (a->a.epilogue) {
    case HLMI_EP_STORE:
    case HLMI_EP_OUT: memcpy(out, y, n * sizeof *y); break;
    case HLMI_EP_ADD: a->k->add(out, out, y, n); break;
    case HLMI_EP_SILU_MUL:
        add_bias(a, 1, up, row, n);
        a->k->silu_mul(out, y, up, n);
        break;
    case HLMI_EP_GELU: a->k->gelu(out, y, n); break;
    case HLMI_EP_RELU2: a->k->relu2(out, y, n); break;
    }
}

static void band_run(const linear_arg *a, const hlmi_tile *tile, size_t i, size_t u, size_t bands, size_t t0, size_t n,
                     uint8_t *const *x, float *tmp)
{
    const bool pair = a->a.epilogue == HLMI_EP_SILU_MUL;
    const size_t ld = bands * HLMI_BAND, row = u * HLMI_BAND;
    const size_t width = hlmi_min_size(ld, a->w[i].p.m->rows - row);
    float *up = tmp + HLMI_BAND_TMP, *added = up + HLMI_BAND_TMP;
    products(a, i, u, bands, t0, n, x, tmp, ld);
    adapt(a, tile, i, u, bands, t0, n, tmp, added);
    if (pair) products(a, 1, u, bands, t0, n, x, up, ld);
    if (pair) adapt(a, tile, 1, u, bands, t0, n, up, added);
    for (size_t t = 0; t < n; t++) finish(a, tile, i, tmp + t * ld, up + t * ld, row, width, t0 + t);
}

/* Where the packed rows are: this worker's own, the shared ones, or x itself. */
static void find_rows(const linear_arg *a, const hlmi_tile *t, size_t rows, size_t worker, size_t workers, uint8_t **x)
{
    uint8_t *scratch = hlmi_worker_scratch(t, worker, workers);
    const bool own = !is_out(&a->a) && rows <= PRIVATE_ROWS;
    uint8_t *at = scratch + a->private_at;
    uint8_t *dst[HLMI_LINEAR_MAX];
    for (size_t f = 0; f < a->n_forms; f++) {
        dst[f] = a->forms[f].rows ? at : NULL;
        x[f] = !a->forms[f].rows ? (uint8_t *)a->a.x.at : own ? at : a->forms[f].rows;
        at += a->private_bytes[f];
    }
    if (own) pack_rows(a, (hlmi_range){0, rows}, (float *)(void *)scratch, dst);
}

/* Work is ordered by blocks of tokens, whose packed rows then stay in the core's cache while weights pass by. */
static void linear_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const linear_arg *a = arg;
    const hlmi_tile *t = step;
    const size_t rows = row_count(a, t), blocks = hlmi_div_up(rows, HLMI_BAND_TOKENS);
    const size_t n_mat = a->a.epilogue == HLMI_EP_SILU_MUL ? 1 : a->a.n;
    uint8_t *x[HLMI_LINEAR_MAX];
    size_t bands = 0;
    if (rows == 0) return;
    for (size_t i = 0; i < n_mat; i++) bands += a->w[i].p.bands;
    hlmi_range r = hlmi_share(bands * blocks, worker, workers);
    if (r.begin == r.end) return;
    find_rows(a, t, rows, worker, workers, x);
    float *tmp = (float *)(void *)((uint8_t *)hlmi_worker_scratch(t, worker, workers) + a->tmp_at);
    while (r.begin < r.end) {
        size_t i = 0, u = r.begin % bands;
        const size_t t0 = r.begin / bands * HLMI_BAND_TOKENS, n = hlmi_min_size(HLMI_BAND_TOKENS, rows - t0);
        for (; u >= a->w[i].p.bands; i++) u -= a->w[i].p.bands;
        const size_t left = hlmi_min_size(a->w[i].p.bands - u, r.end - r.begin);
        const size_t run = hlmi_min_size(left, HLMI_BAND_TMP / (HLMI_BAND * n * a->per));
        band_run(a, t, i, u, run, t0, n, x, tmp);
        r.begin += run;
    }
}

/* The form that matrix i reads. Matrices share one of a kind, and others read the even rows of a wide one. */
static size_t find_form(hlmi_builder *b, linear_arg *a, size_t i)
{
    const hlmi_act act = a->w[i].p.act;
    for (size_t f = 0; f < a->n_forms; f++)
        if (a->forms[f].act == act) return f;
    form *f = &a->forms[a->n_forms];
    *f = (form){.act = act, .per = 1, .pack = b->kernels->pack[act]};
    for (size_t j = i; j < a->a.n; j++)
        if (a->w[j].p.act == act && a->w[j].p.per == 2) f->per = 2;
    if (f->per == 2) f->pack = b->kernels->pack_wide[act];
    if (act == HLMI_ACT_F32 && !a->a.norm) {
        f->stride = a->a.x.ld * sizeof(float);
    } else {
        const size_t most = is_out(&a->a) ? b->max_out : b->max_rows;
        f->stride = hlmi_act_stride(act, a->cols);
        if (f->per * f->stride % 4096 == 0) f->stride += HLMI_ALIGN; /* as hlmi_act_stride does */
        f->rows = hlmi_scratch(b, most * f->per * f->stride);
        a->private_bytes[a->n_forms] = PRIVATE_ROWS * f->per * f->stride;
    }
    return a->n_forms++;
}

void hlmi_cpu_linear(hlmi_builder *b, const hlmi_linear *l)
{
    linear_arg a = {.a = *l, .k = b->kernels, .cols = l->w[0]->cols, .per = 1};
    if (l->norm) a.norm = *l->norm;
    b->widest = hlmi_max_size(b->widest, a.cols);
    const size_t mark = hlmi_scratch_mark(b);
    for (size_t i = 0; i < l->n; i++) {
        a.w[i].p = hlmi_product_of(b->kernels, l->w[i], b->f32_activations || l->exact, l->wide[i]);
        a.per = hlmi_max_size(a.per, a.w[i].p.per);
        hlmi_adapts(b, l->w[i]);
    }
    for (size_t i = 0; i < l->n; i++) a.w[i].form_index = find_form(b, &a, i);
    a.private_at = hlmi_round_up(a.cols * sizeof(float), HLMI_ALIGN);
    size_t at = a.private_at;
    bool packed = false;
    for (size_t f = 0; f < a.n_forms; f++) {
        at += a.private_bytes[f];
        packed |= a.forms[f].rows != NULL;
    }
    a.tmp_at = at;
    hlmi_scratch_worker(b, at + 3 * HLMI_BAND_TMP * sizeof(float));
    const size_t most = is_out(l) ? b->max_out : b->max_rows;
    a.low = hlmi_scratch(b, most * l->n * HLMI_LOW_MAX * sizeof *a.low);
    const size_t min_rows = is_out(l) ? 0 : PRIVATE_ROWS + 1;
    if (packed) hlmi_emit(b, pack_run, &a, sizeof a, min_rows, 0);
    hlmi_emit(b, low_run, &a, sizeof a, is_out(l) ? 0 : 1, 0);
    hlmi_emitted_for_adapters(b);
    hlmi_emit(b, linear_run, &a, sizeof a, 0, 0);
    hlmi_scratch_release(b, mark);
}
