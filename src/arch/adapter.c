/* Reading adapters: settings, names, and what they make of the numbers. The formulas are those of PEFT 0.17 (tuners/lora/layer.py,
 * dora.py) and, for GGUF, of llama.cpp (llama-adapter.cpp). */
#include "arch/adapter.h"

#include <stdio.h>
#include <string.h>

#include "arch/config.h"
#include "arch/loader.h"
#include "base/half.h"
#include "base/size.h"

#define HUGE 1e9 /* no setting is */

enum { NAME = 512 };

#define PEFT_PREFIX "base_model.model."
#define WEIGHT ".weight"

typedef struct settings {
    double alpha;
    int64_t rank; /* 0: the tensors say */
    bool root, dora; /* scale by the root of the rank; rows have magnitudes of their own */
    const json_t *alphas, *ranks; /* by names of matrices, or NULL */
} settings;

typedef struct reading {
    const hlmi_adapter_file *f;
    const char *path;
    settings s;
    bool *used; /* [tensors of the store] */
    hlm_adapter *ad;
} reading;

static bool in_gguf(const reading *r)
{
    return hlmi_store_container(r->f->store) == HLMI_STORE_GGUF;
}

/* ---- settings ---- */

/* A setting of PEFT that means nothing to be done, or the adapter is of a kind that is not known. */
static hlm_status refuse_unless_off(const reading *r, const char *key)
{
    const json_t *v = json_object_get(hlmi_store_config(r->f->store), key);
    const bool none = json_is_string(v) && strcmp(json_string_value(v), "none") == 0;
    if (!v || json_is_null(v) || json_is_false(v) || none) return HLM_OK;
    if ((json_is_array(v) && json_array_size(v) == 0) || (json_is_object(v) && json_object_size(v) == 0)) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: adapter_config.json: %s is set, which this version does not know", r->path,
                     key);
}

static hlm_status read_pattern(const reading *r, const char *key, const json_t **out)
{
    const json_t *v = json_object_get(hlmi_store_config(r->f->store), key);
    const char *name;
    json_t *number;
    if (!v || json_is_null(v)) return HLM_OK;
    if (!json_is_object(v)) return hlmi_fail(HLM_E_FORMAT, "%s: adapter_config.json: %s is no object", r->path, key);
    json_object_foreach((json_t *)(uintptr_t)v, name, number)
    {
        if (strpbrk(name, "*+?[](){}|^$\\"))
            return hlmi_fail(HLM_E_UNSUPPORTED, "%s: adapter_config.json: %s has a regular expression, names are known",
                             r->path, key);
        if (!json_is_number(number) || !(json_number_value(number) > 0 && json_number_value(number) <= 1e6))
            return hlmi_fail(HLM_E_FORMAT, "%s: adapter_config.json: a value of %s is no number above 0 and up to 1e6",
                             r->path, key);
    }
    *out = v;
    return HLM_OK;
}

static hlm_status check_word(const reading *r, hlmi_key key, const char *expected)
{
    const hlmi_config c = {.store = r->f->store, .json = hlmi_store_config(r->f->store), .arch = ""};
    const char *s = NULL;
    size_t len = 0;
    const hlm_status st = hlmi_config_string(&c, key, &s, &len);
    if (st != HLM_OK || (s && len == strlen(expected) && memcmp(s, expected, len) == 0)) return st;
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %s is '%.*s', expected '%s'", r->path, key.hf ? key.hf : key.gguf,
                     s ? (int)hlmi_min_size(len, 40) : 0, s ? s : "", expected);
}

