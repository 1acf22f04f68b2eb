/* Reading adapters: names, shapes, and what they make of the numbers. The formulas are those of PEFT 0.21
 * (tuners/lora/layer.py, dora.py) and, for GGUF, of llama.cpp (llama-adapter.cpp). */
#include "arch/adapter.h"

#include <stdio.h>
#include <string.h>

#include "arch/adapter_settings.h"
#include "arch/arch.h"
#include "arch/loader.h"
#include "base/half.h"
#include "base/size.h"

enum { NAME = 512 };

#define PEFT_PREFIX "base_model.model."
#define WEIGHT ".weight"

typedef struct reading {
    const hlmi_adapter_file *f;
    const char *path;
    hlmi_adapter_settings s;
    bool *used; /* [tensors of the store] */
    hlm_adapter *ad;
} reading;

static bool in_gguf(const reading *r)
{
    return r->s.dialect == HLMI_GGUF;
}

/* ---- names ---- */

/* What stands before "layers." in the names of modules: a model's files and the class it was trained as, of this
 * version of transformers or another, need not agree. */
static const char *const trunks[] = {
    "model.language_model.", "language_model.model.", "language_model.", "backbone.", "transformer.", "model.", ""};

/* Modules that transformers 5 calls otherwise than the files do. */
static const struct {
    const char *file, *module;
} renamed[] = {{".block_sparse_moe.gate", ".mlp.gate"}, {".block_sparse_moe.router.layer", ".block_sparse_moe.router"}};

enum { TRUNKS = sizeof trunks / sizeof *trunks, RENAMED = sizeof renamed / sizeof *renamed };

/* The trunk of a name, or NULL. */
static const char *trunk_of(const char *name)
{
    for (size_t i = 0; i < TRUNKS; i++) {
        const size_t n = strlen(trunks[i]);
        if (strncmp(name, trunks[i], n) == 0 && (n || strncmp(name, "layers.", 7) == 0)) return trunks[i];
    }
    return NULL;
}

/* Name number i of those that a name of `len` bytes may have: itself with each trunk, and then once more with what
 * follows renamed. "" where there is no such name; false behind the last. */
static bool other_name(const char *name, size_t len, size_t i, char *out)
{
    const char *trunk = trunk_of(name), *tail = name + (trunk ? strlen(trunk) : 0);
    const size_t n = len - (size_t)(tail - name), forms = trunk ? TRUNKS : 1, form = i % forms, rename = i / forms;
    const char *before = trunk ? trunks[form] : "";
    *out = 0;
    if (rename > RENAMED) return false;
    if (rename == 0) return snprintf(out, NAME, "%s%.*s", before, (int)n, tail) < NAME;
    const char *from = renamed[rename - 1].file, *to = renamed[rename - 1].module;
    const size_t end = strlen(from);
    if (n > end && memcmp(tail + n - end, from, end) == 0)
        snprintf(out, NAME, "%s%.*s%s", before, (int)(n - end), tail, to);
    return true;
}

/* What the file's kind calls a weight: the model may be of the other kind. */
static const char *name_in_file(const reading *r, const hlmi_weight *w, hlmi_name *room)
{
    if (r->s.dialect == w->dialect) return w->name;
    *room = hlmi_weight_name(w, r->s.dialect);
    return room->text;
}

/* The names of a matrix's adapter: "...lora_A.weight" and so on for what the file calls the module. False: it has
 * none. */
static bool find_module(const reading *r, const char *tensor, char *module)
{
    char name[NAME];
    const size_t len = strlen(tensor), end = strlen(WEIGHT);
    if (len <= end || len >= NAME / 2 || strcmp(tensor + len - end, WEIGHT) != 0) return false;
    static const char *const parts[] = {".lora_A.weight", ".lora_B.weight"};
    for (size_t i = 0; other_name(tensor, len - end, i, module); i++)
        for (size_t k = 0; *module && k < sizeof parts / sizeof *parts; k++) {
            const int n = snprintf(name, NAME, PEFT_PREFIX "%s%s", module, parts[k]);
            if (n < NAME && hlmi_store_find(r->f->store, name)) return true;
        }
    return false;
}

/* ---- tensors ---- */

