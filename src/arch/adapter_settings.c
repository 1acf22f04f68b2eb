/* Reading adapter_config.json (PEFT 0.21, tuners/lora/config.py) and the metadata of GGUF adapters (llama.cpp,
 * llama-adapter.cpp). */
#include "arch/adapter_settings.h"

#include <string.h>

#include "arch/arch.h"
#include "arch/loader.h"
#include "base/size.h"

#define HUGE 1e9 /* no setting is */

typedef struct reading {
    const hlmi_adapter_file *f;
    const hlmi_mem *mem;
    const char *path;
    hlmi_config c;
    hlmi_adapter_settings *s;
} reading;

/* ---- adapter_config.json ---- */

/* What a setting may hold. */
enum {
    STRING = HLMI_JSON_STRING,
    NUMBER = HLMI_JSON_INT | HLMI_JSON_REAL,
    BOOL = HLMI_JSON_BOOL,
    OBJECT = HLMI_JSON_OBJECT,
    READ = HLMI_JSON_ABSENT /* whoever reads it says */
};

/* Settings with a meaning, which are read, and those that mean nothing for what a trained adapter computes: where it
 * comes from, how it was trained, on which it was split. */
static const struct {
    const char *key;
    unsigned kinds;
} known[] = {{"peft_type", READ},
             {"r", READ},
             {"lora_alpha", READ},
             {"use_rslora", READ},
             {"use_dora", READ},
             {"alpha_pattern", READ},
             {"rank_pattern", READ},
             {"target_modules", READ},
             {"exclude_modules", READ},
             {"layers_to_transform", READ},
             {"layers_pattern", READ},
             {"init_lora_weights", READ},
             {"alora_invocation_tokens", READ},
             {"bias", READ},
             {"task_type", STRING},
             {"auto_mapping", OBJECT},
             {"base_model_name_or_path", STRING},
             {"revision", STRING},
             {"peft_version", STRING},
             {"inference_mode", BOOL},
             {"lora_dropout", NUMBER},
             {"megatron_core", STRING},
             {"qalora_group_size", NUMBER},
             {"merge_weights", BOOL},
             {"runtime_config", OBJECT},
             {"loftq_config", OBJECT},
             {"eva_config", OBJECT},
             {"corda_config", OBJECT},
             {"lora_ga_config", OBJECT}};

/* ": 'text'" of a value that is short enough to be shown. */
static const char *shown(const hlmi_json *v)
{
    const char *s = hlmi_json_str(v).s;
    return s ? s : hlmi_json_is(v, HLMI_JSON_TRUE) ? "true" : "a value";
}

static hlm_status check_known(const reading *r)
{
    for (hlmi_json_iter it = {0}; hlmi_json_next(r->c.json, &it);) {
        const char *key = it.key.s;
        unsigned kinds = 0;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (strcmp(known[i].key, key) == 0) kinds = known[i].kinds;
        if (hlmi_json_off(it.value) || kinds == READ || hlmi_json_is(it.value, kinds)) continue;
        if (kinds)
            return hlmi_fail(HLM_E_FORMAT, "%s: adapter_config.json: %s is of a kind that it can not be", r->path, key);
        return hlmi_fail(HLM_E_UNSUPPORTED,
                         "%s: adapter_config.json: %.80s is set (%.40s), which this version does not know", r->path,
                         key, shown(it.value));
    }
    return HLM_OK;
}

/* A setting of which one string means that there is nothing. */
static hlm_status check_word(const reading *r, hlmi_key key, const char *expected)
{
    hlmi_str v;
    HLMI_DO(hlmi_config_string(&r->c, key, &v));
    if (v.s && v.len == strlen(expected) && memcmp(v.s, expected, v.len) == 0) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %s is '%.*s', expected '%s'", r->path, hlmi_key_in(key, r->c.dialect),
                     v.s ? (int)hlmi_min_size(v.len, 40) : 0, v.s ? v.s : "", expected);
}

/* Biases beside the matrices: "none", as null, false and empty ones mean. */
static hlm_status check_bias(const reading *r)
{
    const hlmi_json *v = hlmi_json_get(r->c.json, "bias");
    const char *s = hlmi_json_str(v).s;
    if (hlmi_json_off(v) || (s && strcmp(s, "none") == 0)) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED,
                     "%s: adapter_config.json: bias is set (%.40s), which this version does not know", r->path,
                     shown(v));
}

