/* Hugging Face folders: config.json, the weights in one file or in shards listed by an index (safetensors, or what
 * torch.save writes), and side files. */
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "weights/schemes.h"
#include "weights/store_impl.h"
#include "weights/survey.h"

enum { CONFIG_MAX = 4 << 20, INDEX_MAX = 64 << 20 };

/* A format that weights may be in, and its files. */
typedef struct format {
    const char *single, *index, *adapter; /* NULL: it has none */
    bool released; /* it is no Hugging Face's */
    hlm_status (*read)(hlmi_store *s, hlmi_source *file);
} format;

/* The first that is there is taken. */
static const format formats[] = {
    {"model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors", false, hlmi_safetensors_read},
    {"pytorch_model.bin", "pytorch_model.bin.index.json", "adapter_model.bin", false, hlmi_torch_read},
    {"consolidated.safetensors", NULL, NULL, true, hlmi_safetensors_read},
    {"consolidated.00.pth", NULL, NULL, true, hlmi_torch_read},
};
enum { FORMATS = sizeof formats / sizeof *formats };

/* A name that stays inside the folder: one component, nothing that an operating system reads as more. */
static bool is_plain_name(const char *name, size_t len)
{
    if (len == 0 || len > 255 || memchr(name, '\0', len)) return false;
    if (memchr(name, '/', len) || memchr(name, '\\', len) || memchr(name, ':', len)) return false;
    return strspn(name, ".") < len; /* not "." or ".." */
}

/* A file of the folder, or of a folder in it. */
static bool is_side_name(const char *name)
{
    const char *slash = strchr(name, '/');
    if (slash && !is_plain_name(name, (size_t)(slash - name))) return false;
    const char *file = slash ? slash + 1 : name;
    return is_plain_name(file, strlen(file));
}

char *hlmi_store_path_of(const hlmi_store *s, const char *name)
{
    const size_t a = strlen(s->path), b = strlen(name);
    char *p = hlmi_alloc(&s->mem, a + b + 2);
    if (!p) return NULL;
    memcpy(p, s->path, a);
    p[a] = '/';
    memcpy(p + a + 1, name, b + 1);
    return p;
}

static hlm_status side_file(const hlmi_store *s, const char *name, size_t max, bool any, char **data, size_t *len)
{
    bool missing = false;
    *data = NULL;
    *len = 0;
    if (s->dialect != HLMI_HF) return HLM_OK;
    if (!is_side_name(name))
        return hlmi_fail(HLM_E_FORMAT, "%s: side file %s is not a plain file name", s->path,
                         hlmi_quoted(name, strlen(name)).s);
    char *path = hlmi_store_path_of(s, name);
    if (!path) return hlmi_nomem(strlen(name), "a path");
    const hlm_status st = hlmi_source_slurp(&s->mem, &s->vfs, path, max, any, data, len, &missing);
    hlmi_free(&s->mem, path);
    return missing ? HLM_OK : st;
}

hlm_status hlmi_store_side_file(const hlmi_store *s, const char *name, size_t max, char **data, size_t *len)
{
    return side_file(s, name, max, false, data, len);
}

hlm_status hlmi_store_side_file_any(const hlmi_store *s, const char *name, size_t max, char **data, size_t *len)
{
    return side_file(s, name, max, true, data, len);
}

bool hlmi_store_lists_folders(const hlmi_store *s)
{
    return s->dialect == HLMI_HF && s->vfs.system;
}

typedef struct listing {
    hlm_status st;
    hlm_status (*each)(void *user, const char *name);
    void *user;
} listing;

static bool give_name(void *user, const char *name)
{
    listing *l = user;
    if (is_plain_name(name, strlen(name))) l->st = l->each(l->user, name);
    return l->st == HLM_OK;
}

hlm_status hlmi_store_each_file(const hlmi_store *s, const char *name, hlm_status (*each)(void *user, const char *name),
                                void *user)
{
    listing l = {HLM_OK, each, user};
    char *path = hlmi_store_path_of(s, name);
    if (!path) return hlmi_nomem(strlen(name), "a path");
    const int rc = hlmi_os_list(path, give_name, &l);
    if (rc != 0 && hlmi_os_kind(rc) != HLMI_OS_MISSING)
        l.st = hlmi_fail(HLM_E_IO, "%s: the folder can not be read: %s", path, hlmi_os_reason(rc).s);
    hlmi_free(&s->mem, path);
    return l.st;
}

