/* Named chat templates: a list in tokenizer_config.json or chat_template.json, files in
 * additional_chat_templates/, keys tokenizer.chat_template.NAME of a GGUF file. */
#include "api/templates.h"

#include <string.h>

#include "base/json.h"
#include "base/size.h"
#include "text/builtin.h"

enum { TEXT_MAX = 4 << 20, CONFIG_MAX = 256 << 20, NAME_MAX = 64, TEMPLATES_MAX = 64 };

bool hlmi_templates_has(const hlmi_templates *ts, const char *name)
{
    for (size_t i = 0; i < ts->n; i++)
        if (strcmp(ts->v[i].name, name) == 0) return true;
    return false;
}

/* The first of a name stays. */
static hlm_status add(hlmi_templates *ts, const hlmi_mem *mem, hlmi_str name, hlmi_str text)
{
    void *v = ts->v;
    char copy[NAME_MAX + 1];
    if (name.len == 0 || name.len > NAME_MAX || ts->n == TEMPLATES_MAX) return HLM_OK;
    memcpy(copy, name.s, name.len);
    copy[name.len] = '\0';
    if (hlmi_templates_has(ts, copy)) return HLM_OK;
    const hlm_status st = hlmi_grow(mem, &v, &ts->cap, ts->n + 1, sizeof *ts->v, "chat templates");
    ts->v = v;
    if (st != HLM_OK) return st;
    ts->v[ts->n] = (hlmi_named_text){hlmi_strndup(mem, copy, name.len), hlmi_strndup(mem, text.s, text.len)};
    const hlmi_named_text *t = &ts->v[ts->n++];
    return t->name && t->text ? HLM_OK : hlmi_nomem(text.len, "a chat template");
}

/* ---- GGUF ---- */

static bool string_key(const hlmi_store *s, const char *key, hlmi_str *out)
{
    size_t cursor = 0;
    const hlmi_kv *kv = hlmi_store_kv(s, key);
    return kv && kv->type == HLMI_KV_STRING && hlmi_kv_next_string(kv, &cursor, &out->s, &out->len);
}

static hlm_status load_gguf(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_store *s)
{
    static const char prefix[] = "tokenizer.chat_template.";
    const hlmi_kv *names = hlmi_store_kv(s, "tokenizer.chat_templates");
    hlm_status st = HLM_OK;
    hlmi_str name, text;
    size_t cursor = 0;
    if (!names || names->type != HLMI_KV_ARRAY || names->item != HLMI_KV_STRING) return HLM_OK;
    while (st == HLM_OK && hlmi_kv_next_string(names, &cursor, &name.s, &name.len)) {
        char key[sizeof prefix + NAME_MAX];
        if (name.len > NAME_MAX || memchr(name.s, '\0', name.len)) continue;
        memcpy(key, prefix, sizeof prefix - 1);
        memcpy(key + sizeof prefix - 1, name.s, name.len);
        key[sizeof prefix - 1 + name.len] = '\0';
        if (string_key(s, key, &text)) st = add(ts, mem, name, text);
    }
    return st;
}

/* ---- Hugging Face folders ---- */

/* The list form [{"name", "template"}, ...] in a JSON side file. */
static hlm_status load_list(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_store *s, const char *file)
{
    char *json = NULL;
    size_t len;
    json_t *root = NULL;
    hlm_status st = hlmi_store_side_file(s, file, CONFIG_MAX, &json, &len);
    if (st == HLM_OK && json) st = hlmi_json_parse(mem, json, len, false, file, &root);
    const json_t *list = json_object_get(root, "chat_template");
    for (size_t i = 0; st == HLM_OK && i < json_array_size(list); i++) {
        const json_t *name = json_object_get(json_array_get(list, i), "name");
        const json_t *text = json_object_get(json_array_get(list, i), "template");
        if (!json_is_string(name) || !json_is_string(text)) continue;
        st = add(ts, mem, (hlmi_str){json_string_value(name), json_string_length(name)},
                 (hlmi_str){json_string_value(text), json_string_length(text)});
    }
    json_decref(root);
    hlmi_free(mem, json);
    return st;
}

/* Folders can not be listed through the caller's callbacks: the names in use are tried. */
static hlm_status load_folder(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_store *s)
{
    static const char *const files[][2] = {{"tool_use", "additional_chat_templates/tool_use.jinja"},
                                           {"rag", "additional_chat_templates/rag.jinja"},
                                           {"default", "additional_chat_templates/default.jinja"}};
    hlm_status st = HLM_OK;
    for (size_t i = 0; st == HLM_OK && i < sizeof files / sizeof *files; i++) {
        char *text = NULL;
        size_t len;
        st = hlmi_store_side_file(s, files[i][1], TEXT_MAX, &text, &len);
        if (st == HLM_OK && text)
            st = add(ts, mem, (hlmi_str){files[i][0], strlen(files[i][0])}, (hlmi_str){text, len});
        hlmi_free(mem, text);
    }
    if (st == HLM_OK) st = load_list(ts, mem, s, "chat_template.json");
    if (st == HLM_OK) st = load_list(ts, mem, s, "tokenizer_config.json");
    return st;
}

/* ---- both ---- */

hlm_status hlmi_templates_load(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_store *s)
{
    const bool gguf = hlmi_store_container(s) == HLMI_STORE_GGUF;
    hlmi_str arch = {"", 0};
    const json_t *type = gguf ? NULL : json_object_get(hlmi_store_config(s), "model_type");
    if (gguf) string_key(s, "general.architecture", &arch);
    else if (json_is_string(type)) arch = (hlmi_str){json_string_value(type), json_string_length(type)};
    ts->arch = hlmi_strndup(mem, arch.s, arch.len);
    if (!ts->arch) return hlmi_nomem(arch.len, "a name");
    return gguf ? load_gguf(ts, mem, s) : load_folder(ts, mem, s);
}

void hlmi_templates_free(hlmi_templates *ts, const hlmi_mem *mem)
{
    for (size_t i = 0; i < ts->n; i++) {
        hlmi_free(mem, ts->v[i].name);
        hlmi_free(mem, ts->v[i].text);
    }
    hlmi_free(mem, ts->v);
    hlmi_free(mem, ts->arch);
    *ts = (hlmi_templates){0};
}

void hlmi_templates_find(const hlmi_templates *ts, const hlmi_tokenizer *t, const char *name, hlmi_str *out)
{
    *out = (hlmi_str){NULL, 0};
    for (size_t i = 0; name && i < ts->n; i++) {
        if (strcmp(ts->v[i].name, name) != 0) continue;
        *out = (hlmi_str){ts->v[i].text, strlen(ts->v[i].text)};
        return;
    }
    const hlmi_builtin *b = name ? hlmi_builtin_find(name) : hlmi_builtin_for(ts->arch ? ts->arch : "", t);
    if (b) *out = (hlmi_str){b->text, b->len};
}