/* How training began. Some ways take from the model's weights what A and B begin with: what such an adapter has learned
 * is the difference to a model that is not this one. */
static hlm_status check_init(const reading *r)
{
    static const char *const kept[] = {"gaussian", "eva", "orthogonal", "mica"};
    const hlmi_json *v = hlmi_json_get(r->c.json, "init_lora_weights");
    if (hlmi_json_off(v) || hlmi_json_is(v, HLMI_JSON_TRUE)) return HLM_OK;
    const char *s = hlmi_json_is(v, HLMI_JSON_STRING) ? hlmi_json_str(v).s : "";
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        size_t n = 0;
        while (s[n] && (s[n] | 0x20) == kept[i][n]) n++;
        if (!s[n] && !kept[i][n]) return HLM_OK;
    }
    return hlmi_fail(
        HLM_E_UNSUPPORTED,
        "%s: adapter_config.json: init_lora_weights is '%.40s': the adapter belongs to changed weights of the "
        "model (PEFT saves it for the model's own with path_initial_model_for_weight_conversion)",
        r->path, *s ? s : shown(v));
}

/* n invocation tokens, of which token `i` is what item says. */
typedef bool item_fn(const reading *r, size_t i, int64_t *token);

static hlm_status take_invocation(const reading *r, const char *key, size_t n, item_fn *item)
{
    if (n > HLMI_MOST_INVOCATION)
        return hlmi_fail(HLM_E_LIMIT, "%s: %s has %zu tokens, can have up to %d", r->path, key, n,
                         HLMI_MOST_INVOCATION);
    if (n == 0) return HLM_OK;
    r->s->invocation = hlmi_alloc(r->mem, n * sizeof *r->s->invocation);
    if (!r->s->invocation) return hlmi_nomem(n * sizeof *r->s->invocation, key);
    for (size_t i = 0; i < n; i++) {
        int64_t token = -1;
        if (!item(r, i, &token)) return hlmi_fail(HLM_E_FORMAT, "%s: %s[%zu] is no integer", r->path, key, i);
        if (token < 0 || (uint64_t)token >= r->f->plan->vocab_size)
            return hlmi_fail(HLM_E_TOKEN, "%s: %s[%zu] is %lld, the vocabulary has %zu", r->path, key, i,
                             (long long)token, r->f->plan->vocab_size);
        r->s->invocation[i] = (int32_t)token;
    }
    r->s->n_invocation = n;
    return HLM_OK;
}

static bool json_item(const reading *r, size_t i, int64_t *token)
{
    const hlmi_json *v = hlmi_json_at(hlmi_json_get(r->c.json, "alora_invocation_tokens"), i);
    return hlmi_json_int(v, INT64_MIN, INT64_MAX, token);
}

static hlm_status read_invocation(const reading *r)
{
    const hlmi_json *v = hlmi_json_get(r->c.json, "alora_invocation_tokens");
    if (hlmi_json_off(v)) return HLM_OK;
    if (!hlmi_json_is(v, HLMI_JSON_ARRAY))
        return hlmi_fail(HLM_E_FORMAT, "%s: adapter_config.json: alora_invocation_tokens is no list", r->path);
    if (r->s->dora)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: adapter_config.json: alora_invocation_tokens beside use_dora",
                         r->path);
    return take_invocation(r, "adapter_config.json: alora_invocation_tokens", hlmi_json_count(v), json_item);
}

static hlm_status read_peft(const reading *r)
{
    hlmi_adapter_settings *s = r->s;
    HLMI_DO(check_word(r, (hlmi_key){"peft_type", NULL}, "LORA"));
    HLMI_DO(check_known(r));
    HLMI_DO(check_bias(r));
    HLMI_DO(check_init(r));
    HLMI_DO(hlmi_config_int(&r->c, (hlmi_key){"r", NULL}, 1, HLMI_LOW_MAX, 0, &s->rank));
    HLMI_DO(hlmi_config_float(&r->c, (hlmi_key){"lora_alpha", NULL}, -1e6, 1e6, HUGE, &s->alpha));
    HLMI_DO(hlmi_config_bool(&r->c, (hlmi_key){"use_rslora", NULL}, false, &s->root));
    HLMI_DO(hlmi_config_bool(&r->c, (hlmi_key){"use_dora", NULL}, false, &s->dora));
    HLMI_DO(hlmi_adapter_match_open(&s->match, r->mem, r->c.json, r->path));
    return read_invocation(r);
}