static hlm_status read_peft(reading *r)
{
    static const char *const off[] = {"bias",         "fan_in_fan_out",      "modules_to_save",
                                      "lora_bias",    "layer_replication",   "trainable_token_indices",
                                      "use_qalora",   "target_parameters",   "megatron_config",
                                      "arrow_config", "ensure_weight_tying", "use_bdlora"};
    const hlmi_config c = {.store = r->f->store, .json = hlmi_store_config(r->f->store), .arch = ""};
    settings *s = &r->s;
    hlm_status st = check_word(r, (hlmi_key){"peft_type", NULL}, "LORA");
    for (size_t i = 0; i < sizeof off / sizeof *off && st == HLM_OK; i++) st = refuse_unless_off(r, off[i]);
    if (st == HLM_OK) st = hlmi_config_int(&c, (hlmi_key){"r", NULL}, 1, HLMI_LOW_MAX, 0, &s->rank);
    if (st == HLM_OK) st = hlmi_config_float(&c, (hlmi_key){"lora_alpha", NULL}, -1e6, 1e6, HUGE, &s->alpha);
    if (st == HLM_OK) st = hlmi_config_bool(&c, (hlmi_key){"use_rslora", NULL}, false, &s->root);
    if (st == HLM_OK) st = hlmi_config_bool(&c, (hlmi_key){"use_dora", NULL}, false, &s->dora);
    if (st == HLM_OK) st = read_pattern(r, "alpha_pattern", &s->alphas);
    return st == HLM_OK ? read_pattern(r, "rank_pattern", &s->ranks) : st;
}

static hlm_status read_gguf(reading *r)
{
    const hlmi_config c = {.store = r->f->store, .arch = ""};
    hlm_status st = check_word(r, (hlmi_key){NULL, "general.type"}, "adapter");
    if (st == HLM_OK) st = check_word(r, (hlmi_key){NULL, "adapter.type"}, "lora");
    if (st == HLM_OK) st = check_word(r, (hlmi_key){NULL, "general.architecture"}, r->f->arch);
    return st == HLM_OK ? hlmi_config_float(&c, (hlmi_key){NULL, "adapter.lora.alpha"}, -1e6, 1e6, HUGE, &r->s.alpha)
                        : st;
}

/* The value for a matrix of an object {name: number}: for the matrix of that name, or those whose names end in .name. */
static double pattern_value(const json_t *pattern, const char *matrix, size_t len, double otherwise)
{
    const char *name;
    json_t *v;
    if (!pattern) return otherwise;
    json_object_foreach((json_t *)(uintptr_t)pattern, name, v)
    {
        const size_t n = strlen(name);
        if (n > len || memcmp(matrix + len - n, name, n) != 0) continue;
        if (n == len || matrix[len - n - 1] == '.') return json_number_value(v);
    }
    return otherwise;
}

/* ---- tensors ---- */

/* The name of a part of a matrix's adapter: A, B or the magnitudes. False: there can be none. */
static bool part_name(const reading *r, const char *tensor, const char *peft, const char *gguf, char *out)
{
    if (in_gguf(r)) return snprintf(out, NAME, "%s%s", tensor, gguf) < NAME;
    const size_t len = strlen(tensor), end = strlen(WEIGHT);
    if (len <= end || strcmp(tensor + len - end, WEIGHT) != 0) return false;
    return snprintf(out, NAME, PEFT_PREFIX "%.*s%s", (int)(len - end), tensor, peft) < NAME;
}

/* The part's tensor, or NULL. */
static const hlmi_tensor *find_part(reading *r, const char *tensor, const char *peft, const char *gguf)
{
    char name[NAME];
    const hlmi_tensor *t = part_name(r, tensor, peft, gguf, name) ? hlmi_store_find(r->f->store, name) : NULL;
    if (t) r->used[t - hlmi_store_at(r->f->store, 0)] = true;
    return t;
}

static hlm_status check_shape(const reading *r, const hlmi_tensor *t, size_t rows, size_t cols)
{
    const uint64_t found = t->n_dims > 1 ? t->dims[1] : 1;
    if (hlmi_type_get(t->type)->block != 1 || !hlmi_type_get(t->type)->dequantise)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: tensor %s is of type %s, expected f32, f16 or bf16", r->path, t->name,
                         hlmi_type_get(t->type)->name);
    if (t->n_dims == (cols ? 2 : 1) && t->dims[0] == rows && found == (cols ? cols : 1)) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is %u-dimensional [%llu, %llu], expected [%zu, %zu]", r->path,
                     t->name, t->n_dims, (unsigned long long)t->dims[0], (unsigned long long)found, rows,
                     cols ? cols : 1);
}

