/* Settings from config.json or GGUF metadata. */
#include "arch/config.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

typedef struct found {
    const hlmi_json *json;
    const hlmi_kv *kv;
    char name[128]; /* as in the file */
} found;

static bool find(const hlmi_config *c, hlmi_key key, found *f)
{
    *f = (found){0};
    if (c->dialect == HLMI_HF) {
        if (!key.hf) return false;
        snprintf(f->name, sizeof f->name, "%s", key.hf);
        f->json = hlmi_json_given(c->json, key.hf);
        return f->json != NULL;
    }
    if (!key.gguf) return false;
    snprintf(f->name, sizeof f->name, "%s%s", key.gguf[0] == '.' ? c->arch : "", key.gguf);
    f->kv = hlmi_store_kv(c->store, f->name);
    return f->kv != NULL;
}

static hlm_status missing(const hlmi_config *c, hlmi_key key)
{
    const char *name = hlmi_key_in(key, c->dialect);
    return hlmi_fail(HLM_E_FORMAT, "%s: %s%s is missing", hlmi_store_path(c->store),
                     c->dialect == HLMI_GGUF && name && name[0] == '.' ? c->arch : "", name ? name : "a setting");
}

bool hlmi_config_has(const hlmi_config *c, hlmi_key key)
{
    found f;
    return find(c, key, &f);
}

static bool get_int(const found *f, size_t i, int64_t *out)
{
    if (f->kv) return hlmi_kv_i64(f->kv, i, out);
    const hlmi_json *v = hlmi_json_is(f->json, HLMI_JSON_ARRAY) ? hlmi_json_at(f->json, i) : f->json;
    return hlmi_json_int(v, INT64_MIN, INT64_MAX, out);
}

static hlm_status check_int(const hlmi_config *c, const found *f, size_t i, int64_t min, int64_t max, int64_t *out)
{
    int64_t v = 0;
    if (!get_int(f, i, &v)) return hlmi_fail(HLM_E_FORMAT, "%s: %s is no integer", hlmi_store_path(c->store), f->name);
    if (v < min || v > max)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is %lld, expected %lld to %lld", hlmi_store_path(c->store), f->name,
                         (long long)v, (long long)min, (long long)max);
    *out = v;
    return HLM_OK;
}

/* A GGUF file may have a setting as an array with the number of each layer: where there can be but one, they must be
 * equal. */
static hlm_status check_same(const hlmi_config *c, const found *f)
{
    double first = 0, v = 0;
    if (!f->kv || f->kv->type != HLMI_KV_ARRAY) return HLM_OK;
    const char *path = hlmi_store_path(c->store);
    if (!hlmi_kv_f64(f->kv, 0, &first))
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is an array %s", path, f->name,
                         f->kv->count ? "of something else than numbers" : "without numbers");
    for (uint64_t i = 1; i < f->kv->count; i++)
        if (!hlmi_kv_f64(f->kv, i, &v) || v != first)
            return hlmi_fail(HLM_E_UNSUPPORTED,
                             "%s: %s is %.17g for layer 0 and %.17g for layer %llu, which this version can not have "
                             "different",
                             path, f->name, first, v, (unsigned long long)i);
    return HLM_OK;
}

hlm_status hlmi_config_int(const hlmi_config *c, hlmi_key key, int64_t min, int64_t max, int64_t fallback, int64_t *out)
{
    found f;
    if (!find(c, key, &f)) {
        if (fallback < min || fallback > max) return missing(c, key);
        *out = fallback;
        return HLM_OK;
    }
    if (hlmi_json_is(f.json, HLMI_JSON_ARRAY))
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is an array, expected one number", hlmi_store_path(c->store), f.name);
    HLMI_DO(check_same(c, &f));
    return check_int(c, &f, 0, min, max, out);
}

hlm_status hlmi_config_size(const hlmi_config *c, hlmi_key key, int64_t max, int64_t fallback, size_t *out)
{
    int64_t v = 0;
    const hlm_status st = hlmi_config_int(c, key, 1, max, fallback, &v);
    *out = (size_t)v;
    return st;
}

/* Layers of a GGUF file that predict further tokens, which its lists count, too. */
static uint64_t further_layers(const hlmi_config *c)
{
    found f;
    int64_t n = 0;
    if (find(c, (hlmi_key){NULL, ".nextn_predict_layers"}, &f)) hlmi_kv_i64(f.kv, 0, &n);
    return n > 0 ? (uint64_t)n : 0;
}

hlm_status hlmi_config_int_at(const hlmi_config *c, hlmi_key key, size_t i, size_t count, int64_t min, int64_t max,
                              int64_t fallback, int64_t *out)
{
    found f;
    if (!find(c, key, &f)) return hlmi_config_int(c, key, min, max, fallback, out);
    const bool array = f.kv ? f.kv->type == HLMI_KV_ARRAY : hlmi_json_is(f.json, HLMI_JSON_ARRAY);
    if (!array) return check_int(c, &f, 0, min, max, out);
    const uint64_t n = f.kv ? f.kv->count : hlmi_json_count(f.json);
    if (n != count && n != count + further_layers(c))
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is an array of %llu for %zu layers", hlmi_store_path(c->store), f.name,
                         (unsigned long long)n, count);
    return check_int(c, &f, i, min, max, out);
}

