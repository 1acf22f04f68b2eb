/* Fuzz target: an adapter. The first byte says for which model: for the folder adapter_config.json, ended by a zero
 * byte, and then the bytes of adapter_model.safetensors follow, for the GGUF file those of a GGUF file. What loads is
 * used: joined to itself, and a token is run with it. */
#define _GNU_SOURCE 1
#include "fuzz/fuzz_adapter.h"

#include <stdlib.h>
#include <string.h>

#include "unit/memfs.h"
#include "fuzz/promised.h"

#ifndef MODELS
#  define MODELS "test/data/models" /* from the project's folder */
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[FUZZ_MODELS] = {MODELS "/llama3", MODELS "/tiny-llama.gguf"};
static hlm_model *opened[FUZZ_MODELS];
static size_t live; /* blocks of memory, of one thread */
static unsigned long accepted;

static void *count_alloc(void *user, size_t size, size_t align)
{
    void *p = NULL;
    (void)user;
    if (posix_memalign(&p, align < sizeof p ? sizeof p : align, size) != 0) return NULL;
    live++;
    return p;
}

static void count_free(void *user, void *p)
{
    (void)user;
    live--;
    free(p);
}

static hlm_model *model_open(size_t i)
{
    const hlm_allocator a = {.struct_size = sizeof a, .alloc = count_alloc, .free = count_free};
    const hlm_model_params p = {.struct_size = sizeof p, .allocator = &a};
    if (!opened[i]) PROMISED(hlm_model_load(&opened[i], paths[i], &p) == HLM_OK);
    return opened[i];
}

unsigned long fuzz_accepted(void)
{
    return accepted;
}

/* Tokens with it, which may be what it waits for, in a context of its own: a pool keeps every adapter that it has
 * seen. */
static void run(hlm_model *model, const hlm_adapter *ad)
{
    static const int32_t ids[] = {1, 1, 1, 0};
    enum { N = sizeof ids / sizeof *ids };
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .max_rows = 1};
    const hlm_cache_params kp = {.struct_size = sizeof kp, .max_tokens = N};
    PROMISED(hlm_ctx_new(&ctx, model, &cp) == HLM_OK && hlm_cache_new(&cache, hlm_ctx_pool(ctx), &kp) == HLM_OK);
    for (size_t i = 0; i < N; i++) {
        const hlm_step one = {
            .struct_size = sizeof one, .cache = cache, .tokens = ids + i, .n_tokens = 1, .adapter = ad};
        const hlm_step *const steps[] = {&one};
        PROMISED(hlm_decode_step(ctx, steps, 1) == HLM_OK);
    }
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
}

/* A loaded adapter is an adapter. */
static void use(hlm_model *model, const hlm_adapter *ad)
{
    const hlm_adapter *const twice[] = {ad, ad};
    hlm_adapter *joined = NULL;
    hlm_adapter_info info = {.struct_size = sizeof info};
    PROMISED(hlm_adapter_info_get(ad, &info) == HLM_OK);
    PROMISED(info.n_matrices > 0 && info.rank > 0 && info.rank <= 256 && info.bytes > 0);
    const hlm_status st = hlm_adapter_join(&joined, twice, 2);
    PROMISED((st == HLM_OK) == (joined != NULL));
    PROMISED(st == HLM_OK || st == HLM_E_UNSUPPORTED || st == HLM_E_LIMIT);
    run(model, joined ? joined : ad);
    hlm_adapter_release(joined);
    accepted++;
}

/* Loads it from files that can be mapped, or only read. */
static hlm_status load(hlm_model *model, memfs *fs, bool map)
{
    const hlm_vfs vfs = {sizeof vfs, fs, memfs_open, memfs_size, memfs_read, map ? memfs_map : NULL, memfs_close};
    const hlm_adapter_params p = {.struct_size = sizeof p, .vfs = &vfs};
    const size_t before = live;
    hlm_adapter *ad = NULL;
    const hlm_status st = hlm_adapter_load(&ad, model, "d", &p);
    PROMISED((st == HLM_OK) == (ad != NULL));
    PROMISED(fs->open == 0);
    const char *sentence = ad ? "d: an adapter" : hlm_last_error(); /* begins with the path */
    PROMISED(sentence[0] == 'd' && (sentence[1] == ':' || sentence[1] == '/') && strlen(sentence) > 10);
    if (ad && map) use(model, ad);
    hlm_adapter_release(ad);
    PROMISED(live == before);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memfs fs = {.n = 0};
    if (size == 0) return 0;
    const size_t which = data[0] % FUZZ_MODELS;
    hlm_model *model = model_open(which);
    data++;
    size--;
    if (which == FUZZ_FOLDER) {
        const uint8_t *end = memchr(data, 0, size);
        const size_t n = end ? (size_t)(end - data) : size, rest = end ? size - n - 1 : 0;
        memfs_add(&fs, "d/adapter_config.json", data, n);
        memfs_add(&fs, "d/adapter_model.safetensors", data + size - rest, rest);
    } else {
        memfs_add(&fs, "d", data, size);
    }
    const hlm_status st = load(model, &fs, false);
    PROMISED(load(model, &fs, true) == st);
    memfs_clear(&fs);
    return 0;
}