/* ---- GGUF ---- */

#define INVOCATION "adapter.alora.invocation_tokens"

/* Keys besides the descriptions of general.*. */
static hlm_status check_keys(const reading *r)
{
    static const char *const keys[] = {"adapter.type", "adapter.lora.alpha", "adapter.lora.task_name",
                                       "adapter.lora.prompt_prefix", INVOCATION};
    const hlmi_kv *kv;
    for (size_t i = 0; (kv = hlmi_store_kv_at(r->f->store, i)) != NULL; i++) {
        bool found = strncmp(kv->key, "general.", 8) == 0;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) found = found || strcmp(kv->key, keys[k]) == 0;
        if (!found)
            return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %.80s is set, which this version does not know", r->path, kv->key);
    }
    return HLM_OK;
}

static bool kv_item(const reading *r, size_t i, int64_t *token)
{
    return hlmi_kv_i64(hlmi_store_kv(r->f->store, INVOCATION), i, token);
}

/* It is of the model's architecture, by the names that GGUF files have for that. */
static hlm_status check_arch(const reading *r)
{
    const hlmi_key key = {NULL, "general.architecture"};
    const hlmi_dialect own = r->f->plan->weights[0]->dialect; /* all of a model's are of one */
    const hlmi_arch *arch = hlmi_arch_named(r->f->arch, own);
    const char *name = r->f->arch;
    hlmi_str found;
    if (own == HLMI_GGUF || !arch) return check_word(r, key, name);
    HLMI_DO(hlmi_config_string(&r->c, key, &found));
    for (size_t i = 0; i < sizeof arch->also / sizeof *arch->also; i++) {
        const char *other = arch->also[i];
        if (other && found.s && found.len == strlen(other) && memcmp(found.s, other, found.len) == 0) return HLM_OK;
    }
    if (arch->name.gguf || arch->also[0]) name = arch->name.gguf ? arch->name.gguf : arch->also[0];
    return check_word(r, key, name);
}

static hlm_status read_gguf(const reading *r)
{
    HLMI_DO(check_word(r, (hlmi_key){NULL, "general.type"}, "adapter"));
    HLMI_DO(check_word(r, (hlmi_key){NULL, "adapter.type"}, "lora"));
    HLMI_DO(check_arch(r));
    HLMI_DO(check_keys(r));
    HLMI_DO(hlmi_config_float(&r->c, (hlmi_key){NULL, "adapter.lora.alpha"}, -1e6, 1e6, HUGE, &r->s->alpha));
    const hlmi_kv *tokens = hlmi_store_kv(r->f->store, INVOCATION);
    if (tokens && tokens->type != HLMI_KV_ARRAY)
        return hlmi_fail(HLM_E_FORMAT, "%s: " INVOCATION " is no list", r->path);
    if (tokens)
        HLMI_DO(take_invocation(r, INVOCATION, (size_t)hlmi_min_size((size_t)tokens->count, SIZE_MAX), kv_item));
    return HLM_OK;
}

hlm_status hlmi_adapter_settings_read(hlmi_adapter_settings *s, const hlmi_adapter_file *f, const hlmi_mem *mem)
{
    const reading r = {
        .f = f, .mem = mem, .path = hlmi_store_path(f->store), .c = hlmi_loader_settings(f->store), .s = s};
    *s = (hlmi_adapter_settings){.dialect = r.c.dialect, .match = {.mem = *mem}};
    return s->dialect == HLMI_GGUF ? read_gguf(&r) : read_peft(&r);
}

void hlmi_adapter_settings_free(hlmi_adapter_settings *s, const hlmi_mem *mem)
{
    hlmi_adapter_match_close(&s->match);
    hlmi_free(mem, s->invocation);
}