hlm_status hlmi_store_object(const hlmi_store *s, const char *name, size_t max, hlmi_json **out)
{
    char *text;
    size_t len;
    *out = NULL;
    hlm_status st = hlmi_store_side_file(s, name, max, &text, &len);
    if (st != HLM_OK || !text) return st;
    st = hlmi_store_json(s, text, len, name, out);
    hlmi_free(&s->mem, text);
    return st == HLM_E_FORMAT ? hlmi_fail_prefix(st, "%s/", s->path) : st;
}

/* *missing: there is no such file. */
static hlm_status open_file(const hlmi_store *s, const char *name, hlmi_source *file, bool *missing)
{
    char *path = hlmi_store_path_of(s, name);
    if (!path) return hlmi_nomem(strlen(name), "a path");
    const hlm_status st = hlmi_source_open(file, &s->mem, &s->vfs, path, missing);
    hlmi_free(&s->mem, path);
    return st;
}

/* Opens a weight file and adds its tensors. */
static hlm_status add_file(hlmi_store *s, const format *f, const char *name, bool *missing)
{
    hlmi_source file;
    HLMI_DO(open_file(s, name, &file, missing));
    return f->read(s, &file);
}

/* Every shard that the map names, once; `shards` receives name -> source number. */
static hlm_status add_shards(hlmi_store *s, const format *f, const hlmi_json *map, hlmi_json *shards)
{
    for (hlmi_json_iter i = {0}; hlmi_json_next(map, &i);) {
        const hlmi_str name = hlmi_json_str(i.value);
        bool missing = false;
        if (!name.s || !is_plain_name(name.s, name.len))
            return hlmi_fail(HLM_E_FORMAT,
                             "%s/%s: weight_map: tensor %s is in %s, expected the name of a file in the folder",
                             s->path, f->index, hlmi_quoted(i.key.s, i.key.len).s,
                             name.s ? hlmi_quoted(name.s, name.len).s : "no string");
        if (hlmi_json_get(shards, name.s)) continue;
        if (!hlmi_json_put_int(shards, name.s, (int64_t)s->n_sources))
            return hlmi_nomem(name.len, "the list of shards");
        const hlm_status st = add_file(s, f, name.s, &missing);
        if (missing) return hlmi_fail_prefix(st, "%s: shard of weight_map: ", f->index);
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}

/* Every tensor of the map is in the shard that the map says. */
static hlm_status check_map(hlmi_store *s, const format *f, const hlmi_json *map, const hlmi_json *shards)
{
    HLMI_DO(hlmi_store_index_tensors(s));
    for (hlmi_json_iter i = {0}; hlmi_json_next(map, &i);) {
        const hlmi_tensor *t = hlmi_store_find(s, i.key.s);
        const hlmi_str name = hlmi_json_str(i.value);
        int64_t shard;
        if (!t || !hlmi_json_int(hlmi_json_get(shards, name.s), t->source, t->source, &shard))
            return hlmi_fail(HLM_E_FORMAT, "%s/%s: weight_map: tensor %s is not in %s", s->path, f->index,
                             hlmi_quoted(i.key.s, i.key.len).s, hlmi_quoted(name.s, name.len).s);
    }
    return HLM_OK;
}

/* Is a file of this name in the folder? */
static hlm_status has(const hlmi_store *s, const char *name, bool *there)
{
    hlmi_source file;
    bool missing = false;
    const hlm_status st = open_file(s, name, &file, &missing);
    *there = !missing; /* one that can not be opened is there */
    if (st == HLM_OK) hlmi_source_close(&file);
    return st == HLM_E_NOMEM ? st : HLM_OK;
}

/* Says what else is there. */
static hlm_status no_weights(const hlmi_store *s, const char *what)
{
    static const char *const others[] = {"consolidated.pth",    "model.pth",          "model.pt",   "model.bin",
                                         "tf_model.h5",         "flax_model.msgpack", "model.onnx", "adapter_model.bin",
                                         "consolidated.00.pth", "pytorch_model.bin"};
    bool there = false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        HLMI_DO(has(s, others[i], &there));
        if (there)
            return hlmi_fail(HLM_E_IO, "%s: no weights: %s; %s is, which is not read: convert it to safetensors",
                             s->path, what, others[i]);
    }
    return hlmi_fail(HLM_E_IO, "%s: no weights: %s", s->path, what);
}

