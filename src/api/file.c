/* What lies in files, whether it can be run or not. */
#include <stdio.h>
#include <string.h>

#include "api/file_value.h"
#include "arch/arch.h"
#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "weights/survey.h"

enum { PROBLEMS_MAX = 16 /* sentences that are kept */ };

/* A member of a folder's settings. */
typedef struct member {
    const char *name;
    const hlmi_json *value;
} member;

struct hlm_file {
    hlmi_mem mem;
    hlmi_survey survey;
    char *arch;
    bool adapter;
    member *members; /* of a folder; GGUF's settings are the store's */
    size_t n_keys, n_tensors;
    char *problems[PROBLEMS_MAX];
    size_t n_problems, n_more; /* kept, and those that there was no room for */
};

/* ---- what is wrong ---- */

static hlm_status keep(hlm_file *f, const char *sentence)
{
    char *copy = hlmi_strndup(&f->mem, sentence, strlen(sentence));
    if (!copy) return hlmi_nomem(strlen(sentence), "a sentence");
    f->problems[f->n_problems++] = copy;
    return HLM_OK;
}

static hlm_status add_problem(void *user, const char *sentence)
{
    hlm_file *f = user;
    for (size_t i = 0; i < f->n_problems; i++)
        if (strcmp(f->problems[i], sentence) == 0) return HLM_OK;
    if (f->n_problems < PROBLEMS_MAX - 1) return keep(f, sentence);
    f->n_more++;
    return HLM_OK;
}

static hlm_status count_others(hlm_file *f)
{
    char sentence[80];
    if (!f->n_more) return HLM_OK;
    snprintf(sentence, sizeof sentence, "and %zu more of the kind", f->n_more);
    return keep(f, sentence);
}

/* Tensors that can be no weights, of an architecture that nobody knows: each form once. */
static hlm_status note_unfit(const hlmi_store *s, const hlmi_notes *notes)
{
    const char *last = "";
    for (size_t i = 0; i < hlmi_store_count(s); i++) {
        const hlmi_tensor *t = hlmi_store_at(s, i);
        if (!t->unfit || strcmp(t->unfit, last) == 0) continue;
        last = t->unfit;
        HLMI_DO(hlmi_noted(notes, hlmi_store_usable(s, t)));
    }
    return HLM_OK;
}

/* What a plan of it would be refused for. Of a folder that is quantised the matrices are not known here. */
static hlm_status review(hlm_file *f, const hlmi_notes *notes)
{
    const hlmi_store *s = f->survey.store;
    const hlmi_arch *arch = NULL;
    hlmi_config config;
    char name[80];
    const bool whole = f->n_problems == 0;
    if (f->adapter)
        return hlmi_noted(notes,
                          hlmi_fail(HLM_E_UNSUPPORTED, "%s: an adapter and no model: it is loaded beside its model",
                                    hlmi_store_path(s)));
    if (f->n_keys || whole) HLMI_DO(hlmi_noted(notes, hlmi_arch_find(s, &config, name, sizeof name, &arch)));
    if (arch && whole && f->n_problems == 0 && !f->survey.scheme.method)
        return hlmi_arch_review(arch, &config, &f->mem, notes);
    return f->survey.scheme.method ? HLM_OK : note_unfit(s, notes);
}

/* ---- opening ---- */

static hlm_status list_keys(hlm_file *f)
{
    const hlmi_store *s = f->survey.store;
    const hlmi_json *config = hlmi_store_config(s);
    while (hlmi_store_kv_at(s, f->n_keys)) f->n_keys++;
    if (!hlmi_json_count(config)) return HLM_OK;
    f->members = hlmi_calloc(&f->mem, hlmi_json_count(config), sizeof *f->members);
    if (!f->members) return hlmi_nomem(hlmi_json_count(config) * sizeof *f->members, "settings");
    for (hlmi_json_iter i = {0}; hlmi_json_next(config, &i);) f->members[f->n_keys++] = (member){i.key.s, i.value};
    return HLM_OK;
}

/* A string among the settings; "" when there is none. Looked for one by one, as a damaged file may have no index. */
static hlmi_str find_string(const hlm_file *f, hlmi_key key)
{
    hlmi_str s = {NULL, 0};
    for (size_t i = 0; i < f->n_keys && !s.s; i++) {
        const hlmi_kv *kv = hlmi_store_kv_at(f->survey.store, i);
        if (kv && strcmp(kv->key, key.gguf) == 0) s = hlmi_kv_str(kv);
        if (!kv && strcmp(f->members[i].name, key.hf) == 0) s = hlmi_json_str(f->members[i].value);
    }
    return s.s ? s : (hlmi_str){"", 0};
}