hlm_status hlmi_config_float(const hlmi_config *c, hlmi_key key, double min, double max, double fallback, double *out)
{
    found f;
    double v = fallback;
    const bool there = find(c, key, &f);
    HLMI_DO(check_same(c, &f));
    if (!there) {
        if (!(fallback >= min && fallback <= max)) return missing(c, key);
    } else if (!(f.kv ? hlmi_kv_f64(f.kv, 0, &v) : hlmi_json_number(f.json, &v))) {
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is no number", hlmi_store_path(c->store), f.name);
    } else if (!(v >= min && v <= max)) {
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is %g, expected %g to %g", hlmi_store_path(c->store), f.name, v, min,
                         max);
    }
    *out = v;
    return HLM_OK;
}

hlm_status hlmi_config_bool(const hlmi_config *c, hlmi_key key, bool fallback, bool *out)
{
    found f;
    *out = fallback;
    if (!find(c, key, &f)) return HLM_OK;
    int64_t v = 0;
    HLMI_DO(check_same(c, &f));
    if (f.kv ? !hlmi_kv_i64(f.kv, 0, &v) || v < 0 || v > 1 : !hlmi_json_is(f.json, HLMI_JSON_BOOL))
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is neither true nor false", hlmi_store_path(c->store), f.name);
    *out = f.kv ? v != 0 : hlmi_json_is(f.json, HLMI_JSON_TRUE);
    return HLM_OK;
}

hlm_status hlmi_config_string(const hlmi_config *c, hlmi_key key, hlmi_str *out)
{
    found f;
    *out = (hlmi_str){0};
    if (!find(c, key, &f)) return HLM_OK;
    *out = f.kv ? hlmi_kv_str(f.kv) : hlmi_json_str(f.json);
    return out->s ? HLM_OK : hlmi_fail(HLM_E_FORMAT, "%s: %s is no string", hlmi_store_path(c->store), f.name);
}

hlm_status hlmi_config_array(const hlmi_config *c, const char *key, size_t count, const hlmi_json **out)
{
    const char *path = hlmi_store_path(c->store);
    const hlmi_json *v = *out = hlmi_json_given(c->json, key);
    if (!v || (hlmi_json_is(v, HLMI_JSON_ARRAY) && (count == HLMI_ANY || hlmi_json_count(v) == count))) return HLM_OK;
    if (count == HLMI_ANY) return hlmi_fail(HLM_E_FORMAT, "%s: %s is no array", path, key);
    return hlmi_fail(HLM_E_FORMAT, "%s: %s is no array of %zu", path, key, count);
}

hlm_status hlmi_config_choice_at(const hlmi_config *c, const char *key, size_t i, size_t count,
                                 const char *const *names, size_t n, size_t *out)
{
    const hlmi_json *items = NULL;
    HLMI_DO(hlmi_config_array(c, key, count, &items));
    if (!items) return HLM_OK;
    const char *item = hlmi_json_str(hlmi_json_at(items, i)).s;
    for (size_t k = 0; k < n && item; k++)
        if (strcmp(item, names[k]) == 0) {
            *out = k;
            return HLM_OK;
        }
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %s[%zu] is \"%.40s\", which is not known to this architecture",
                     hlmi_store_path(c->store), key, i, item ? item : "?");
}

hlm_status hlmi_config_list_has(const hlmi_config *c, const char *key, int64_t min, int64_t max, int64_t item,
                                bool *out)
{
    const hlmi_json *items = NULL;
    HLMI_DO(hlmi_config_array(c, key, HLMI_ANY, &items));
    if (items) *out = false;
    for (size_t i = 0; i < hlmi_json_count(items); i++) {
        int64_t v;
        if (!hlmi_json_int(hlmi_json_at(items, i), min, max, &v))
            return hlmi_fail(HLM_E_FORMAT, "%s: %s[%zu] is no integer from %lld to %lld", hlmi_store_path(c->store),
                             key, i, (long long)min, (long long)max);
        if (v == item) *out = true;
    }
    return HLM_OK;
}

hlm_status hlmi_config_numbers(const hlmi_config *c, const char *key, size_t n, double min, double max, double *out)
{
    const hlmi_json *items = NULL;
    HLMI_DO(hlmi_config_array(c, key, n, &items));
    for (size_t i = 0; i < hlmi_json_count(items); i++) {
        double v = 0.0;
        if (!hlmi_json_number(hlmi_json_at(items, i), &v) || !(v >= min && v <= max))
            return hlmi_fail(HLM_E_FORMAT, "%s: %s[%zu] is no number from %g to %g", hlmi_store_path(c->store), key, i,
                             min, max);
        out[i] = v;
    }
    return HLM_OK;
}
