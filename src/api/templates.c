/* A model's chat templates and which of them is used: files *.jinja, the key chat_template of JSON files in its three
 * forms, keys of a GGUF file. What is there and is no template is an error: another one in its place would go
 * unnoticed. */
#include "api/templates.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/size.h"
#include "chat/builtin.h"

enum { TEXT_MAX = 4 << 20, CONFIG_MAX = 256 << 20, NAME_MAX = 64, TEMPLATES_MAX = 64 };

static const char default_name[] = "default", tool_name[] = "tool_use";

hlmi_named_text *hlmi_templates_find(const hlmi_templates *ts, const char *name)
{
    for (size_t i = 0; i < ts->n; i++)
        if (strcmp(ts->v[i].name, name) == 0) return &ts->v[i];
    return NULL;
}

static hlm_status set_text(hlmi_named_text *t, const hlmi_mem *mem, hlmi_str text)
{
    hlmi_free(mem, t->text);
    t->len = text.len;
    t->text = hlmi_strndup(mem, text.s, text.len);
    return t->text ? HLM_OK : hlmi_nomem(text.len, "a chat template");
}

/* Of two places the first says what a name means, of one place (the templates from `from` on) the last. */
static hlm_status add(hlmi_templates *ts, const hlmi_mem *mem, size_t from, hlmi_str name, hlmi_str text)
{
    char copy[NAME_MAX + 1];
    if (name.len == 0 || name.len > NAME_MAX || memchr(name.s, '\0', name.len))
        return hlmi_fail(HLM_E_FORMAT, "a chat template is called '%.*s', %zu bytes; expected 1 to %d",
                         (int)hlmi_min_size(name.len, NAME_MAX), name.s, name.len, NAME_MAX);
    memcpy(copy, name.s, name.len);
    copy[name.len] = '\0';
    if (text.len > TEXT_MAX)
        return hlmi_fail(HLM_E_LIMIT, "chat template '%s' has %zu bytes; at most %d", copy, text.len, TEXT_MAX);
    hlmi_named_text *same = hlmi_templates_find(ts, copy);
    if (same) return same < ts->v + from ? HLM_OK : set_text(same, mem, text);
    if (ts->n == TEMPLATES_MAX)
        return hlmi_fail(HLM_E_LIMIT, "chat template '%s': more than %d are there", copy, TEMPLATES_MAX);
    HLMI_DO(HLMI_GROW(mem, ts->v, ts->cap, ts->n + 1, "chat templates"));
    hlmi_named_text *t = &ts->v[ts->n++];
    *t = (hlmi_named_text){.name = hlmi_strndup(mem, copy, name.len)};
    return t->name ? set_text(t, mem, text) : hlmi_nomem(name.len, "a chat template");
}

static hlmi_str str(const char *s)
{
    return (hlmi_str){s, strlen(s)};
}

/* ---- GGUF ---- */

/* The list of names says nothing that the keys do not. */
static hlm_status load_keys(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_store *s)
{
    static const char key[] = "tokenizer.chat_template", list[] = "tokenizer.chat_templates";
    const size_t n = sizeof key - 1;
    const hlmi_kv *kv = hlmi_store_kv(s, list);
    hlmi_str text;
    if (kv && (kv->type != HLMI_KV_ARRAY || kv->item != HLMI_KV_STRING))
        return hlmi_fail(HLM_E_FORMAT, "%s: is no array of strings", list);
    HLMI_DO(hlmi_store_kv_text(s, key, &text));
    if (text.len) HLMI_DO(add(ts, mem, 0, str(default_name), text));
    for (size_t i = 0; (kv = hlmi_store_kv_at(s, i)) != NULL; i++) {
        if (strncmp(kv->key, key, n) != 0 || kv->key[n] != '.') continue;
        HLMI_DO(hlmi_store_kv_text(s, kv->key, &text));
        HLMI_DO(add(ts, mem, ts->n, str(kv->key + n + 1), text));
    }
    return HLM_OK;
}

/* ---- Hugging Face folders ---- */

/* [{"name": ..., "template": ...}, ...], or {name: text, ...} */
static hlm_status add_all(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_json *all)
{
    const size_t from = ts->n;
    const bool list = hlmi_json_is(all, HLMI_JSON_ARRAY);
    for (hlmi_json_iter i = {0}; hlmi_json_next(all, &i);) {
        const hlmi_str name = list ? hlmi_json_str(hlmi_json_get(i.value, "name")) : i.key;
        const hlmi_str text = hlmi_json_str(list ? hlmi_json_get(i.value, "template") : i.value);
        if (list && (!name.s || !text.s))
            return hlmi_fail(HLM_E_FORMAT, "chat_template[%zu] is no object with texts \"name\" and \"template\"",
                             i.n - 1);
        if (!text.s) return hlmi_fail(HLM_E_FORMAT, "chat_template: '%.80s' is no text", name.s);
        const hlm_status st = add(ts, mem, from, name, text);
        if (st != HLM_OK && list) return hlmi_fail_prefix(st, "chat_template[%zu]: ", i.n - 1);
        if (st != HLM_OK) return hlmi_fail_prefix(st, "chat_template: ");
    }
    return HLM_OK;
}