/* The tensor of a part of a module's adapter, or NULL. */
static const hlmi_tensor *find_part(reading *r, const char *module, const char *peft, const char *gguf)
{
    char name[NAME];
    const int n = in_gguf(r) ? snprintf(name, NAME, "%s%s", module, gguf)
                             : snprintf(name, NAME, PEFT_PREFIX "%s%s", module, peft);
    const hlmi_tensor *t = n < NAME ? hlmi_store_find(r->f->store, name) : NULL;
    if (t) r->used[t - hlmi_store_at(r->f->store, 0)] = true;
    return t;
}

/* What a part of a matrix's adapter must be: [rows, cols], [rows] (cols 0), or `stack` of these. */
typedef struct shape {
    size_t stack, rows, cols;
} shape;

static hlm_status check_shape(const reading *r, const hlmi_tensor *t, const shape *s)
{
    const size_t all[] = {s->stack, s->rows, s->cols}, *want = s->stack ? all : all + 1;
    const uint32_t n = (s->stack ? 1u : 0u) + (s->cols ? 2u : 1u);
    bool fits = t->n_dims == n;
    char stack[24] = "", found[96];
    size_t at = (size_t)snprintf(found, sizeof found, "%llu, %llu", (unsigned long long)t->dims[0],
                                 (unsigned long long)(t->n_dims > 1 ? t->dims[1] : 1));
    if (hlmi_type_get(t->type)->block != 1 || !hlmi_type_get(t->type)->dequantise)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: tensor %s is of type %s, expected f32, f16 or bf16", r->path, t->name,
                         hlmi_type_get(t->type)->name);
    for (uint32_t i = 0; i < n && fits; i++) fits = t->dims[i] == want[i];
    if (fits) return HLM_OK;
    if (s->stack) snprintf(stack, sizeof stack, "%zu, ", s->stack);
    for (uint32_t i = 2; s->stack && i < t->n_dims && at < sizeof found; i++)
        at += (size_t)snprintf(found + at, sizeof found - at, ", %llu", (unsigned long long)t->dims[i]);
    return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is %u-dimensional [%s], expected [%s%zu, %zu]", r->path, t->name,
                     t->n_dims, found, stack, s->rows, s->cols ? s->cols : 1);
}

/* One matrix's adapter while it is made. */
typedef struct pair {
    const hlmi_weight *weight;
    const hlmi_row_order *order, *columns; /* of the matrix in files of the adapter's kind */
    char module[NAME]; /* as the file calls it */
    bool added; /* by a step */
    size_t rank;
    const hlmi_tensor *a_tensor, *b_tensor, *m_tensor;
    float *a, *b, *file_a, *file_b, *magnitudes, *row, *factor;
} pair;

static void pair_free(const reading *r, pair *p)
{
    const hlmi_mem *mem = &r->ad->mem;
    hlmi_free(mem, p->a);
    hlmi_free(mem, p->b);
    hlmi_free(mem, p->file_a);
    hlmi_free(mem, p->file_b);
    hlmi_free(mem, p->magnitudes);
    hlmi_free(mem, p->row);
    hlmi_free(mem, p->factor);
}

/* m / ||W + s B A|| of each row. */
static hlm_status make_factor(const reading *r, pair *p)
{
    const hlmi_matrix *w = &p->weight->matrix;
    const hlmi_mem *mem = &r->ad->mem;
    HLMI_DO(hlmi_loader_numbers(r->f->store, mem, p->m_tensor, true, NULL, &p->magnitudes));
    p->row = hlmi_alloc(mem, w->cols * sizeof *p->row);
    p->factor = hlmi_alloc(mem, w->rows * sizeof *p->factor);
    if (!p->row || !p->factor) return hlmi_nomem(w->cols * sizeof *p->row, "an adapter");
    for (size_t i = 0; i < w->rows; i++) {
        double sum = 0;
        hlmi_low_row(p->row, w, i);
        for (size_t c = 0; c < w->cols; c++) {
            double x = (double)p->row[c];
            for (size_t k = 0; k < p->rank; k++) x += (double)p->b[i * p->rank + k] * (double)p->a[k * w->cols + c];
            sum += x * x;
        }
        const double f = (double)p->magnitudes[hlmi_file_row(p->order, i)] / __builtin_sqrt(sum);
        if (!(f >= -1e30 && f <= 1e30))
            return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s: row %zu of the matrix has no length", r->path,
                             p->m_tensor->name, i);
        p->factor[i] = (float)f;
    }
    return HLM_OK;
}

