/* Reading the parts of a tokenizer.json. */
#include "text/json_read.h"

#include <string.h>

bool hlmi_json_flag(const json_t *def, const char *key, bool missing)
{
    const json_t *v = json_object_get(def, key);
    return json_is_boolean(v) ? json_is_true(v) : missing;
}

static hlm_status copy_text(const hlmi_mem *mem, const json_t *v, char **s, size_t *len)
{
    *len = json_string_length(v);
    *s = hlmi_strndup(mem, json_string_value(v), *len);
    return *s ? HLM_OK : hlmi_nomem(*len, "tokenizer");
}

hlm_status hlmi_json_text(const hlmi_mem *mem, const json_t *def, const char *key, char **s, size_t *len)
{
    const json_t *v = json_object_get(def, key);
    if (!json_is_string(v)) return hlmi_fail(HLM_E_FORMAT, "\"%s\" is no string", key);
    return copy_text(mem, v, s, len);
}

hlm_status hlmi_json_pattern(const hlmi_mem *mem, const json_t *def, char **s, size_t *len, hlmi_regex *re)
{
    const json_t *v = json_object_get(def, "pattern");
    const json_t *regex = json_object_get(v, "Regex"), *literal = json_object_get(v, "String");
    if (json_is_string(v)) literal = v; /* an older spelling */
    if (!json_is_string(regex) && !json_is_string(literal))
        return hlmi_fail(HLM_E_FORMAT, "\"pattern\" holds neither a String nor a Regex");
    const hlm_status st = copy_text(mem, json_is_string(regex) ? regex : literal, s, len);
    if (st != HLM_OK || !json_is_string(regex)) return st;
    return hlmi_regex_compile(re, mem, *s, *len);
}

static hlm_status walk(const json_t *def, const char *what, const char *members, const hlmi_mem *mem,
                       hlmi_step_fn *step, void *list, int depth)
{
    if (!def || json_is_null(def)) return HLM_OK;
    const char *kind = json_string_value(json_object_get(def, "type"));
    if (!kind) return hlmi_fail(HLM_E_FORMAT, "a %s without \"type\"", what);
    if (strcmp(kind, "Sequence") != 0) {
        const hlm_status st = step(list, mem, kind, def);
        return st == HLM_OK ? st : hlmi_fail_prefix(st, "%s %.40s: ", what, kind);
    }
    const json_t *v = json_object_get(def, members);
    if (!json_is_array(v)) return hlmi_fail(HLM_E_FORMAT, "%s Sequence: \"%s\" is no list", what, members);
    if (depth >= 16) return hlmi_fail(HLM_E_LIMIT, "%s: sequences nested deeper than 16", what);
    for (size_t i = 0; i < json_array_size(v); i++) {
        const hlm_status st = walk(json_array_get(v, i), what, members, mem, step, list, depth + 1);
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}

hlm_status hlmi_json_steps(const json_t *def, const char *what, const char *members, const hlmi_mem *mem,
                           hlmi_step_fn *step, void *list)
{
    return walk(def, what, members, mem, step, list, 0);
}
