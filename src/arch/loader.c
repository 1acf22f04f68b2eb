/* The table's numbers from a file. */
#include "arch/loader.h"

#include <string.h>

#include "base/assert.h"
#include "base/half.h"
#include "base/host.h"
#include "base/math.h"
#include "base/size.h"

enum { MAX_GROUP = 32, CHUNK_BYTES = 32 << 20 };

hlmi_config hlmi_loader_settings(const hlmi_store *store)
{
    return (hlmi_config){
        .store = store, .dialect = hlmi_store_dialect(store), .json = hlmi_store_config(store), .arch = ""};
}

static hlm_status report(hlmi_loader *l, uint64_t bytes)
{
    /* coded matrices are more bytes as they are made than in the file */
    l->done = bytes < l->total - l->done ? l->done + bytes : l->total;
    if (!l->progress) return HLM_OK;
    int32_t stop;
    HLMI_HOST(stop = l->progress(l->progress_user, l->done, l->total));
    return stop ? hlmi_fail(HLM_E_CANCELLED, "%s: loading was stopped", hlmi_store_path(l->store)) : HLM_OK;
}

static bool all_finite(const float *x, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) bad |= (hlmi_f32_bits(x[i]) & 0x7F800000u) == 0x7F800000u;
    return !bad;
}

/* The full check of a row as f32. */
static hlm_status check_row(const hlmi_loader *l, const hlmi_tensor *t, const float *x, size_t n, size_t row)
{
    if (!l->check_values || all_finite(x, n)) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has a NaN or infinity in row %zu", hlmi_store_path(l->store), t->name,
                     row);
}

/* What repacking one matrix needs besides its output. */
typedef struct repacking {
    const hlmi_tensor *t;
    const hlmi_row_order *order;
    const hlmi_type_info *type; /* that it is kept in */
    uint64_t key; /* the tensor's in the fingerprint */
    size_t rows, cols, group_rows;
    uint64_t row_bytes, made_bytes; /* in the file; as quantised */
    uint8_t *buffer; /* [group_rows] rows when the file is not mapped */
    uint8_t *made; /* [group_rows] rows when they are quantised */
    float *row; /* [cols] for quantising and the full check */
} repacking;

/* The full check of a row group: its lanes. */
static hlm_status check_group(const hlmi_loader *l, const repacking *g, const void *group, size_t first, size_t n)
{
    const hlmi_layout_info *info = hlmi_layout_get(g->type->layout);
    for (size_t r = 0; r < n && l->check_values; r++) {
        info->read_row(g->row, 1, group, r, 0, g->cols);
        HLMI_DO(check_row(l, g->t, g->row, g->cols, first + r));
    }
    return HLM_OK;
}

/* Rows of the file become rows of the type that they are kept in. */
static hlm_status quantise_rows(const hlmi_loader *l, const repacking *g, const void **rows, size_t first, size_t n)
{
    for (size_t i = 0; i < n && g->made; i++) {
        uint8_t *made = g->made + i * (size_t)g->made_bytes;
        hlmi_type_get(g->t->type)->dequantise(g->row, rows[i], g->cols);
        if (!all_finite(g->row, g->cols)) /* a block would hide it */
            return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has a NaN or infinity in row %zu", hlmi_store_path(l->store),
                             g->t->name, first + i);
        g->type->quantise(made, g->row, g->cols);
        rows[i] = made;
    }
    return HLM_OK;
}

static hlm_status repack_group(hlmi_loader *l, const repacking *g, size_t first, void *out)
{
    const void *rows[MAX_GROUP] = {0};
    const size_t n = hlmi_min_size(g->group_rows, g->rows - first), bytes = (size_t)g->row_bytes;
    const size_t at_once = hlmi_file_order(g->order) ? n : 1;
    for (size_t i = 0; i < n; i += at_once) {
        const uint8_t *data = NULL;
        HLMI_DO(hlmi_store_read(l->store, g->t, hlmi_file_row(g->order, first + i) * g->row_bytes, at_once * bytes,
                                g->buffer ? g->buffer + i * bytes : NULL, &data));
        for (size_t k = 0; k < at_once; k++) rows[i + k] = data + k * bytes;
    }
    for (size_t i = 0; i < n; i++)
        hlmi_fingerprint_add(l->fingerprint,
                             &(hlmi_hashed_rows){g->key, hlmi_file_row(g->order, first + i), rows[i], 1, bytes});
    HLMI_DO(quantise_rows(l, g, rows, first, n));
    g->type->repack(out, rows, g->cols);
    return check_group(l, g, out, first, n);
}

enum { CHUNK = 8 << 20 /* bytes repacked before pages go back and progress is told */ };

