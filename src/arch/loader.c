/* Tensors to weights. */
#include "arch/loader.h"

#include <stdio.h>
#include <string.h>

#include "base/half.h"
#include "base/host.h"
#include "base/math.h"
#include "base/size.h"

enum { MAX_GROUP = 32, CHUNK_BYTES = 32 << 20 };

hlm_status hlmi_loader_init(hlmi_loader *l, const hlmi_store *store, hlmi_plan *plan, hlmi_fingerprint *fingerprint)
{
    *l = (hlmi_loader){.store = store, .plan = plan, .total = hlmi_store_bytes(store), .fingerprint = fingerprint};
    /* a model smaller than a chunk takes no more than it needs */
    const uint64_t wanted = hlmi_store_bytes(store) + hlmi_store_bytes(store) / 8;
    plan->chunk = wanted < CHUNK_BYTES ? (size_t)wanted : CHUNK_BYTES;
    l->used = hlmi_calloc(&plan->mem, hlmi_store_count(store) + 1, sizeof *l->used);
    return l->used ? HLM_OK : hlmi_nomem(hlmi_store_count(store), "the loader");
}

void hlmi_loader_free(hlmi_loader *l)
{
    hlmi_free(&l->plan->mem, l->used);
    l->used = NULL;
}

bool hlmi_loader_has(const hlmi_loader *l, const char *name)
{
    return hlmi_store_find(l->store, name) != NULL;
}

static void mark_used(hlmi_loader *l, const hlmi_tensor *t)
{
    l->used[(size_t)(t - hlmi_store_at(l->store, 0))] = true;
}

void hlmi_loader_ignore(hlmi_loader *l, const char *name)
{
    const hlmi_tensor *t = hlmi_store_find(l->store, name);
    if (t) mark_used(l, t);
}

void hlmi_loader_leave_out(hlmi_loader *l, const char *const *prefixes)
{
    static const char rotary[] = "rotary_emb.inv_freq"; /* old folders have the frequencies; settings say them, too */
    for (size_t i = 0; i < hlmi_store_count(l->store); i++) {
        const char *name = hlmi_store_at(l->store, i)->name;
        const size_t n = strlen(name), m = sizeof rotary - 1;
        if (n >= m && strcmp(name + n - m, rotary) == 0 && (n == m || name[n - m - 1] == '.')) l->used[i] = true;
        for (size_t k = 0; prefixes && prefixes[k]; k++)
            if (strncmp(name, prefixes[k], strlen(prefixes[k])) == 0) l->used[i] = true;
    }
}

hlm_status hlmi_loader_finish(const hlmi_loader *l)
{
    for (size_t i = 0; i < hlmi_store_count(l->store); i++) {
        if (l->used[i]) continue;
        const hlm_status st = hlmi_store_usable(l->store, hlmi_store_at(l->store, i));
        return st != HLM_OK ? st
                            : hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is not part of this architecture",
                                        hlmi_store_path(l->store), hlmi_store_at(l->store, i)->name);
    }
    return HLM_OK;
}

/* A quantised matrix has tensors of other names in its place, which says more than that it is not there. */
static hlm_status missing(const hlmi_loader *l, const char *name)
{
    static const char *const others[] = {"qweight", "weight_packed", "W_q", "weight._data", "weight_blocks"};
    static const char end[] = ".weight";
    const size_t n = strlen(name), m = sizeof end - 1;
    char other[192];
    for (size_t i = 0; i < sizeof others / sizeof *others && n > m && strcmp(name + n - m, end) == 0; i++) {
        snprintf(other, sizeof other, "%.*s.%s", (int)(n - m), name, others[i]);
        if (hlmi_store_find(l->store, other))
            return hlmi_fail(HLM_E_UNSUPPORTED,
                             "%s: tensor %s is missing, but %s is there: quantised weights of a kind that this version "
                             "does not read",
                             hlmi_store_path(l->store), name, other);
    }
    return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is missing", hlmi_store_path(l->store), name);
}

static hlm_status find(hlmi_loader *l, const char *name, const hlmi_tensor **out)
{
    const hlmi_tensor *t = hlmi_store_find(l->store, name);
    if (!t) return missing(l, name);
    const hlm_status st = hlmi_store_usable(l->store, t);
    if (st != HLM_OK) return st;
    if (hlmi_type_get(t->type)->layout == HLMI_LAYOUT_NONE)
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is of type %s, which can not be a weight",
                         hlmi_store_path(l->store), name, hlmi_type_get(t->type)->name);
    mark_used(l, t);
    *out = t;
    return HLM_OK;
}