/* Neither a file nor a model's folder. */
static hlm_status no_folder(const hlmi_store *s, const char *config)
{
    if (s->vfs.system)
        return hlmi_fail(HLM_E_IO, "%s: a folder without a file %s, and without one .gguf file", s->path, config);
    char code[48] = "no such file";
    if (s->opened != 1) snprintf(code, sizeof code, "hlm_vfs.open returned %d", (int)s->opened);
    return hlmi_fail(
        HLM_E_IO,
        "%s: can not be opened (%s), and no folder with a file %s (with a hlm_vfs, which lists none, give the "
        ".gguf file itself)",
        s->path, code, config);
}

/* *missing: there is no index. */
static hlm_status add_indexed(hlmi_store *s, const format *f, bool *missing)
{
    hlm_status st;
    hlmi_json *index = NULL, *shards = NULL;
    *missing = false;
    HLMI_TRY(hlmi_store_object(s, f->index, INDEX_MAX, &index));
    *missing = !index;
    if (!index) goto done;
    const hlmi_json *map = hlmi_json_get(index, "weight_map");
    if (!hlmi_json_is(map, HLMI_JSON_OBJECT) || hlmi_json_count(map) == 0)
        HLMI_TRY(
            hlmi_fail(HLM_E_FORMAT, "%s/%s: weight_map is not an object with at least one tensor", s->path, f->index));
    shards = hlmi_json_object();
    if (!shards) HLMI_TRY(hlmi_nomem(0, "the list of shards"));
    HLMI_TRY(add_shards(s, f, map, shards));
    HLMI_TRY(check_map(s, f, map, shards));
done:
    hlmi_json_free(shards);
    hlmi_json_free(index);
    return st;
}

static hlm_status add_weights(hlmi_store *s, bool adapter)
{
    for (const format *f = formats; f < formats + FORMATS; f++) {
        bool missing = false;
        if (adapter && !f->adapter) continue;
        hlm_status st = add_file(s, f, adapter ? f->adapter : f->single, &missing);
        if (missing && !adapter && f->index) st = add_indexed(s, f, &missing);
        if (missing) continue;
        if (st != HLM_OK || !f->released) return st;
        bool more = false;
        HLMI_DO(has(s, "consolidated.01.pth", &more));
        if (!more) return hlmi_released_tensors(s);
        return hlmi_fail(HLM_E_UNSUPPORTED,
                         "%s/consolidated.01.pth: weights divided among several processors are not read: convert them "
                         "to safetensors",
                         s->path);
    }
    return no_weights(s,
                      adapter ? "adapter_model.safetensors is not there"
                              : "neither model.safetensors nor model.safetensors.index.json is there");
}

hlm_status hlmi_hf_open(hlmi_store *s, hlmi_source *file, hlmi_content content)
{
    (void)file;
    const bool adapter = content == HLMI_STORE_ADAPTER;
    const char *config = adapter ? "adapter_config.json" : "config.json";
    HLMI_DO(hlmi_store_object(s, config, CONFIG_MAX, &s->config));
    if (!s->config && !adapter) HLMI_DO(hlmi_released_settings(s, CONFIG_MAX));
    if (!s->config) return no_folder(s, config);
    if (content == HLMI_STORE_SIDE_FILES) return HLM_OK;
    hlmi_scheme scheme = {.method = HLMI_METHOD_NONE};
    if (!adapter) HLMI_DO(hlmi_scheme_find(s, &scheme));
    HLMI_DO(add_weights(s, adapter));
    if (!scheme.method) return HLM_OK;
    HLMI_DO(hlmi_store_index_tensors(s));
    return hlmi_coded_find(s, &scheme);
}

hlm_status hlmi_hf_survey(hlmi_store *s, const hlmi_notes *notes, hlmi_scheme *scheme, bool *adapter)
{
    s->dialect = HLMI_HF;
    bool model = false;
    HLMI_DO(has(s, "config.json", &model));
    HLMI_DO(has(s, "adapter_config.json", adapter));
    *adapter = *adapter && !model;
    const char *config = *adapter ? "adapter_config.json" : "config.json";
    hlm_status st = hlmi_store_object(s, config, CONFIG_MAX, &s->config);
    if (st == HLM_OK && !s->config && !*adapter) st = hlmi_released_settings(s, CONFIG_MAX);
    const bool there = st != HLM_OK || s->config;
    HLMI_DO(hlmi_noted(notes, there ? st : no_folder(s, config)));
    if (!*adapter) HLMI_DO(hlmi_noted(notes, hlmi_scheme_find(s, scheme)));
    HLMI_DO(hlmi_noted(notes, add_weights(s, *adapter)));
    return there || s->n_sources ? HLM_OK : no_folder(s, config);
}