/* The tensor's numbers as f32, all finite; the caller's to free. */
static hlm_status read_numbers(const reading *r, const hlmi_tensor *t, float **out)
{
    const hlmi_mem *mem = &r->ad->mem;
    const size_t n = (size_t)(t->bytes / hlmi_type_get(t->type)->bytes);
    const uint8_t *data = NULL;
    uint8_t *buffer = hlmi_alloc(mem, (size_t)t->bytes);
    float *y = hlmi_alloc(mem, n * sizeof *y);
    hlm_status st = buffer && y ? HLM_OK : hlmi_nomem(n * sizeof *y, t->name);
    if (st == HLM_OK) st = hlmi_store_read(r->f->store, t, 0, (size_t)t->bytes, buffer, &data);
    if (st == HLM_OK) hlmi_type_get(t->type)->dequantise(y, data, n);
    for (size_t i = 0; i < n && st == HLM_OK; i++)
        if ((hlmi_f32_bits(y[i]) & 0x7F800000u) == 0x7F800000u)
            st = hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has a NaN or infinity", r->path, t->name);
    hlmi_free(mem, buffer);
    *out = st == HLM_OK ? y : NULL;
    if (st != HLM_OK) hlmi_free(mem, y);
    return st;
}

/* One matrix's adapter while it is made. */
typedef struct pair {
    const hlmi_slot *slot;
    bool added; /* by a step */
    size_t rank;
    const hlmi_tensor *a_tensor, *b_tensor, *m_tensor;
    float *a, *b, *file_b, *magnitudes, *row, *factor;
} pair;

static void pair_free(const reading *r, pair *p)
{
    const hlmi_mem *mem = &r->ad->mem;
    hlmi_free(mem, p->a);
    hlmi_free(mem, p->b);
    hlmi_free(mem, p->file_b);
    hlmi_free(mem, p->magnitudes);
    hlmi_free(mem, p->row);
    hlmi_free(mem, p->factor);
}

/* m / ||W + s B A|| of each row. */
static hlm_status make_factor(const reading *r, pair *p)
{
    const hlmi_matrix *w = &p->slot->matrix;
    const hlmi_mem *mem = &r->ad->mem;
    const hlm_status st = read_numbers(r, p->m_tensor, &p->magnitudes);
    if (st != HLM_OK) return st;
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
        const double f = (double)p->magnitudes[hlmi_file_row(&p->slot->order, i)] / __builtin_sqrt(sum);
        if (!(f >= -1e30 && f <= 1e30))
            return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s: row %zu of the matrix has no length", r->path,
                             p->m_tensor->name, i);
        p->factor[i] = (float)f;
    }
    return HLM_OK;
}

/* The scale of what A and B of a matrix add. */
static double scale_of(const reading *r, const pair *p)
{
    const size_t len = strlen(p->slot->tensor) - (in_gguf(r) ? 0 : strlen(WEIGHT));
    const double alpha = pattern_value(r->s.alphas, p->slot->tensor, len, r->s.alpha);
    if (in_gguf(r) && alpha == 0) return r->f->scale;
    return r->f->scale * alpha / (r->s.root ? __builtin_sqrt((double)p->rank) : (double)p->rank);
}