/* Has the tensor that shape, outermost dimension first? A GGUF file may have ones before it, or lack them. */
static bool is_shaped(const hlmi_loader *l, const hlmi_tensor *t, const size_t *shape, uint32_t n)
{
    if (t->n_dims != n && hlmi_store_container(l->store) != HLMI_STORE_GGUF) return false;
    for (uint32_t i = 1; i <= n || i <= t->n_dims; i++)
        if ((i <= t->n_dims ? t->dims[t->n_dims - i] : 1) != (i <= n ? shape[n - i] : 1)) return false;
    return true;
}

/* stack: matrices of the tensor; 0: it is one. */
static hlm_status find_matrix(hlmi_loader *l, const char *name, size_t stack, size_t rows, size_t cols,
                              const hlmi_tensor **out, uint64_t *row_bytes)
{
    const hlm_status st = find(l, name, out);
    if (st != HLM_OK) return st;
    const hlmi_tensor *t = *out;
    const uint64_t found_cols = t->dims[t->n_dims - 1], found_rows = t->n_dims > 1 ? t->dims[t->n_dims - 2] : 1;
    const size_t shape[] = {stack, rows, cols};
    if (stack && !is_shaped(l, t, shape, 3))
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is %u-dimensional [%llu, ..., %llu], expected [%zu, %zu, %zu]",
                         hlmi_store_path(l->store), name, t->n_dims, (unsigned long long)t->dims[0],
                         (unsigned long long)found_cols, stack, rows, cols);
    if (!stack && !is_shaped(l, t, shape + 1, 2))
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is %u-dimensional [%llu, %llu], expected [%zu, %zu]",
                         hlmi_store_path(l->store), name, t->n_dims, (unsigned long long)found_rows,
                         (unsigned long long)found_cols, rows, cols);
    const size_t matrices = stack ? stack : 1;
    if (!hlmi_type_row_bytes(t->type, cols, row_bytes) || *row_bytes > SIZE_MAX / rows / matrices)
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s: rows of %zu do not fit type %s", hlmi_store_path(l->store), name,
                         cols, hlmi_type_get(t->type)->name);
    return HLM_OK;
}

/* Rows follow one another in the file too. */
static bool in_order(const hlmi_row_order *o)
{
    return !o || (!o->half && !o->parts && !o->period);
}

size_t hlmi_file_row(const hlmi_row_order *o, size_t r)
{
    if (!o) return r;
    if (in_order(o)) return o->layer * o->in_file + o->first + r;
    const size_t head = r / o->head_dim;
    const size_t period = o->period ? o->period : (o->parts ? o->parts : 1) * o->head_dim;
    const size_t part = o->period || o->parts ? o->part : 0;
    size_t i = r % o->head_dim;
    if (i < 2 * o->half) i = i < o->half ? 2 * i : 2 * (i - o->half) + 1;
    return o->first + head * period + part * o->head_dim + i;
}

size_t hlmi_file_rows(const hlmi_row_order *o, size_t n)
{
    if (!o) return n;
    return o->in_file ? o->in_file : o->parts ? n * o->parts : n;
}

static hlm_status report(hlmi_loader *l, uint64_t bytes)
{
    l->done += bytes;
    if (!l->progress) return HLM_OK;
    hlmi_host host;
    hlmi_host_begin(&host);
    const int32_t stop = l->progress(l->progress_user, l->done, l->total);
    hlmi_host_end(&host);
    return stop ? hlmi_fail(HLM_E_CANCELLED, "%s: loading was stopped", hlmi_store_path(l->store)) : HLM_OK;
}

static bool all_finite(const float *x, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) bad |= (hlmi_f32_bits(x[i]) & 0x7F800000u) == 0x7F800000u;
    return !bad;
}

/* The full check of a row group: its lanes as f32. */
static hlm_status check_group(const hlmi_loader *l, const hlmi_tensor *t, const void *group, size_t first, size_t n,
                              size_t cols, float *row)
{
    const hlmi_layout_info *info = hlmi_layout_get(hlmi_type_get(t->type)->layout);
    for (size_t r = 0; r < n; r++) {
        info->read_row(row, group, cols, r, 0, cols);
        if (!all_finite(row, cols))
            return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has a NaN or infinity in row %zu", hlmi_store_path(l->store),
                             t->name, first + r);
    }
    return HLM_OK;
}