/* The key chat_template of a JSON side file, in all its forms. */
static hlm_status load_key(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_store *s, const char *file)
{
    char *json = NULL;
    size_t len;
    hlmi_json *root = NULL;
    hlm_status st;
    HLMI_TRY(hlmi_store_side_file(s, file, CONFIG_MAX, &json, &len));
    if (json) HLMI_TRY(hlmi_json_parse(&root, mem, HLMI_JSON_SETTINGS, json, len, file));
    const hlmi_json *v = hlmi_json_given(root, "chat_template");
    if (!v) goto done;
    ts->named = true;
    if (hlmi_json_is(v, HLMI_JSON_STRING)) st = add(ts, mem, ts->n, str(default_name), hlmi_json_str(v));
    else if (hlmi_json_is(v, HLMI_JSON_ARRAY | HLMI_JSON_OBJECT)) st = add_all(ts, mem, v);
    else st = hlmi_fail(HLM_E_FORMAT, "chat_template is neither a text nor a list nor an object");
    if (st != HLM_OK) hlmi_fail_prefix(st, "%s: ", file);
done:
    hlmi_json_free(root);
    hlmi_free(mem, json);
    return st;
}

typedef struct folder {
    hlmi_templates *ts;
    const hlmi_mem *mem;
    const hlmi_store *s;
} folder;

static hlm_status load_file(const folder *f, const char *file, hlmi_str name)
{
    char *text = NULL;
    size_t len;
    hlm_status st = hlmi_store_side_file(f->s, file, TEXT_MAX, &text, &len);
    if (st == HLM_OK && text) st = add(f->ts, f->mem, f->ts->n, name, (hlmi_str){text, len});
    hlmi_free(f->mem, text);
    return st;
}

/* NAME.jinja of the folder of additional templates. */
static hlm_status load_named(void *user, const char *name)
{
    static const char suffix[] = ".jinja", sub[] = "additional_chat_templates/";
    const folder *f = user;
    const size_t n = strlen(name), k = sizeof suffix - 1;
    hlmi_buf path;
    if (n <= k || strcmp(name + n - k, suffix) != 0) return HLM_OK;
    hlmi_buf_init(&path, f->mem);
    hlmi_buf_str(&path, sub);
    hlmi_buf_str(&path, name);
    hlm_status st = hlmi_buf_status(&path, "a path");
    if (st == HLM_OK) st = load_file(f, path.data, (hlmi_str){name, n - k});
    hlmi_buf_free(&path);
    return st;
}

/* Folders can not be listed through the caller's callbacks: there the names in use are tried. */
static hlm_status load_additional(folder *f)
{
    static const char *const names[] = {"tool_use.jinja", "rag.jinja", "default.jinja"};
    if (hlmi_store_lists_folders(f->s)) return hlmi_store_each_file(f->s, "additional_chat_templates", load_named, f);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) HLMI_DO(load_named(f, names[i]));
    return HLM_OK;
}

/* As in transformers chat_template.jinja stands in the place of all that the JSON files say. */
static hlm_status load_files(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_store *s)
{
    folder f = {ts, mem, s};
    HLMI_DO(load_file(&f, "chat_template.jinja", str(default_name)));
    const bool whole = ts->n > 0;
    HLMI_DO(load_additional(&f));
    if (whole) return HLM_OK;
    HLMI_DO(load_key(ts, mem, s, "chat_template.json"));
    return load_key(ts, mem, s, "tokenizer_config.json");
}

/* ---- both: a GGUF file has no files beside it, and a folder no keys ---- */

hlm_status hlmi_templates_load(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_store *s)
{
    const hlmi_str type = hlmi_json_str(hlmi_json_get(hlmi_store_config(s), "model_type"));
    const hlmi_str name = hlmi_kv_str(hlmi_store_kv(s, "general.architecture"));
    const hlmi_str arch = type.s ? type : name.s ? name : str("");
    ts->arch = hlmi_strndup(mem, arch.s, arch.len);
    if (!ts->arch) return hlmi_nomem(arch.len, "a name");
    HLMI_DO(load_keys(ts, mem, s));
    HLMI_DO(load_files(ts, mem, s));
    ts->named = ts->named || ts->n > 0;
    return HLM_OK;
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

/* ---- which one ---- */

/* The names of the templates that are there, for an error. */
static hlm_status no_default(const hlmi_templates *ts)
{
    char names[256] = "";
    size_t n = 0;
    for (size_t i = 0; i < ts->n && n + NAME_MAX + 8 < sizeof names; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s'%s'", i ? ", " : "", ts->v[i].name);
    if (ts->n == 0) return hlmi_fail(HLM_E_UNSUPPORTED, "the files' chat_template holds no template; give or name one");
    return hlmi_fail(HLM_E_UNSUPPORTED, "the files have the chat templates %s and no default; name one", names);
}

hlm_status hlmi_templates_choose(const hlmi_templates *ts, const hlmi_tokenizer *t, const char *name, bool tools,
                                 hlmi_str *out)
{
    *out = (hlmi_str){NULL, 0};
    const bool asked = name != NULL;
    if (!name && tools && hlmi_templates_find(ts, tool_name)) name = tool_name;
    const hlmi_named_text *own = hlmi_templates_find(ts, name ? name : default_name);
    if (own) {
        *out = (hlmi_str){own->text, own->len};
        return HLM_OK;
    }
    const bool any = !asked || strcmp(name, default_name) == 0;
    if (any && ts->named) return no_default(ts);
    const hlmi_builtin *b = any ? hlmi_builtin_for(ts->arch ? ts->arch : "", t) : hlmi_builtin_find(name);
    if (!b && any) return hlmi_fail(HLM_E_UNSUPPORTED, "the model's files have no chat template; give or name one");
    if (!b) return hlmi_fail(HLM_E_UNSUPPORTED, "there is no chat template called '%.80s'", name);
    *out = (hlmi_str){b->text, b->len};
    return HLM_OK;
}