static hlm_status repack_all(hlmi_loader *l, const repacking *g, uint8_t *packed, size_t group_bytes)
{
    uint64_t from = 0;
    for (size_t first = 0; first < g->rows; first += g->group_rows) {
        HLMI_DO(repack_group(l, g, first, packed + first / g->group_rows * group_bytes));
        const uint64_t to = hlmi_min_size(first + g->group_rows, g->rows) * g->row_bytes;
        if (to - from < CHUNK && first + g->group_rows < g->rows) continue;
        if (hlmi_file_order(g->order))
            hlmi_store_drop(l->store, g->t, hlmi_file_row(g->order, 0) * g->row_bytes + from, to - from);
        HLMI_DO(report(l, to - from));
        from = to;
    }
    return HLM_OK;
}

/* Memory for n bytes of the tensor's rows on their way, unless they need none. */
static hlm_status take(const hlmi_mem *mem, const hlmi_tensor *t, bool needed, size_t n, void *out)
{
    void *m = needed ? hlmi_alloc(mem, n) : NULL;
    memcpy(out, &m, sizeof m);
    return m || !needed ? HLM_OK : hlmi_nomem(n, t->name);
}

static hlm_status load_matrix(hlmi_loader *l, hlmi_weight *w)
{
    hlm_status st;
    const hlmi_mem *mem = &l->plan->mem;
    hlmi_matrix *m = &w->matrix;
    repacking g = {.t = w->tensor, .order = hlmi_weight_order(w), .rows = m->rows, .cols = m->cols};
    const bool quantised = m->type != g.t->type;
    g.type = hlmi_type_get(m->type);
    hlmi_assert(m->layout == g.type->layout); /* what repacking makes; a place knows no other */
    g.group_rows = hlmi_layout_get(m->layout)->rows;
    g.key = hlmi_fingerprint_key(l->fingerprint, g.t, quantised ? g.type->name : NULL);
    (void)hlmi_type_row_bytes(g.t->type, m->cols, &g.row_bytes); /* has been checked */
    (void)hlmi_type_row_bytes(m->type, m->cols, &g.made_bytes);
    HLMI_TRY(take(mem, g.t, !hlmi_store_mapped(l->store, g.t), g.group_rows * (size_t)g.row_bytes, &g.buffer));
    HLMI_TRY(take(mem, g.t, quantised, g.group_rows * (size_t)g.made_bytes, &g.made));
    HLMI_TRY(take(mem, g.t, quantised || l->check_values, g.cols * sizeof *g.row, &g.row));
    m->packed = hlmi_plan_alloc_packed(l->plan, (size_t)m->bytes);
    if (!m->packed) HLMI_TRY(HLM_E_NOMEM);
    HLMI_TRY(repack_all(l, &g, m->packed, hlmi_layout_group_bytes(m->layout, m->cols)));
done:
    hlmi_free(mem, g.buffer);
    hlmi_free(mem, g.made);
    hlmi_free(mem, g.row);
    return st;
}

static hlm_status check_rows(const hlmi_loader *l, const hlmi_weight *w)
{
    hlm_status st = HLM_OK;
    const hlmi_matrix *m = &w->matrix;
    const size_t row_bytes = (size_t)m->bytes / m->rows;
    float *row = hlmi_alloc(&l->plan->mem, m->cols * sizeof *row);
    if (!row) return hlmi_nomem(m->cols * sizeof *row, w->tensor->name);
    for (size_t r = 0; r < m->rows && st == HLM_OK; r++) {
        hlmi_type_get(m->type)->dequantise(row, m->raw + r * row_bytes, m->cols);
        st = check_row(l, w->tensor, row, m->cols, r);
    }
    hlmi_free(&l->plan->mem, row);
    return st;
}

static hlm_status load_rows(hlmi_loader *l, hlmi_weight *w)
{
    const hlmi_tensor *t = w->tensor;
    const size_t bytes = (size_t)t->bytes;
    uint8_t *owned = NULL;
    hlm_status st = HLM_OK;
    if (!hlmi_store_mapped(l->store, t)) {
        owned = hlmi_alloc(&l->plan->mem, bytes);
        if (!owned) return hlmi_nomem(bytes, t->name);
        st = hlmi_plan_own(l->plan, owned);
    }
    if (st == HLM_OK) st = hlmi_store_read(l->store, t, 0, bytes, owned, &w->matrix.raw);
    if (st == HLM_OK && l->check_values) st = check_rows(l, w);
    const hlmi_hashed_rows rows = {hlmi_fingerprint_key(l->fingerprint, t, NULL), 0, w->matrix.raw, w->matrix.rows,
                                   bytes / w->matrix.rows};
    if (st == HLM_OK) st = hlmi_fingerprint_note(l->fingerprint, &rows);
    return st == HLM_OK ? report(l, t->bytes) : st;
}