/* The scale of what A and B of a matrix add. */
static hlm_status scale_of(const reading *r, const pair *p, float *out)
{
    double alpha = r->s.alpha;
    const hlm_status st = hlmi_adapter_match_value(&r->s.match, &r->s.match.alphas, p->module, &alpha);
    const double parts = r->s.root ? __builtin_sqrt((double)p->rank) : (double)p->rank;
    *out = (float)(in_gguf(r) && alpha == 0 ? r->f->scale : r->f->scale * alpha / parts);
    return st;
}

static hlm_status check_pair(const reading *r, pair *p)
{
    const hlmi_matrix *w = &p->weight->matrix;
    const size_t stack = p->order->stack, at = stack ? 1 : 0;
    if (!p->b_tensor) return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has no second factor", r->path, p->a_tensor->name);
    if (!p->a_tensor) return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has no first factor", r->path, p->b_tensor->name);
    if (!p->added || (stack && !in_gguf(r))) /* PEFT has no linear layer that it could be for */
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: tensor %s: this version knows no adapters of %s", r->path,
                         p->a_tensor->name, p->weight->want.expert ? "experts that rows choose" : "that matrix");
    double rank = (double)r->s.rank;
    HLMI_DO(hlmi_adapter_match_value(&r->s.match, &r->s.match.ranks, p->module, &rank));
    if (!in_gguf(r)) HLMI_DO(hlmi_adapter_match_targets(&r->s.match, p->module));
    const uint64_t found = p->a_tensor->n_dims > at ? p->a_tensor->dims[at] : 0;
    p->rank = (size_t)(found <= HLMI_LOW_MAX ? found : 0);
    if (p->rank == 0 || (r->s.rank && rank != (double)p->rank))
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is of rank %llu, expected %s%.0f", r->path, p->a_tensor->name,
                         (unsigned long long)found, r->s.rank ? "" : "1 to ", r->s.rank ? rank : (double)HLMI_LOW_MAX);
    const size_t rows = hlmi_file_rows(p->order, w->rows);
    HLMI_DO(check_shape(r, p->a_tensor, &(shape){stack, p->rank, w->cols}));
    HLMI_DO(check_shape(r, p->b_tensor, &(shape){stack, rows, p->rank}));
    if (!r->s.dora) return HLM_OK;
    if (!p->m_tensor)
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has no lora_magnitude_vector", r->path, p->a_tensor->name);
    return check_shape(r, p->m_tensor, &(shape){0, rows, 0});
}

/* A and B in the order of the plan's rows and columns, B times the scale. */
static hlm_status read_factors(const reading *r, pair *p)
{
    const size_t rows = p->weight->matrix.rows, cols = p->weight->matrix.cols, rank = p->rank;
    const hlmi_mem *mem = &r->ad->mem;
    float scale = 0;
    const size_t in_file = hlmi_file_rows(p->order, rows), layer = p->order->layer; /* of a stack: this one's alone */
    HLMI_DO(hlmi_loader_some(r->f->store, mem, p->a_tensor, layer * rank * cols, rank * cols, &p->file_a));
    HLMI_DO(hlmi_loader_some(r->f->store, mem, p->b_tensor, layer * in_file * rank, in_file * rank, &p->file_b));
    p->a = hlmi_calloc(mem, rank * cols, sizeof *p->a);
    p->b = hlmi_calloc(mem, rows * rank, sizeof *p->b);
    if (!p->a || !p->b) return hlmi_nomem(rows * rank * sizeof *p->b, "an adapter");
    HLMI_DO(scale_of(r, p, &scale));
    for (size_t k = 0; k < rank; k++)
        for (size_t c = 0; c < cols; c++) p->a[k * cols + c] = p->file_a[k * cols + hlmi_file_row(p->columns, c)];
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < rank; k++)
            p->b[i * rank + k] = scale * p->file_b[(hlmi_file_row(p->order, i) - layer * in_file) * rank + k];
    return HLM_OK;
}