/* What tiling one matrix needs besides its output. */
typedef struct tiling {
    const hlmi_tensor *t;
    const hlmi_row_order *order;
    size_t rows, cols, group_rows;
    uint64_t row_bytes;
    uint8_t *buffer; /* [group_rows] rows when the file is not mapped */
    float *row; /* [cols] for the full check */
} tiling;

static hlm_status tile_group(hlmi_loader *l, const tiling *g, size_t first, void *out)
{
    const void *rows[MAX_GROUP] = {0};
    const size_t n = hlmi_min_size(g->group_rows, g->rows - first), bytes = (size_t)g->row_bytes;
    const bool whole = in_order(g->order);
    const uint8_t *data = NULL;
    hlm_status st = HLM_OK;
    if (whole)
        st =
            hlmi_store_read(l->store, g->t, hlmi_file_row(g->order, first) * g->row_bytes, n * bytes, g->buffer, &data);
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        if (!whole)
            st = hlmi_store_read(l->store, g->t, hlmi_file_row(g->order, first + i) * g->row_bytes, bytes,
                                 g->buffer ? g->buffer + i * bytes : NULL, &data);
        rows[i] = whole ? data + i * bytes : data;
    }
    if (st != HLM_OK) return st;
    hlmi_type_get(g->t->type)->repack(out, rows, g->cols);
    return g->row ? check_group(l, g->t, out, first, n, g->cols, g->row) : HLM_OK;
}

enum { CHUNK = 8 << 20 /* bytes tiled before pages go back and progress is told */ };

static hlm_status tile_all(hlmi_loader *l, const tiling *g, uint8_t *tiles, size_t group_bytes)
{
    uint64_t from = 0;
    for (size_t first = 0; first < g->rows; first += g->group_rows) {
        hlm_status st = tile_group(l, g, first, tiles + first / g->group_rows * group_bytes);
        if (st != HLM_OK) return st;
        const uint64_t to = hlmi_min_size(first + g->group_rows, g->rows) * g->row_bytes;
        if (to - from < CHUNK && first + g->group_rows < g->rows) continue;
        if (in_order(g->order))
            hlmi_store_drop(l->store, g->t, hlmi_file_row(g->order, 0) * g->row_bytes + from, to - from);
        st = report(l, to - from);
        if (st != HLM_OK) return st;
        from = to;
    }
    return HLM_OK;
}

/* `bytes` in memory, `file_bytes` of the tensor. */
static void count(hlmi_plan *p, const hlmi_tensor *t, uint64_t bytes, uint64_t file_bytes, uint64_t elements,
                  bool per_token)
{
    p->n_parameters += elements;
    p->weight_bytes += bytes;
    p->type_bytes[t->type] += file_bytes;
    if (!per_token) return;
    p->bytes_per_token += bytes;
    p->n_active += elements;
}

hlm_status hlmi_loader_matrix(hlmi_loader *l, const char *name, size_t rows, size_t cols, const hlmi_row_order *order,
                              hlmi_matrix *out)
{
    hlm_status st;
    const hlmi_mem *mem = &l->plan->mem;
    tiling g = {.order = order, .rows = rows, .cols = cols};
    HLMI_TRY(find_matrix(l, name, order ? order->stack : 0, hlmi_file_rows(order, rows), cols, &g.t, &g.row_bytes));
    const hlmi_layout layout = hlmi_type_get(g.t->type)->layout;
    g.group_rows = hlmi_layout_get(layout)->rows;
    const size_t group_bytes = hlmi_layout_group_bytes(layout, cols);
    const size_t groups = hlmi_div_up(rows, g.group_rows);
    size_t bytes = 0;
    if (!hlmi_mul_size(groups, group_bytes, &bytes)) HLMI_TRY(hlmi_nomem(SIZE_MAX, name));
    if (!hlmi_store_mapped(l->store, g.t)) {
        g.buffer = hlmi_alloc(mem, g.group_rows * (size_t)g.row_bytes);
        if (!g.buffer) HLMI_TRY(hlmi_nomem(g.group_rows * (size_t)g.row_bytes, name));
    }
    if (l->check_values) {
        g.row = hlmi_alloc(mem, cols * sizeof *g.row);
        if (!g.row) HLMI_TRY(hlmi_nomem(cols * sizeof *g.row, name));
    }
    void *tiles = hlmi_plan_alloc_packed(l->plan, bytes);
    if (!tiles) HLMI_TRY(HLM_E_NOMEM);
    HLMI_TRY(tile_all(l, &g, tiles, group_bytes));
    HLMI_TRY(hlmi_fingerprint_note(l->fingerprint, g.t, hlmi_file_row(order, 0), tiles, bytes));
    *out =
        (hlmi_matrix){.rows = rows, .cols = cols, .type = g.t->type, .layout = layout, .packed = tiles, .bytes = bytes};
    HLMI_TRY(hlmi_plan_add_slot(l->plan, g.t->name, order, l->experts, out));
    count(l->plan, g.t, bytes, rows * g.row_bytes, (uint64_t)rows * cols, true);
done:
    hlmi_free(mem, g.buffer);
    hlmi_free(mem, g.row);
    return st;
}

