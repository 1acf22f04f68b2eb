/* Cases for tokenizer.model: what a SentencePiece model lacks of the tokenizer.json beside it, and what SentencePiece
 * itself answers. */
#include <stdlib.h>
#include <string.h>

#include "text/cases.h"

json_t *cases_missing_tokens(const char *folder, const hlmi_tokenizer *tok)
{
    size_t len, i;
    char *text = cases_slurp(folder, "tokenizer.json", &len);
    json_t *root = text ? json_loadb(text, len, JSON_ALLOW_NUL, NULL) : NULL, *missing = json_array(), *v;
    json_array_foreach(json_object_get(root, "added_tokens"), i, v)
    {
        json_t *content = json_object_get(v, "content");
        if (hlmi_tokenizer_find(tok, json_string_value(content), json_string_length(content)) < 0)
            json_array_append(missing, content);
    }
    json_decref(root);
    free(text);
    return missing;
}

bool cases_needs_missing(const json_t *missing, const hlmi_tokenizer *tok, const json_t *c)
{
    size_t i;
    json_t *v;
    const char *text = json_string_value(json_object_get(c, "text"));
    if (!missing) return false;
    json_array_foreach(missing, i, v)
    {
        if (text && strstr(text, json_string_value(v))) return true;
    }
    json_array_foreach(json_object_get(c, "ids"), i, v)
    {
        if (json_integer_value(v) >= hlmi_tokenizer_size(tok)) return true;
    }
    return false;
}

bool cases_spells_special(const hlmi_tokenizer *tok, const char *text)
{
    for (int32_t id = 0; id < hlmi_tokenizer_size(tok); id++) {
        char name[256] = "";
        const hlmi_str s = hlmi_tokenizer_text(tok, id);
        if (!hlmi_tokenizer_is_special(tok, id) || s.len == 0 || s.len >= sizeof name) continue;
        memcpy(name, s.s, s.len);
        if (strstr(text, name)) return true;
    }
    return false;
}

static bool begins_at(const json_t *ids, const json_t *part, size_t at)
{
    for (size_t i = 0; i < json_array_size(part); i++)
        if (!json_equal(json_array_get(ids, at + i), json_array_get(part, i))) return false;
    return true;
}

json_t *cases_spliced(const json_t *ids, const json_t *from, const json_t *to)
{
    size_t at = 0;
    const size_t n = json_array_size(ids), k = json_array_size(from);
    while (at + k <= n && !begins_at(ids, from, at)) at++;
    if (at + k > n) return NULL;
    json_t *out = json_array();
    for (size_t i = 0; i < at; i++) json_array_append(out, json_array_get(ids, i));
    json_array_extend(out, (json_t *)(uintptr_t)to);
    for (size_t i = at + k; i < n; i++) json_array_append(out, json_array_get(ids, i));
    return out;
}