static hlm_status fill(hlm_file *f, const hlmi_notes *notes)
{
    HLMI_DO(list_keys(f));
    f->n_tensors = hlmi_store_count(f->survey.store);
    const hlmi_str arch = find_string(f, (hlmi_key){"model_type", "general.architecture"});
    const hlmi_str type = find_string(f, (hlmi_key){"", "general.type"});
    f->arch = hlmi_strndup(&f->mem, arch.s, arch.len);
    if (!f->arch) return hlmi_nomem(arch.len, "a name");
    f->adapter = f->survey.adapter || (type.len == 7 && memcmp(type.s, "adapter", 7) == 0);
    HLMI_DO(review(f, notes));
    return count_others(f);
}

void hlm_file_free(hlm_file *file)
{
    if (!file) return;
    const hlmi_mem mem = file->mem;
    for (size_t i = 0; i < file->n_problems; i++) hlmi_free(&mem, file->problems[i]);
    hlmi_free(&mem, file->members);
    hlmi_free(&mem, file->arch);
    hlmi_survey_close(&file->survey);
    hlmi_free(&mem, file);
}

HLMI_CALL(hlm_file_open, (hlm_file **out, const char *path, const hlm_model_params *params), (out, path, params))
{
    hlm_model_params p;
    hlmi_vfs vfs;
    hlmi_mem mem;
    hlm_status st;
    if (out) *out = NULL;
    if (!out || !path) return hlmi_fail(HLM_E_ARG, "hlm_file_open: out and path are needed");
    HLMI_DO(hlmi_params_read(&p, sizeof p, params, "hlm_model_params"));
    HLMI_DO(hlmi_vfs_from(&vfs, p.vfs, !(p.flags & HLM_LOAD_READ)));
    HLMI_DO(hlmi_mem_from(&mem, p.allocator));
    hlm_file *f = hlmi_calloc(&mem, 1, sizeof *f);
    if (!f) return hlmi_nomem(sizeof *f, "a file");
    const hlmi_notes notes = {add_problem, f};
    f->mem = mem;
    HLMI_TRY(hlmi_survey_open(&f->survey, &mem, &vfs, path, &notes));
    HLMI_TRY(fill(f, &notes));
    hlmi_error_clear();
    *out = f;
    f = NULL;
done:
    hlm_file_free(f);
    return st;
}

/* ---- asking ---- */

/* The names of general.file_type, by number. */
static const char *mix_name(int64_t number)
{
    static const char *const names[] = {
        "F32",    "F16",    "Q4_0",   "Q4_1",    NULL,     NULL,     NULL,     "Q8_0",   "Q5_0",     "Q5_1",
        "Q2_K",   "Q3_K_S", "Q3_K_M", "Q3_K_L",  "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K",     "IQ2_XXS",
        "IQ2_XS", "Q2_K_S", "IQ3_XS", "IQ3_XXS", "IQ1_S",  "IQ4_NL", "IQ3_S",  "IQ3_M",  "IQ2_S",    "IQ2_M",
        "IQ4_XS", "IQ1_M",  "BF16",   NULL,      NULL,     NULL,     "TQ1_0",  "TQ2_0",  "MXFP4_MOE"};
    const bool known = number >= 0 && number < (int64_t)(sizeof names / sizeof *names) && names[number];
    return known ? names[number] : "";
}

static const char *quantisation(const hlm_file *f)
{
    int64_t number = -1;
    for (size_t i = 0; i < f->n_keys; i++) {
        const hlmi_kv *kv = hlmi_store_kv_at(f->survey.store, i);
        if (kv && strcmp(kv->key, "general.file_type") == 0) hlmi_kv_i64(kv, 0, &number);
    }
    return *f->survey.scheme.said ? f->survey.scheme.said : mix_name(number);
}

HLMI_CALL(hlm_file_info_get, (const hlm_file *file, hlm_file_info *info), (file, info))
{
    if (!file || !info) return hlmi_fail(HLM_E_ARG, "hlm_file_info_get: file and info are needed");
    const hlm_file_info full = {
        .container = file->survey.container,
        .version = file->survey.version,
        .is_adapter = file->adapter,
        .arch = file->arch,
        .quantisation = quantisation(file),
        .bytes = hlmi_store_bytes(file->survey.store),
        .n_parts = file->survey.n_files,
        .n_keys = file->n_keys,
        .n_tensors = file->n_tensors,
        .n_problems = file->n_problems,
    };
    return hlmi_result_write(info, &full, sizeof full, "hlm_file_info");
}

