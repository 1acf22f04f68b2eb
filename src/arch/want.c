/* Wants to entries of the table. */
#include "arch/want.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

enum { LINE = 16 /* floats of a cache line */ };

hlm_status hlmi_wants_init(hlmi_wants *w, const hlmi_config *c, hlmi_plan *plan)
{
    *w = (hlmi_wants){.store = c->store, .dialect = c->dialect, .plan = plan, .root = "", .outer = ""};
    w->used = hlmi_calloc(&plan->mem, hlmi_store_count(c->store) + 1, sizeof *w->used);
    return w->used ? HLM_OK : hlmi_nomem(hlmi_store_count(c->store), "the loader");
}

void hlmi_wants_free(hlmi_wants *w)
{
    hlmi_free(&w->plan->mem, w->used);
}

/* ---- names ---- */

/* n + len, or as much as there is room for. */
static size_t put(hlmi_name *out, size_t n, const char *s, size_t len)
{
    len = hlmi_min_size(len, sizeof out->text - 1 - n);
    memcpy(out->text + n, s, len);
    out->text[n + len] = '\0';
    return n + len;
}

/* The name with what stands for %zu and %e in it. */
static void spell(hlmi_name *out, const char *root, const char *format, const hlmi_want *want)
{
    char number[24];
    size_t n = put(out, 0, root, strlen(root));
    while (*format) {
        const bool layer = strncmp(format, "%zu", 3) == 0, item = strncmp(format, "%e", 2) == 0;
        if (!layer && !item) {
            n = put(out, n, format++, 1);
            continue;
        }
        format += layer ? 3 : 2;
        n = put(out, n, number, (size_t)snprintf(number, sizeof number, "%zu", layer ? want->layer : want->item));
    }
    put(out, n, want->tail, strlen(want->tail));
}

hlmi_name hlmi_wants_name(const hlmi_wants *w, const hlmi_want *want)
{
    hlmi_name n = {""};
    const char *format = hlmi_key_in(want->name, w->dialect);
    const size_t own = strlen(w->own);
    if (!format) return n;
    const bool inside = own && strncmp(format, w->own, own) == 0;
    spell(&n, inside ? w->root : w->outer, inside ? format + own : format, want);
    return n;
}

hlmi_name hlmi_weight_name(const hlmi_weight *w, hlmi_dialect dialect)
{
    hlmi_name n = {""};
    const char *format = hlmi_key_in(w->key, dialect);
    if (format) spell(&n, "", format, &w->want);
    return n;
}

const hlmi_tensor *hlmi_wants_tensor(const hlmi_wants *w, const hlmi_want *want)
{
    const hlmi_name name = hlmi_wants_name(w, want);
    const hlmi_tensor *t = *name.text ? hlmi_store_find(w->store, name.text) : NULL;
    if (t || w->dialect != HLMI_GGUF || !*want->tail) return t;
    hlmi_want bare = *want; /* converters leave the tail off some norms */
    bare.tail = "";
    const hlmi_tensor *b = hlmi_wants_tensor(w, &bare);
    return b && strcmp(want->tail, ".weight") == 0 ? b : NULL;
}

/* The classes of one family, and those around them, write the same tensors under different roots: the model with a head
 * "model." or "backbone.", the model without one nothing, models with vision what holds the text. */
void hlmi_wants_find_root(hlmi_wants *w, hlmi_key key, hlmi_key other)
{
    static const struct {
        const char *root, *outer;
    } roots[] = {{NULL, ""},
                 {"model.", ""},
                 {"backbone.", ""},
                 {"", ""},
                 {"model.language_model.", ""},
                 {"language_model.model.", "language_model."},
                 {"language_model.", ""},
                 {"transformer.", ""}};
    if (w->dialect != HLMI_HF) return;
    snprintf(w->own, sizeof w->own, "%.*s", (int)strcspn(key.hf, ".") + 1, key.hf);
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        w->root = roots[i].root ? roots[i].root : w->own;
        w->outer = roots[i].outer;
        if (hlmi_wants_tensor(w, &(hlmi_want){.name = key, .tail = ".weight"}) ||
            hlmi_wants_tensor(w, &(hlmi_want){.name = other, .tail = ".weight"}))
            return;
    }
    w->root = w->own; /* what is missing is named as usual */
    w->outer = "";
}

