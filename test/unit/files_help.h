/* What tests of files share: a folder of the process's own, and every place where the library opens a file, with the
 * call that opens it. The test that includes it defines _GNU_SOURCE and sets `data`. */
#ifndef TEST_UNIT_FILES_HELP_H
#define TEST_UNIT_FILES_HELP_H

#include "api_help.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *data; /* test/data */
static char world[64]; /* a folder of this process */

enum { PATH = 1024, NAME = 256, NOBODY = 65534, SECONDS = 20 /* a busy machine's second */ };

/* ---- files ---- */

static inline void path_of(char out[PATH], const char *name)
{
    snprintf(out, PATH, "%s/%s", world, name);
}

static inline void write_bytes(const char *name, const void *bytes, size_t n)
{
    char path[PATH];
    path_of(path, name);
    FILE *f = fopen(path, "wb");
    ck_assert_msg(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0, "%s", path);
}

static inline char *read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    struct stat sb;
    ck_assert_msg(f && fstat(fileno(f), &sb) == 0, "%s", path);
    char *p = malloc((size_t)sb.st_size + 1);
    *n = fread(p, 1, (size_t)sb.st_size, f);
    p[*n] = '\0';
    fclose(f);
    return p;
}

static inline void copy(const char *from, const char *name)
{
    char path[PATH];
    size_t n;
    snprintf(path, sizeof path, "%s/%s", data, from);
    char *p = read_all(path, &n);
    write_bytes(name, p, n);
    free(p);
}

static inline int remove_entry(const char *path, const struct stat *sb, int type, struct FTW *at)
{
    (void)sb, (void)type, (void)at;
    return remove(path);
}

