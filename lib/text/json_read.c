/* Reading the parts of a tokenizer.json. */
#include "text/json_read.h"

#include <string.h>

#include "text/tokenizer_impl.h"

hlm_status hlmi_json_text(const hlmi_mem *mem, const hlmi_json *def, const char *key, char **s, size_t *len)
{
    const hlmi_str text = hlmi_json_str(hlmi_json_get(def, key));
    if (!text.s) return hlmi_fail(HLM_E_FORMAT, "\"%s\" is no string", key);
    *len = text.len;
    *s = hlmi_strndup(mem, text.s, text.len);
    return *s ? HLM_OK : hlmi_nomem(*len, "tokenizer");
}

hlm_status hlmi_json_pattern(const hlmi_mem *mem, const hlmi_json *def, hlmi_pattern *p)
{
    const hlmi_json *v = hlmi_json_get(def, "pattern");
    const hlmi_str regex = hlmi_json_str(hlmi_json_get(v, "Regex")), own = hlmi_json_str(v);
    const hlmi_str literal = own.s ? own /* an older spelling */ : hlmi_json_str(hlmi_json_get(v, "String"));
    if (!regex.s && !literal.s) return hlmi_fail(HLM_E_FORMAT, "\"pattern\" holds neither a String nor a Regex");
    return hlmi_pattern_set(p, mem, regex.s ? regex : literal, regex.s != NULL);
}

static hlm_status walk(const hlmi_json *def, const char *what, const char *members, const hlmi_mem *mem,
                       hlmi_step_fn *step, void *list, int depth)
{
    if (hlmi_json_is(def, HLMI_JSON_ABSENT | HLMI_JSON_NULL)) return HLM_OK;
    const char *kind = hlmi_json_string(def, "type");
    if (!kind) return hlmi_fail(HLM_E_FORMAT, "a %s without \"type\"", what);
    if (strcmp(kind, "Sequence") != 0) {
        const hlm_status st = step(list, mem, kind, def);
        return st == HLM_OK ? st : hlmi_fail_prefix(st, "%s %.40s: ", what, kind);
    }
    const hlmi_json *v = hlmi_json_get(def, members);
    if (!hlmi_json_is(v, HLMI_JSON_ARRAY))
        return hlmi_fail(HLM_E_FORMAT, "%s Sequence: \"%s\" is no list", what, members);
    if (depth >= 16) return hlmi_fail(HLM_E_LIMIT, "%s: sequences nested deeper than 16", what);
    for (hlmi_json_iter i = {0}; hlmi_json_next(v, &i);)
        HLMI_DO(walk(i.value, what, members, mem, step, list, depth + 1));
    return HLM_OK;
}

hlm_status hlmi_json_steps(const hlmi_json *def, const char *what, const char *members, const hlmi_mem *mem,
                           hlmi_step_fn *step, void *list)
{
    return walk(def, what, members, mem, step, list, 0);
}

/* ---- stages of a tokenizer ---- */

hlm_status hlmi_stages_read(hlmi_tokenizer *t, const char *json)
{
    hlmi_json *root = NULL;
    hlm_status st;
    HLMI_TRY(hlmi_json_parse(&root, &t->mem, HLMI_JSON_SETTINGS, json, strlen(json), "stages"));
    HLMI_TRY(hlmi_norms_read(&t->norms, &t->mem, hlmi_json_get(root, "normalizer")));
    HLMI_TRY(hlmi_pretoks_read(&t->pretoks, &t->mem, hlmi_json_get(root, "pre_tokenizer")));
    HLMI_TRY(hlmi_decode_steps_read(&t->decode, &t->mem, hlmi_json_get(root, "decoder")));
done:
    hlmi_json_free(root);
    return st;
}

#define SPACE "\xE2\x96\x81"

hlm_status hlmi_stages_mark_spaces(hlmi_tokenizer *t, bool prefix)
{
    if (prefix) HLMI_DO(hlmi_stages_read(t, "{\"normalizer\": {\"type\": \"Prepend\", \"prepend\": \"" SPACE "\"}}"));
    return hlmi_stages_read(
        t, "{\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"" SPACE "\"}}");
}

hlm_status hlmi_stages_decode_spaces(hlmi_tokenizer *t, bool prefix)
{
    HLMI_DO(
        hlmi_stages_read(t,
                         "{\"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Replace\", \"pattern\": "
                         "{\"String\": \"" SPACE "\"}, \"content\": \" \"},"
                         "{\"type\": \"ByteFallback\"}, {\"type\": \"Fuse\"}]}}"));
    if (!prefix) return HLM_OK;
    return hlmi_stages_read(t, "{\"decoder\": {\"type\": \"Strip\", \"content\": \" \", \"start\": 1, \"stop\": 0}}");
}