/* ---- tensors that nobody wants ---- */

static void mark_used(hlmi_wants *w, const hlmi_tensor *t)
{
    w->used[(size_t)(t - hlmi_store_at(w->store, 0))] = true;
}

void hlmi_wants_ignore(hlmi_wants *w, const hlmi_want *want)
{
    const hlmi_tensor *t = hlmi_wants_tensor(w, want);
    if (t) mark_used(w, t);
}

void hlmi_wants_leave_out(hlmi_wants *w, const char *const *prefixes)
{
    static const char rotary[] = "rotary_emb.inv_freq"; /* old folders have the frequencies; settings say them, too */
    for (size_t i = 0; i < hlmi_store_count(w->store); i++) {
        const char *name = hlmi_store_at(w->store, i)->name;
        const size_t n = strlen(name), m = sizeof rotary - 1;
        if (n >= m && strcmp(name + n - m, rotary) == 0 && (n == m || name[n - m - 1] == '.')) w->used[i] = true;
        for (size_t k = 0; prefixes && prefixes[k]; k++)
            if (strncmp(name, prefixes[k], strlen(prefixes[k])) == 0) w->used[i] = true;
    }
}

/* Tensor i of the store, if nothing has asked for it. */
static hlm_status check_asked(const hlmi_wants *w, size_t i)
{
    const hlmi_tensor *t = hlmi_store_at(w->store, i);
    if (w->used[i]) return HLM_OK;
    HLMI_DO(hlmi_store_usable(w->store, t));
    return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is not part of this architecture", hlmi_store_path(w->store),
                     t->name);
}

void hlmi_wants_leave_out_layers(hlmi_wants *w, size_t first)
{
    static const char layer[] = "blk.";
    for (size_t i = 0; i < hlmi_store_count(w->store); i++) {
        const char *name = hlmi_store_at(w->store, i)->name;
        if (strncmp(name, layer, sizeof layer - 1) == 0 && strtoull(name + sizeof layer - 1, NULL, 10) >= first)
            w->used[i] = true;
    }
}

hlm_status hlmi_wants_finish(const hlmi_wants *w)
{
    for (size_t i = 0; i < hlmi_store_count(w->store); i++) HLMI_DO(check_asked(w, i));
    return HLM_OK;
}

hlm_status hlmi_wants_review(const hlmi_wants *w, const hlmi_notes *notes)
{
    for (size_t i = 0; i < hlmi_store_count(w->store); i++) HLMI_DO(hlmi_noted(notes, check_asked(w, i)));
    return HLM_OK;
}

/* ---- what the file has for a want ---- */

/* A quantised matrix has tensors of other names in its place, which says more than that it is not there. */
static hlm_status missing(const hlmi_wants *w, const char *name)
{
    static const char *const others[] = {"qweight", "weight_packed", "W_q", "weight._data", "weight_blocks"};
    static const char end[] = ".weight";
    const size_t n = strlen(name), m = sizeof end - 1;
    char other[192];
    for (size_t i = 0; i < sizeof others / sizeof *others && n > m && strcmp(name + n - m, end) == 0; i++) {
        snprintf(other, sizeof other, "%.*s.%s", (int)(n - m), name, others[i]);
        if (hlmi_store_find(w->store, other))
            return hlmi_fail(HLM_E_UNSUPPORTED,
                             "%s: tensor %s is missing, but %s is there: quantised weights of a kind that this version "
                             "does not read",
                             hlmi_store_path(w->store), name, other);
    }
    return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is missing", hlmi_store_path(w->store), name);
}