/* All numbers of a tensor to the fingerprint, by whichever of its parts comes first. */
static void add_once(hlmi_loader *l, const hlmi_tensor *t, const void *data)
{
    bool *added = &l->added[t - hlmi_store_at(l->store, 0)];
    const hlmi_hashed_rows rows = {hlmi_fingerprint_key(l->fingerprint, t, NULL), 0, data, 1, (size_t)t->bytes};
    if (!*added) hlmi_fingerprint_add(l->fingerprint, &rows);
    *added = true;
}

/* n numbers of a tensor from number `first` on. */
static hlm_status read_numbers(const hlmi_store *store, const hlmi_mem *mem, const hlmi_tensor *t, size_t first,
                               size_t n, bool check, hlmi_loader *l, float **out)
{
    const size_t each = hlmi_type_get(t->type)->bytes;
    hlm_status st;
    const uint8_t *data = NULL;
    uint8_t *buffer = hlmi_alloc(mem, n * each);
    float *wide = hlmi_alloc(mem, n * sizeof *wide);
    if (!buffer || !wide) HLMI_TRY(hlmi_nomem(n * sizeof *wide, t->name));
    HLMI_TRY(hlmi_store_read(store, t, first * each, n * each, buffer, &data));
    if (l) add_once(l, t, data);
    hlmi_type_get(t->type)->dequantise(wide, data, n);
    if (check && !all_finite(wide, n))
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has a NaN or infinity", hlmi_store_path(store), t->name));
    *out = wide;
    wide = NULL;
done:
    hlmi_free(mem, buffer);
    hlmi_free(mem, wide);
    return st;
}

hlm_status hlmi_loader_numbers(const hlmi_store *store, const hlmi_mem *mem, const hlmi_tensor *t, bool check,
                               hlmi_loader *l, float **out)
{
    return read_numbers(store, mem, t, 0, (size_t)(t->bytes / hlmi_type_get(t->type)->bytes), check, l, out);
}

hlm_status hlmi_loader_some(const hlmi_store *store, const hlmi_mem *mem, const hlmi_tensor *t, size_t first, size_t n,
                            float **out)
{
    return read_numbers(store, mem, t, first, n, true, NULL, out);
}

/* What becomes of a number. */
static float made(float x, unsigned make, double divisor)
{
    if (make & HLMI_MAKE_NEG_EXP) x = -(float)hlmi_exp((double)x);
    if (make & HLMI_MAKE_PLUS_ONE) x += 1.0f;
    return divisor != 0.0 ? (float)((double)x / divisor) : x;
}

static hlm_status load_numbers(hlmi_loader *l, hlmi_weight *w)
{
    const hlmi_row_order *order = hlmi_weight_order(w);
    const size_t rows = w->want.rows, cols = hlmi_max_size(1, w->want.cols), in_file = hlmi_file_rows(order, rows);
    const unsigned make = w->want.make[w->dialect];
    const bool turned = make & (HLMI_MAKE_TRANSPOSED | HLMI_MAKE_TAPS);
    float *wide = NULL;
    HLMI_DO(hlmi_loader_numbers(l->store, &l->plan->mem, w->tensor, l->check_values, l, &wide));
    for (size_t r = 0; r < rows; r++) {
        const float *x = wide + hlmi_file_row(order, r) * cols;
        for (size_t c = 0; c < cols; c++)
            w->numbers[turned ? c * rows + r : r * cols + c] = made(x[c], make, w->want.divisor);
    }
    hlmi_free(&l->plan->mem, wide);
    return report(l, w->tensor->bytes / in_file * rows);
}

hlm_status hlmi_loader_run(hlmi_loader *l)
{
    hlm_status (*const load[])(hlmi_loader * l, hlmi_weight * w) = {
        [HLMI_USE_PRODUCT] = load_matrix, [HLMI_USE_ROWS] = load_rows, [HLMI_USE_NUMBERS] = load_numbers};
    hlm_status st = HLM_OK;
    l->added = hlmi_calloc(&l->plan->mem, hlmi_store_count(l->store) + 1, sizeof *l->added);
    if (!l->added) return hlmi_nomem(hlmi_store_count(l->store), "the loader");
    /* a model smaller than a chunk takes no more than it needs */
    const uint64_t wanted = hlmi_store_bytes(l->store) + hlmi_store_bytes(l->store) / 8;
    l->plan->chunk = wanted < CHUNK_BYTES ? (size_t)wanted : CHUNK_BYTES;
    l->total = hlmi_store_bytes(l->store);
    for (size_t i = 0; i < l->plan->n_weights && st == HLM_OK; i++)
        st = load[l->plan->weights[i]->use](l, l->plan->weights[i]);
    hlmi_free(&l->plan->mem, l->added);
    return st;
}