static hlm_status check_table(const hlmi_loader *l, const hlmi_tensor *t, const uint8_t *raw, size_t rows, size_t cols,
                              size_t row_bytes)
{
    hlm_status st = HLM_OK;
    float *row = hlmi_alloc(&l->plan->mem, cols * sizeof *row);
    if (!row) return hlmi_nomem(cols * sizeof *row, t->name);
    for (size_t r = 0; r < rows && st == HLM_OK; r++) {
        hlmi_type_get(t->type)->dequantise(row, raw + r * row_bytes, cols);
        if (!all_finite(row, cols))
            st = hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has a NaN or infinity in row %zu", hlmi_store_path(l->store),
                           t->name, r);
    }
    hlmi_free(&l->plan->mem, row);
    return st;
}

hlm_status hlmi_loader_table(hlmi_loader *l, const char *name, size_t rows, size_t cols, hlmi_matrix *out)
{
    const hlmi_tensor *t = NULL;
    uint64_t row_bytes = 0;
    hlm_status st = find_matrix(l, name, 0, rows, cols, &t, &row_bytes);
    if (st != HLM_OK) return st;
    uint8_t *owned = NULL;
    const uint8_t *raw = NULL;
    if (!hlmi_store_mapped(l->store, t)) {
        owned = hlmi_alloc(&l->plan->mem, (size_t)t->bytes);
        if (!owned) return hlmi_nomem((size_t)t->bytes, name);
        st = hlmi_plan_own(l->plan, owned);
        if (st != HLM_OK) return st;
    }
    st = hlmi_store_read(l->store, t, 0, (size_t)t->bytes, owned, &raw);
    if (st == HLM_OK && l->check_values) st = check_table(l, t, raw, rows, cols, (size_t)row_bytes);
    if (st != HLM_OK) return st;
    st = hlmi_fingerprint_note(l->fingerprint, t, 0, raw, (size_t)t->bytes);
    if (st != HLM_OK) return st;
    *out = (hlmi_matrix){
        .rows = rows, .cols = cols, .type = t->type, .layout = HLMI_LAYOUT_NONE, .raw = raw, .bytes = t->bytes};
    count(l->plan, t, t->bytes, t->bytes, (uint64_t)rows * cols, false);
    l->plan->bytes_per_token += row_bytes;
    return report(l, t->bytes);
}

static void pick(float *y, const float *x, size_t n, const hlmi_row_order *o)
{
    for (size_t i = 0; i < n; i++) y[i] = x[hlmi_file_row(o, i)];
}

/* The tensor's n plain numbers as f32; *out is the caller's to free. */
static hlm_status read_numbers(hlmi_loader *l, const hlmi_tensor *t, size_t n, float **out)
{
    const hlmi_mem *mem = &l->plan->mem;
    hlm_status st;
    const uint8_t *data = NULL;
    float *wide = NULL;
    uint8_t *buffer = hlmi_alloc(mem, (size_t)t->bytes);
    if (hlmi_type_get(t->type)->block != 1)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is of type %s, expected plain numbers",
                           hlmi_store_path(l->store), t->name, hlmi_type_get(t->type)->name));
    wide = hlmi_alloc(mem, n * sizeof *wide);
    if (!buffer || !wide) HLMI_TRY(hlmi_nomem(n * sizeof *wide, t->name));
    HLMI_TRY(hlmi_store_read(l->store, t, 0, (size_t)t->bytes, buffer, &data));
    hlmi_fingerprint_add(l->fingerprint, t, data, (size_t)t->bytes);
    hlmi_type_get(t->type)->dequantise(wide, data, n);
    if (l->check_values && !all_finite(wide, n))
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has a NaN or infinity", hlmi_store_path(l->store), t->name));
    *out = wide;
    wide = NULL;