const char *hlm_file_part(const hlm_file *file, size_t i, uint64_t *bytes)
{
    uint64_t n = 0;
    const char *path = file && i < file->survey.n_files ? hlmi_survey_file(&file->survey, i, &n) : NULL;
    if (bytes) *bytes = n;
    return path;
}

const char *hlm_file_problem(const hlm_file *file, size_t i)
{
    return file && i < file->n_problems ? file->problems[i] : NULL;
}

static hlm_file_key_info metadata_info(const hlmi_kv *kv)
{
    static const char *const types[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                        "bool", "string", "array", "u64", "i64", "f64"};
    return (hlm_file_key_info){.name = kv->key,
                               .type = types[kv->type],
                               .item = kv->type == HLMI_KV_ARRAY ? types[kv->item] : "",
                               .n_items = kv->count};
}

static hlm_file_key_info member_info(const member *m)
{
    static const struct {
        unsigned kinds;
        const char *name;
    } types[] = {{HLMI_JSON_OBJECT, "object"}, {HLMI_JSON_ARRAY, "array"}, {HLMI_JSON_STRING, "string"},
                 {HLMI_JSON_INT, "integer"},   {HLMI_JSON_REAL, "number"}, {HLMI_JSON_BOOL, "bool"}};
    hlm_file_key_info info = {.name = m->name, .type = "null", .item = "", .n_items = 1};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (hlmi_json_is(m->value, types[i].kinds)) info.type = types[i].name;
    if (hlmi_json_is(m->value, HLMI_JSON_OBJECT | HLMI_JSON_ARRAY)) info.n_items = hlmi_json_count(m->value);
    return info;
}

static hlm_status check_number(const char *call, const char *what, size_t i, size_t n)
{
    return i < n ? HLM_OK : hlmi_fail(HLM_E_ARG, "%s: %zu, the file has %zu %s", call, i, n, what);
}

HLMI_CALL(hlm_file_key, (const hlm_file *file, size_t i, hlm_file_key_info *info), (file, i, info))
{
    if (!file || !info) return hlmi_fail(HLM_E_ARG, "hlm_file_key: file and info are needed");
    HLMI_DO(check_number("hlm_file_key", "settings", i, file->n_keys));
    const hlmi_kv *kv = hlmi_store_kv_at(file->survey.store, i);
    const hlm_file_key_info full = kv ? metadata_info(kv) : member_info(&file->members[i]);
    return hlmi_result_write(info, &full, sizeof full, "hlm_file_key_info");
}

HLMI_CALL(hlm_file_value,
          (const hlm_file *file, size_t i, size_t max_items, char *out, size_t cap, size_t *n),
          (file, i, max_items, out, cap, n))
{
    hlmi_buf b;
    if (!file || !n || (!out && cap)) return hlmi_fail(HLM_E_ARG, "hlm_file_value: file, out and n are needed");
    HLMI_DO(check_number("hlm_file_value", "settings", i, file->n_keys));
    hlmi_buf_init(&b, &file->mem);
    const hlmi_kv *kv = hlmi_store_kv_at(file->survey.store, i);
    if (kv) hlmi_value_of_kv(&b, kv, max_items);
    else hlmi_value_of_json(&b, file->members[i].value, max_items);
    hlm_status st = hlmi_buf_status(&b, "a value");
    if (st == HLM_OK) st = hlmi_items_write(out, cap, n, b.data, b.len, 1, " bytes");
    hlmi_buf_free(&b);
    return st;
}

HLMI_CALL(hlm_file_tensor, (const hlm_file *file, size_t i, hlm_file_tensor_info *info), (file, i, info))
{
    if (!file || !info) return hlmi_fail(HLM_E_ARG, "hlm_file_tensor: file and info are needed");
    HLMI_DO(check_number("hlm_file_tensor", "tensors", i, file->n_tensors));
    const hlmi_tensor *t = hlmi_store_at(file->survey.store, i);
    hlm_file_tensor_info full = {
        .name = t->name,
        .type = t->unfit ? t->said.type : hlmi_type_get(t->type)->name,
        .n_dims = t->unfit ? t->said.n_dims : t->n_dims,
        .bytes = t->bytes,
        .part = hlmi_survey_file_of(&file->survey, t),
        .unfit = t->unfit ? t->unfit : "",
    };
    memcpy(full.dims, t->unfit ? t->said.dims : t->dims, full.n_dims * sizeof *full.dims);
    return hlmi_result_write(info, &full, sizeof full, "hlm_file_tensor_info");
}