static inline void remove_tree(const char *path)
{
    struct stat sb;
    if (lstat(path, &sb) == 0) ck_assert_int_eq(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void folder(const char *name)
{
    char path[PATH];
    path_of(path, name);
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static inline void copy_model(const char *to)
{
    static const char *const names[] = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"};
    folder(to);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char from[NAME], name[NAME];
        snprintf(from, sizeof from, "models/tiny-llama/%s", names[i]);
        snprintf(name, sizeof name, "%s/%s", to, names[i]);
        copy(from, name);
    }
}

/* The names of its tensors, all in part.safetensors. */
static inline void copy_sharded(const char *to)
{
    char name[NAME], from[PATH];
    size_t n;
    copy_model(to);
    snprintf(from, sizeof from, "%s/%s/model.safetensors", world, to);
    char *p = read_all(from, &n);
    const uint64_t head = *(const uint64_t *)p;
    json_t *header = json_loadb(p + 8, (size_t)head, 0, NULL), *map = json_object(), *v;
    const char *key;
    ck_assert_ptr_nonnull(header);
    json_object_foreach(header, key, v) if (strcmp(key, "__metadata__") != 0)
        json_object_set_new(map, key, json_string("part.safetensors"));
    json_t *index = json_pack("{s:{}, s:o}", "metadata", "weight_map", map);
    char *text = json_dumps(index, 0);
    snprintf(name, sizeof name, "%s/model.safetensors.index.json", to);
    write_bytes(name, text, strlen(text));
    snprintf(name, sizeof name, "%s/%s/part.safetensors", world, to);
    ck_assert_int_eq(rename(from, name), 0);
    free(text);
    free(p);
    json_decref(index);
    json_decref(header);
}

/* ---- calls ---- */

static inline hlm_status load(const char *name, uint32_t flags)
{
    char path[PATH];
    path_of(path, name);
    hlm_model *m = NULL;
    const hlm_model_params mp = {.struct_size = sizeof mp, .flags = flags};
    const hlm_status st = hlm_model_load(&m, path, &mp);
    hlm_model_release(m);
    return st;
}

static inline hlm_status load_model(const char *name)
{
    return load(name, 0);
}

static inline hlm_status load_vocab(const char *name)
{
    return load(name, HLM_LOAD_VOCAB_ONLY);
}

static hlm_model *model;
static hlm_pool *pool;
static hlm_cache *cache;

static inline void open_model(void)
{
    static const int32_t ids[] = {5, 6, 7};
    char path[PATH];
    hlm_context *ctx = NULL;
    path_of(path, "m");
    OK(hlm_model_load(&model, path, NULL));
    OK(hlm_pool_new(&pool, model, NULL));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = pool};
    OK(hlm_ctx_new(&ctx, model, &cp));
    OK(hlm_cache_new(&cache, pool, NULL));
    const hlm_step s = one_step(cache, ids, 3, NULL);
    OK(run_step(ctx, &s));
    hlm_ctx_free(ctx);
}

static inline hlm_status load_adapter(const char *name)
{
    char path[PATH];
    hlm_adapter *a = NULL;
    path_of(path, name);
    const hlm_status st = hlm_adapter_load(&a, model, path, NULL);
    hlm_adapter_release(a);
    return st;
}

static inline hlm_status load_snapshot(const char *name)
{
    char path[PATH];
    hlm_cache *c = NULL;
    path_of(path, name);
    const hlm_status st = hlm_cache_load(&c, pool, path, 0);
    hlm_cache_free(c);
    return st;
}

static inline hlm_status save_snapshot(const char *name)
{
    char path[PATH];
    path_of(path, name);
    return hlm_cache_save(cache, path);
}

static inline hlm_status load_prefix(const char *name)
{
    char path[PATH];
    path_of(path, name);
    return hlm_prefix_load(pool, path, 0, NULL);
}

static inline hlm_status save_prefix(const char *name)
{
    char path[PATH];
    path_of(path, name);
    OK(hlm_prefix_add(cache));
    return hlm_prefix_save(pool, path);
}

typedef hlm_status call(const char *name);

typedef struct place {
    call *run;
    const char *argument; /* in the world */
    const char *file; /* that is something else, in the world; where it is a part, the error names the last of it */
    int content; /* what it is, for the test of contents */
} place;

enum { NONE, WEIGHTS, TEXT, TEMPLATE, STATE };

static const place places[] = {
    {load_model, "x.gguf", "x.gguf", WEIGHTS},
    {load_vocab, "x.gguf", "x.gguf", WEIGHTS},
    {load_model, "m", "m/model.safetensors", WEIGHTS},
    {load_model, "m", "m/config.json", TEXT},
    {load_model, "m", "m/tokenizer.json", TEXT},
    {load_model, "m", "m/tokenizer_config.json", TEXT},
    {load_model, "m", "m/generation_config.json", TEXT},
    {load_model, "m", "m/chat_template.json", TEXT},
    {load_model, "m", "m/chat_template.jinja", TEMPLATE},
    {load_model, "m", "m/additional_chat_templates/rag.jinja", TEMPLATE},
    {load_vocab, "m", "m/config.json", TEXT},
    {load_vocab, "m", "m/tokenizer.json", TEXT},
    {load_model, "s", "s/model.safetensors.index.json", TEXT},
    {load_model, "s", "s/part.safetensors", WEIGHTS},
    {load_vocab, "t/tokenizer.json", "t/tokenizer.json", TEXT},
    {load_vocab, "t/tokenizer.json", "t/tokenizer_config.json", TEXT},
    {load_vocab, "p/tokenizer.model", "p/tokenizer.model", NONE},
    {load_vocab, "p/tokenizer.model", "p/tokenizer_config.json", TEXT},
    {load_vocab, "p/tokenizer.model", "p/added_tokens.json", TEXT},
    {load_model, "q", "q/tokenizer.model", NONE},
    {load_model, "q", "q/added_tokens.json", TEXT},
    {load_adapter, "x.gguf", "x.gguf", WEIGHTS},
    {load_adapter, "a", "a/adapter_config.json", TEXT},
    {load_adapter, "a", "a/adapter_model.safetensors", WEIGHTS},
    {load_snapshot, "text", "text", STATE},
    {load_prefix, "f", "f/texts.index", STATE},
    {save_snapshot, "new", "new", NONE},
    {save_prefix, "f", "f/texts.index", NONE},
    {save_prefix, "new", "new", NONE},
    {load_prefix, "new", "new", NONE},
};
enum { PLACES = sizeof places / sizeof *places };

/* Everything that the places need, as it should be. */
static inline void open_place(void)
{
    strcpy(world, "/tmp/hybridlm-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world));
    ck_assert_int_eq(chmod(world, 0755), 0);
    copy_model("m");
    folder("m/additional_chat_templates");
    copy_sharded("s");
    folder("t"), folder("p"), folder("a");
    copy("models/tiny-llama/tokenizer.json", "t/tokenizer.json");
    copy("tokenizers/huozi_spm_bpe/tokenizer.model", "p/tokenizer.model");
    folder("q");
    copy("models/tiny-llama/config.json", "q/config.json");
    copy("models/tiny-llama/model.safetensors", "q/model.safetensors");
    copy("tokenizers/huozi_spm_bpe/tokenizer.model", "q/tokenizer.model");
    copy("adapters/lora/adapter_config.json", "a/adapter_config.json");
    copy("adapters/lora/adapter_model.safetensors", "a/adapter_model.safetensors");
    open_model();
    OK(save_snapshot("text"));
    OK(save_prefix("f"));
}

static inline void close_place(void)
{
    hlm_cache_free(cache);
    hlm_pool_release(pool);
    hlm_model_release(model);
    remove_tree(world);
}

#endif