/* What the file has for a matrix, if anything. */
static hlm_status read_weight(reading *r, size_t number)
{
    hlm_status st;
    hlmi_name room;
    const hlmi_weight *w = r->f->plan->weights[number];
    pair p = {.weight = w,
              .order = &w->want.order[r->s.dialect],
              .columns = &w->want.columns[r->s.dialect],
              .added = r->f->adds[number]};
    const char *name = name_in_file(r, w, &room);
    if (w->use != HLMI_USE_PRODUCT) return HLM_OK;
    if (in_gguf(r)) snprintf(p.module, NAME, "%s", name);
    else if (!find_module(r, name, p.module)) return HLM_OK;
    p.a_tensor = find_part(r, p.module, ".lora_A.weight", ".lora_a");
    p.b_tensor = find_part(r, p.module, ".lora_B.weight", ".lora_b");
    p.m_tensor = r->s.dora ? find_part(r, p.module, ".lora_magnitude_vector", ".lora_m") : NULL;
    if (!p.a_tensor && !p.b_tensor) return HLM_OK;
    HLMI_TRY(check_pair(r, &p));
    HLMI_TRY(read_factors(r, &p));
    if (r->s.dora) HLMI_TRY(make_factor(r, &p));
    float *factor = p.factor;
    p.factor = NULL;
    HLMI_TRY(hlmi_adapter_set(r->ad, &p.weight->matrix, p.rank, p.a, p.b, factor));
done:
    pair_free(r, &p);
    return st;
}

/* ---- tensors of the model itself, which PEFT writes beside adapters of the head or on request ---- */

/* The model's tensor of a name that is the adapter's for it, or NULL. */
static const hlmi_tensor *find_own(const reading *r, const char *module, size_t len, const char *end)
{
    hlmi_name room;
    char other[NAME], name[NAME];
    for (size_t i = 0; other_name(module, len, i, other); i++) {
        if (!*other || snprintf(name, NAME, "%s%s", other, end) >= NAME) continue;
        const hlmi_tensor *t = hlmi_store_find(r->f->model, name);
        if (t) return t;
        for (size_t k = 0; k < r->f->plan->n_weights; k++) {
            const hlmi_weight *w = r->f->plan->weights[k];
            if (strcmp(name_in_file(r, w, &room), name) == 0) return w->tensor;
        }
    }
    return NULL;
}

/* The model's tensor that one of the adapter's file is a copy of, or NULL. */
static const hlmi_tensor *copied(const reading *r, const char *tensor)
{
    static const char *const ends[] = {".base_layer.weight", ".base_layer.bias", ".weight", ".bias"};
    const size_t prefix = strlen(PEFT_PREFIX), len = strlen(tensor);
    if (in_gguf(r) || strncmp(tensor, PEFT_PREFIX, prefix) != 0 || len >= NAME / 2) return NULL;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t n = strlen(ends[i]);
        if (len <= prefix + n || strcmp(tensor + len - n, ends[i]) != 0) continue;
        return find_own(r, tensor + prefix, len - prefix - n, i % 2 ? ".bias" : ".weight");
    }
    return NULL;
}

/* x as the adapter's file would have it. */
static float rounded(float x, hlmi_type type)
{
    if (type == HLMI_F16) return hlmi_f16_to_f32(hlmi_f32_to_f16(x));
    return type == HLMI_BF16 ? hlmi_bf16_to_f32(hlmi_f32_to_bf16(x)) : x;
}

enum { PIECE = 4096 /* numbers compared at a time, or more: whole rows, as coded matrices are read */ };

static hlm_status read_piece(const hlmi_store *store, const hlmi_tensor *t, uint64_t at, size_t n, uint8_t *room,
                             float *x)
{
    const hlmi_type_info *info = hlmi_type_get(t->type);
    const uint8_t *data = NULL;
    HLMI_DO(hlmi_store_read(store, t, at * info->bytes, n * info->bytes, room, &data));
    info->dequantise(x, data, n);
    return HLM_OK;
}