static hlm_status find(hlmi_wants *w, const hlmi_want *want, const hlmi_tensor **out)
{
    const hlmi_tensor *t = hlmi_wants_tensor(w, want);
    if (!t) return missing(w, hlmi_wants_name(w, want).text);
    HLMI_DO(hlmi_store_usable(w->store, t));
    if (hlmi_type_get(t->type)->layout == HLMI_LAYOUT_NONE)
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is of type %s, which can not be a weight",
                         hlmi_store_path(w->store), t->name, hlmi_type_get(t->type)->name);
    mark_used(w, t);
    *out = t;
    return HLM_OK;
}

/* Has the tensor that shape, outermost dimension first? A GGUF file may have ones before it, or lack them, and a vector
 * may lie in rows. */
static bool is_shaped(const hlmi_wants *w, const hlmi_tensor *t, const size_t *shape, uint32_t n)
{
    uint64_t all = 1;
    if (t->n_dims != n && w->dialect != HLMI_GGUF) return false;
    for (uint32_t i = 0; i < t->n_dims && n == 1; i++) all *= t->dims[i];
    if (n == 1) return all == shape[0];
    for (uint32_t i = 1; i <= n || i <= t->n_dims; i++)
        if ((i <= t->n_dims ? t->dims[t->n_dims - i] : 1) != (i <= n ? shape[n - i] : 1)) return false;
    return true;
}

/* "[a, b]" of the tensor as the sentence about a wrong shape shows it: of a matrix its last two sizes, of others the
 * first and the last. */
static void show_found(char *out, size_t cap, const hlmi_tensor *t, hlmi_use use, uint32_t wanted)
{
    const unsigned long long first = t->dims[0], last = t->dims[t->n_dims - 1];
    const unsigned long long rows = t->n_dims > 1 ? t->dims[t->n_dims - 2] : 1;
    if (wanted == 1) snprintf(out, cap, "[%llu%s", first, t->n_dims > 1 ? ", ...]" : "]");
    else if (use != HLMI_USE_NUMBERS && wanted == 2) snprintf(out, cap, "[%llu, %llu]", rows, last);
    else snprintf(out, cap, "[%llu, ..., %llu]", first, last);
}

static hlm_status check_shape(const hlmi_wants *w, hlmi_use use, const hlmi_want *want, const hlmi_tensor *t)
{
    const hlmi_row_order *o = &want->order[w->dialect];
    size_t shape[3], n = 0, at = 0;
    char found[64], expected[80];
    if (o->stack) shape[n++] = o->stack;
    shape[n++] = hlmi_file_rows(o, want->rows);
    if (want->make[w->dialect] & HLMI_MAKE_TAPS) shape[n++] = 1;
    if (want->cols) shape[n++] = want->cols;
    if (is_shaped(w, t, shape, (uint32_t)n)) return HLM_OK;
    show_found(found, sizeof found, t, use, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(expected + at, sizeof expected - at, "%s%zu", i ? ", " : "", shape[i]);
    return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is %u-dimensional %s, expected [%s]", hlmi_store_path(w->store),
                     t->name, t->n_dims, found, expected);
}

/* The entry's bytes in memory, and as a file has them of its type. */
static void count(hlmi_plan *p, const hlmi_weight *e, hlmi_type type, uint64_t bytes, uint64_t file_bytes)
{
    const uint64_t elements = (uint64_t)e->want.rows * hlmi_max_size(1, e->want.cols);
    p->n_parameters += elements;
    p->weight_bytes += bytes;
    p->type_bytes[type] += file_bytes;
    if (e->use == HLMI_USE_ROWS) return;
    p->bytes_per_token += bytes;
    p->n_active += elements;
}

/* The type that a matrix is kept in: that of the file, or what plain numbers that are multiplied are quantised to, if
 * their rows fill its blocks. */
static hlmi_type kept_type(const hlmi_plan *p, const hlmi_weight *e)
{
    const hlmi_type t = e->tensor->type;
    const bool plain = t == HLMI_F32 || t == HLMI_F16 || t == HLMI_BF16 || t == HLMI_F64;
    const bool may = plain && !e->tensor->coded && e->use == HLMI_USE_PRODUCT && !e->want.fixed;
    return may && e->want.cols % hlmi_type_get(p->quantise)->block == 0 && p->quantise != HLMI_F32 ? p->quantise : t;
}

