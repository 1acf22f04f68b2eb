/* What a tokenizer puts around a text: all kinds of post-processor come down to ids in front and ids behind. A later
 * one in a sequence wraps the earlier. */
#include "text/tokenizer_impl.h"

#include <string.h>

#include "text/json_read.h"

static hlm_status insert(hlmi_ids *ids, size_t at, int32_t id)
{
    HLMI_DO(hlmi_ids_push(ids, id));
    memmove(ids->v + at + 1, ids->v + at, (ids->n - 1 - at) * sizeof *ids->v);
    ids->v[at] = id;
    return HLM_OK;
}

static hlm_status checked_id(const hlmi_tokenizer *t, const hlmi_json *v, int32_t *id)
{
    int64_t i = -1;
    hlmi_json_int(v, INT64_MIN, INT64_MAX, &i);
    if (i < 0 || (size_t)i >= t->tokens.n)
        return hlmi_fail(HLM_E_FORMAT, "the id %lld is not in the vocabulary", (long long)i);
    *id = (int32_t)i;
    return HLM_OK;
}

/* TemplateProcessing: a list of {"SpecialToken": {"id": name}} and one {"Sequence": ...}. */
static hlm_status read_template(hlmi_tokenizer *t, const hlmi_json *def)
{
    const hlmi_json *list = hlmi_json_get(def, "single"), *item, *names = hlmi_json_get(def, "special_tokens");
    bool behind = false;
    size_t at = 0;
    for (size_t i = 0; (item = hlmi_json_at(list, i)) != NULL; i++) {
        if (hlmi_json_get(item, "Sequence")) {
            if (behind) return hlmi_fail(HLM_E_UNSUPPORTED, "a template that names the text twice");
            behind = true;
            continue;
        }
        const char *name = hlmi_json_string(hlmi_json_get(item, "SpecialToken"), "id");
        const hlmi_json *ids = hlmi_json_get(name ? hlmi_json_get(names, name) : NULL, "ids");
        if (!hlmi_json_is(ids, HLMI_JSON_ARRAY))
            return hlmi_fail(HLM_E_FORMAT, "special token '%.80s' is not defined", name ? name : "?");
        for (hlmi_json_iter k = {0}; hlmi_json_next(ids, &k);) {
            int32_t id = 0;
            HLMI_DO(checked_id(t, k.value, &id));
            HLMI_DO(behind ? hlmi_ids_push(&t->post.suffix, id) : insert(&t->post.prefix, at++, id));
        }
    }
    return behind ? HLM_OK : hlmi_fail(HLM_E_FORMAT, "\"single\" has no place for the text");
}

/* Bert and Roberta: "cls": [text, id] in front, "sep" behind. */
static hlm_status read_cls_sep(hlmi_tokenizer *t, const hlmi_json *def)
{
    int32_t cls = 0, sep = 0;
    HLMI_DO(checked_id(t, hlmi_json_at(hlmi_json_get(def, "cls"), 1), &cls));
    HLMI_DO(checked_id(t, hlmi_json_at(hlmi_json_get(def, "sep"), 1), &sep));
    HLMI_DO(insert(&t->post.prefix, 0, cls));
    return hlmi_ids_push(&t->post.suffix, sep);
}

static hlm_status read_step(void *list, const hlmi_mem *mem, const char *kind, const hlmi_json *def)
{
    (void)mem;
    if (strcmp(kind, "ByteLevel") == 0) return HLM_OK; /* changes offsets only */
    if (strcmp(kind, "TemplateProcessing") == 0) return read_template(list, def);
    if (strcmp(kind, "BertProcessing") == 0 || strcmp(kind, "RobertaProcessing") == 0) return read_cls_sep(list, def);
    return hlmi_fail(HLM_E_UNSUPPORTED, "not supported");
}

hlm_status hlmi_post_read(hlmi_tokenizer *t, const hlmi_json *def)
{
    return hlmi_json_steps(def, "post-processor", "processors", &t->mem, read_step, t);
}