done:
    hlmi_free(mem, buffer);
    hlmi_free(mem, wide);
    return st;
}

hlm_status hlmi_loader_vector(hlmi_loader *l, const char *name, size_t n, const hlmi_row_order *order, float **out)
{
    const hlmi_tensor *t = NULL;
    float *wide = NULL;
    hlm_status st;
    HLMI_TRY(find(l, name, &t));
    const size_t in_file = hlmi_file_rows(order, n);
    if (!is_shaped(l, t, &in_file, 1))
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is %u-dimensional [%llu%s, expected [%zu]",
                           hlmi_store_path(l->store), name, t->n_dims, (unsigned long long)t->dims[0],
                           t->n_dims > 1 ? ", ...]" : "]", in_file));
    HLMI_TRY(read_numbers(l, t, in_file, &wide));
    float *y = hlmi_plan_alloc(l->plan, hlmi_round_up(n, 16), sizeof *y);
    if (!y) HLMI_TRY(hlmi_nomem(n * sizeof *y, name));
    pick(y, wide, n, order);
    *out = y;
    count(l->plan, t, n * sizeof *y, t->bytes / in_file * n, n, true);
    HLMI_TRY(report(l, t->bytes / in_file * n));
done:
    hlmi_free(&l->plan->mem, wide);
    return st;
}

hlm_status hlmi_loader_taps(hlmi_loader *l, const char *name, size_t channels, size_t window, float **out)
{
    const hlmi_tensor *t = NULL;
    float *wide = NULL;
    hlm_status st;
    HLMI_TRY(find(l, name, &t));
    const size_t shape[] = {channels, 1, window};
    if (!is_shaped(l, t, shape, 3))
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is %u-dimensional [%llu, ..., %llu], expected [%zu, 1, %zu]",
                           hlmi_store_path(l->store), name, t->n_dims, (unsigned long long)t->dims[0],
                           (unsigned long long)t->dims[t->n_dims - 1], channels, window));
    const size_t n = channels * window;
    HLMI_TRY(read_numbers(l, t, n, &wide));
    float *y = hlmi_plan_alloc(l->plan, n, sizeof *y);
    if (!y) HLMI_TRY(hlmi_nomem(n * sizeof *y, name));
    for (size_t c = 0; c < channels; c++)
        for (size_t j = 0; j < window; j++) y[j * channels + c] = wide[c * window + j];
    *out = y;
    count(l->plan, t, n * sizeof *y, t->bytes, n, true);
    HLMI_TRY(report(l, t->bytes));
done:
    hlmi_free(&l->plan->mem, wide);
    return st;
}

hlm_status hlmi_loader_numbers(hlmi_loader *l, const char *name, size_t rows, size_t cols, bool transposed, float **out)
{
    const hlmi_tensor *t = NULL;
    float *wide = NULL;
    hlm_status st;
    HLMI_TRY(find(l, name, &t));
    const size_t shape[] = {rows, cols};
    if (!is_shaped(l, t, shape, 2))
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is %u-dimensional [%llu, ..., %llu], expected [%zu, %zu]",
                           hlmi_store_path(l->store), name, t->n_dims, (unsigned long long)t->dims[0],
                           (unsigned long long)t->dims[t->n_dims - 1], rows, cols));
    const size_t n = rows * cols;
    HLMI_TRY(read_numbers(l, t, n, &wide));
    float *y = hlmi_plan_alloc(l->plan, n, sizeof *y);
    if (!y) HLMI_TRY(hlmi_nomem(n * sizeof *y, name));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) y[transposed ? c * rows + r : r * cols + c] = wide[r * cols + c];
    *out = y;
    count(l->plan, t, n * sizeof *y, t->bytes, n, true);
    HLMI_TRY(report(l, t->bytes));
done:
    hlmi_free(&l->plan->mem, wide);
    return st;
}

hlm_status hlmi_loader_decay(hlmi_loader *l, const char *name, size_t n, float **out)
{
    const hlm_status st = hlmi_loader_vector(l, name, n, NULL, out);
    for (size_t i = 0; i < n && st == HLM_OK; i++) (*out)[i] = -(float)hlmi_exp((double)(*out)[i]);
    return st;
}