static hlm_status check_pair(const reading *r, pair *p)
{
    const hlmi_matrix *w = &p->slot->matrix;
    if (!p->b_tensor) return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has no second factor", r->path, p->a_tensor->name);
    if (!p->a_tensor) return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has no first factor", r->path, p->b_tensor->name);
    if (!p->added)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: tensor %s: this version knows no adapters of %s", r->path,
                         p->a_tensor->name, p->slot->expert ? "experts that rows choose" : "that matrix");
    const size_t len = strlen(p->slot->tensor) - (in_gguf(r) ? 0 : strlen(WEIGHT));
    const double rank = pattern_value(r->s.ranks, p->slot->tensor, len, (double)r->s.rank);
    p->rank = (size_t)(p->a_tensor->dims[0] <= HLMI_LOW_MAX ? p->a_tensor->dims[0] : 0);
    if (p->rank == 0 || (r->s.rank && rank != (double)p->rank))
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is of rank %llu, expected %s%.0f", r->path, p->a_tensor->name,
                         (unsigned long long)p->a_tensor->dims[0], r->s.rank ? "" : "1 to ",
                         r->s.rank ? rank : (double)HLMI_LOW_MAX);
    const size_t rows = hlmi_file_rows(&p->slot->order, w->rows);
    hlm_status st = check_shape(r, p->a_tensor, p->rank, w->cols);
    if (st == HLM_OK) st = check_shape(r, p->b_tensor, rows, p->rank);
    if (st != HLM_OK || !r->s.dora) return st;
    if (!p->m_tensor)
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s has no lora_magnitude_vector", r->path, p->a_tensor->name);
    return check_shape(r, p->m_tensor, rows, 0);
}

/* What the file has for a slot, if anything. */
static hlm_status read_slot(reading *r, size_t number)
{
    hlm_status st;
    pair p = {.slot = &r->f->plan->slots[number], .added = r->f->adds[number]};
    const size_t rows = p.slot->matrix.rows;
    p.a_tensor = find_part(r, p.slot->tensor, ".lora_A.weight", ".lora_a");
    p.b_tensor = find_part(r, p.slot->tensor, ".lora_B.weight", ".lora_b");
    p.m_tensor = r->s.dora ? find_part(r, p.slot->tensor, ".lora_magnitude_vector", ".lora_m") : NULL;
    if (!p.a_tensor && !p.b_tensor) return HLM_OK;
    HLMI_TRY(check_pair(r, &p));
    HLMI_TRY(read_numbers(r, p.a_tensor, &p.a));
    HLMI_TRY(read_numbers(r, p.b_tensor, &p.file_b));
    p.b = hlmi_calloc(&r->ad->mem, rows * p.rank, sizeof *p.b);
    if (!p.b) HLMI_TRY(hlmi_nomem(rows * p.rank * sizeof *p.b, "an adapter"));
    const float scale = (float)scale_of(r, &p);
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < p.rank; k++)
            p.b[i * p.rank + k] = scale * p.file_b[hlmi_file_row(&p.slot->order, i) * p.rank + k];
    if (r->s.dora) HLMI_TRY(make_factor(r, &p));
    float *factor = p.factor;
    p.factor = NULL;
    HLMI_TRY(hlmi_adapter_set(r->ad, p.slot, number, p.rank, p.a, p.b, factor));
done:
    pair_free(r, &p);
    return st;
}

static hlm_status check_used(const reading *r)
{
    for (size_t i = 0; i < hlmi_store_count(r->f->store); i++)
        if (!r->used[i])
            return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s is for no matrix of the model", r->path,
                             hlmi_store_at(r->f->store, i)->name);
    if (r->ad->n_matrices == 0) return hlmi_fail(HLM_E_FORMAT, "%s: no tensors", r->path);
    return HLM_OK;
}

hlm_status hlmi_adapter_read(const hlmi_adapter_file *f, hlm_adapter *ad)
{
    reading r = {.f = f, .path = hlmi_store_path(f->store), .ad = ad};
    hlm_status st = in_gguf(&r) ? read_gguf(&r) : read_peft(&r);
    if (st != HLM_OK) return st;
    if (hlmi_store_container(f->store) != f->base)
        return hlmi_fail(HLM_E_MISMATCH, "%s: names tensors as %s do, the model is %s", r.path,
                         in_gguf(&r) ? "GGUF files" : "Hugging Face folders", in_gguf(&r) ? "a folder" : "a GGUF file");
    r.used = hlmi_calloc(&ad->mem, hlmi_store_count(f->store) + 1, sizeof *r.used);
    if (!r.used) return hlmi_nomem(hlmi_store_count(f->store), "an adapter");
    for (size_t i = 0; i < f->plan->n_slots && st == HLM_OK; i++) st = read_slot(&r, i);
    if (st == HLM_OK) st = check_used(&r);
    hlmi_free(&ad->mem, r.used);
    return st;
}