static hlm_status fit_matrix(const hlmi_wants *w, hlmi_weight *e)
{
    const hlmi_tensor *t = e->tensor;
    const hlmi_row_order *o = hlmi_weight_order(e);
    const hlmi_type_info *type = hlmi_type_get(t->type);
    const size_t cols = e->want.cols, rows = hlmi_file_rows(o, e->want.rows), stack = hlmi_max_size(1, o->stack);
    size_t bytes = (size_t)t->bytes;
    uint64_t row_bytes = 0;
    if (!hlmi_type_row_bytes(t->type, cols, &row_bytes) || row_bytes > SIZE_MAX / rows / stack)
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s: rows of %zu do not fit type %s", hlmi_store_path(w->store),
                         t->name, cols, type->name);
    e->matrix.rows = e->want.rows;
    e->matrix.cols = cols;
    e->matrix.type = kept_type(w->plan, e);
    (void)hlmi_type_row_bytes(e->matrix.type, cols, &row_bytes); /* fewer than of the file's, or the same */
    e->matrix.layout = HLMI_LAYOUT_NONE; /* of a matrix for products its place says it (hlmi_plan_place) */
    if (e->use == HLMI_USE_ROWS) w->plan->bytes_per_token += row_bytes;
    else if (!hlmi_layout_bytes(hlmi_type_get(e->matrix.type)->layout, e->want.rows, cols, &bytes))
        return hlmi_nomem(SIZE_MAX, t->name);
    e->matrix.bytes = bytes;
    count(w->plan, e, e->matrix.type, bytes, e->want.rows * row_bytes);
    return HLM_OK;
}

static hlm_status fit_numbers(const hlmi_wants *w, hlmi_weight *e)
{
    const hlmi_tensor *t = e->tensor;
    const size_t n = e->want.rows * hlmi_max_size(1, e->want.cols);
    if (hlmi_type_get(t->type)->block != 1)
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is of type %s, expected plain numbers", hlmi_store_path(w->store),
                         t->name, hlmi_type_get(t->type)->name);
    e->numbers = hlmi_plan_alloc(w->plan, hlmi_round_up(n, LINE), sizeof *e->numbers);
    if (!e->numbers) return HLM_E_NOMEM;
    count(w->plan, e, t->type, n * sizeof *e->numbers,
          t->bytes / hlmi_file_rows(hlmi_weight_order(e), e->want.rows) * e->want.rows);
    return HLM_OK;
}

/* Adds the want to the table when its tensor is there and fits. */
static hlmi_weight *declare(hlmi_wants *w, hlmi_use use, const hlmi_want *want)
{
    const hlmi_tensor *t = NULL;
    if (w->st == HLM_OK) w->st = find(w, want, &t);
    if (w->st == HLM_OK) w->st = check_shape(w, use, want, t);
    if (w->st != HLM_OK) return NULL;
    hlmi_weight *e = hlmi_plan_add_weight(w->plan, want);
    if (e) {
        e->use = use;
        e->dialect = w->dialect;
        e->tensor = t;
        e->name = t->name;
        e->key = want->name;
        w->st = use == HLMI_USE_NUMBERS ? fit_numbers(w, e) : fit_matrix(w, e);
    } else {
        w->st = HLM_E_NOMEM;
    }
    return w->st == HLM_OK ? e : NULL;
}

const hlmi_matrix *hlmi_want_matrix(hlmi_wants *w, hlmi_use use, const hlmi_want *want)
{
    const hlmi_weight *e = declare(w, use, want);
    return e ? &e->matrix : NULL;
}

const float *hlmi_want_numbers(hlmi_wants *w, const hlmi_want *want)
{
    const hlmi_weight *e = declare(w, HLMI_USE_NUMBERS, want);
    return e ? e->numbers : NULL;
}