static hlm_status same_numbers(const reading *r, const hlmi_tensor *t, const hlmi_tensor *own, bool *same)
{
    const hlmi_type_info *a = hlmi_type_get(t->type), *b = hlmi_type_get(own->type);
    uint64_t n = 1;
    hlm_status st = HLM_OK;
    *same = t->n_dims == own->n_dims && a->block == 1 && a->dequantise && b->block == 1 && b->dequantise;
    for (uint32_t i = 0; *same && i < t->n_dims; i++) {
        *same = t->dims[i] == own->dims[i];
        n *= t->dims[i];
    }
    if (!*same) return HLM_OK;
    const size_t cols = hlmi_max_size(1, t->n_dims > 1 ? (size_t)t->dims[t->n_dims - 1] : 1);
    const size_t most = hlmi_max_size(cols, PIECE / cols * cols), bytes = most * (2 * sizeof(float) + sizeof(double));
    float *x = hlmi_alloc(&r->ad->mem, bytes);
    if (!x) return hlmi_nomem(bytes, t->name);
    float *y = x + most;
    uint8_t *room = (uint8_t *)(y + most);
    for (uint64_t at = 0; at < n && *same && st == HLM_OK; at += most) {
        const size_t m = (size_t)(n - at < most ? n - at : most);
        st = read_piece(r->f->store, t, at, m, room, x);
        if (st == HLM_OK) st = read_piece(r->f->model, own, at, m, room, y);
        for (size_t i = 0; i < m && st == HLM_OK && *same; i++) *same = x[i] == rounded(y[i], t->type);
    }
    hlmi_free(&r->ad->mem, x);
    return st;
}

/* ---- the whole ---- */

/* A tensor that is for no matrix may only say again what the model has. */
static hlm_status check_unused(const reading *r, const hlmi_tensor *t)
{
    bool same = false;
    const hlmi_tensor *own = copied(r, t->name);
    if (!own) return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is for no matrix of the model", r->path, t->name);
    const hlm_status st = same_numbers(r, t, own, &same);
    if (st != HLM_OK || same) return st;
    return hlmi_fail(
        HLM_E_UNSUPPORTED,
        "%s: tensor %s is another than the model's %s: weights that were trained or resized are not known to "
        "this version",
        r->path, t->name, own->name);
}

static hlm_status check_used(const reading *r)
{
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < hlmi_store_count(r->f->store) && st == HLM_OK; i++)
        if (!r->used[i]) st = check_unused(r, hlmi_store_at(r->f->store, i));
    if (st != HLM_OK || r->ad->n_matrices) return st;
    return hlmi_fail(HLM_E_FORMAT, "%s: no tensors", r->path);
}

/* What is added to weights that have multipliers in them is another thing than what is added to those without. */
static hlm_status check_container(const reading *r)
{
    const hlmi_dialect own = r->f->plan->weights[0]->dialect; /* all of a model's are of one */
    const hlmi_arch *arch = hlmi_arch_named(r->f->arch, own);
    if (r->s.dialect == own || !arch || !arch->multiplied) return HLM_OK;
    return hlmi_fail(
        HLM_E_MISMATCH,
        "%s: names tensors as %s do, the model is %s, and GGUF files of %s have multipliers in the weights", r->path,
        in_gguf(r) ? "GGUF files" : "Hugging Face folders", in_gguf(r) ? "a folder" : "a GGUF file", r->f->arch);
}

hlm_status hlmi_adapter_read(const hlmi_adapter_file *f, hlm_adapter *ad)
{
    reading r = {.f = f, .path = hlmi_store_path(f->store), .ad = ad};
    hlm_status st = hlmi_adapter_settings_read(&r.s, f, &ad->mem);
    if (st == HLM_OK) st = check_container(&r);
    if (st != HLM_OK) goto done;
    r.used = hlmi_calloc(&ad->mem, hlmi_store_count(f->store) + 1, sizeof *r.used);
    if (!r.used) HLMI_TRY(hlmi_nomem(hlmi_store_count(f->store), "an adapter"));
    for (size_t i = 0; i < f->plan->n_weights; i++) HLMI_TRY(read_weight(&r, i));
    HLMI_TRY(check_used(&r));
    HLMI_TRY(hlmi_adapter_wait(ad, r.s.invocation, r.s.n_invocation));
done:
    hlmi_adapter_settings_free(&r.s, &ad->mem);
    hlmi_free(&ad->mem, r.used);
    return st;
}
