/* say: what the library says of files. Reads a case a line from standard input, five fields between tabs, and prints
 * for each its status and the sentence, or "HLM_OK": VERB LETTERS KV_TYPE MODEL FILE. Verbs: `load` the model; `attach`
 * an adapter, `render` a template, `save` or `restore` a snapshot, which are FILE. Letters: p portable, r read, v
 * vocabulary alone, w weights are checked, f f32 activations, n no prefix; of a pool: h states in f16. */
#include <hybridlm/hybridlm.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096, FIELDS = 5, TOKENS = 9, TEXT_BYTES = 1 << 16 };

typedef struct request {
    const char *verb, *letters, *kv_type, *model, *file;
} request;

static bool has(const request *r, char letter)
{
    return strchr(r->letters, letter) != NULL;
}

static hlm_status load(hlm_model **m, const request *r)
{
    const hlm_model_params p = {.struct_size = sizeof p,
                                .flags = (has(r, 'p') ? HLM_LOAD_PORTABLE : 0) | (has(r, 'r') ? HLM_LOAD_READ : 0) |
                                    (has(r, 'v') ? HLM_LOAD_VOCAB_ONLY : 0) |
                                    (has(r, 'w') ? HLM_LOAD_CHECK_WEIGHTS : 0) |
                                    (has(r, 'n') ? HLM_LOAD_NO_MEMORY_TOKENS : 0),
                                .activations = has(r, 'f') ? HLM_ACTIVATIONS_F32 : HLM_ACTIVATIONS_DEFAULT};
    return hlm_model_load(m, r->model, &p);
}

static hlm_status attach(hlm_model *m, const request *r)
{
    hlm_adapter *a = NULL;
    const hlm_status st = hlm_adapter_load(&a, m, r->file, NULL);
    hlm_adapter_release(a);
    return st;
}

static hlm_status render(const hlm_model *m, const request *r)
{
    static char text[TEXT_BYTES], out[TEXT_BYTES];
    size_t n = 0;
    FILE *f = fopen(r->file, "rb");
    if (!f) return HLM_E_IO;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    const hlm_chat_params p = {.struct_size = sizeof p, .chat_template = text};
    return hlm_chat_render(m, "[{\"role\": \"user\", \"content\": \"hi\"}]", &p, out, sizeof out, &n);
}

/* A sequence of a few tokens, in a file. */
static hlm_status save(hlm_model *m, hlm_pool *pool, const char *path)
{
    static const int32_t ids[TOKENS] = {3, 1, 4, 1, 5, 9, 2, 6, 5};
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = pool};
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    hlm_status st = hlm_ctx_new(&ctx, m, &cp);
    if (st == HLM_OK) st = hlm_cache_new(&cache, pool, NULL);
    const hlm_step step = {.struct_size = sizeof step, .cache = cache, .tokens = ids, .n_tokens = TOKENS};
    const hlm_step *const steps[] = {&step};
    if (st == HLM_OK) st = hlm_decode_step(ctx, steps, 1);
    if (st == HLM_OK) st = hlm_cache_save(cache, path);
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    return st;
}

static hlm_status snapshot(hlm_model *m, const request *r)
{
    const hlm_pool_params pp = {
        .struct_size = sizeof pp, .kv_type = atoi(r->kv_type), .state_type = has(r, 'h') ? HLM_TYPE_F16 : HLM_TYPE_F32};
    hlm_pool *pool = NULL;
    hlm_cache *cache = NULL;
    hlm_status st = hlm_pool_new(&pool, m, &pp);
    if (st == HLM_OK) st = r->verb[0] == 's' ? save(m, pool, r->file) : hlm_cache_load(&cache, pool, r->file, 0);
    hlm_cache_free(cache);
    hlm_pool_release(pool);
    return st;
}

static hlm_status answer(const request *r)
{
    hlm_model *m = NULL;
    hlm_status st = load(&m, r);
    if (st == HLM_OK && strcmp(r->verb, "attach") == 0) st = attach(m, r);
    else if (st == HLM_OK && strcmp(r->verb, "render") == 0) st = render(m, r);
    else if (st == HLM_OK && strcmp(r->verb, "load") != 0) st = snapshot(m, r);
    hlm_model_release(m);
    return st;
}

/* One line, whatever a file's strings put into it. */
static void say(hlm_status st)
{
    printf("%s", hlm_status_name(st));
    for (const char *p = st == HLM_OK ? "" : hlm_last_error(), *first = p; *p; p++) {
        if (p == first) printf(": ");
        if (*p == '\n') printf("\\n");
        else if ((unsigned char)*p < ' ') printf("\\x%02x", (unsigned)*p);
        else putchar(*p);
    }
    putchar('\n');
    fflush(stdout);
}

int main(void)
{
    static char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        const char *field[FIELDS];
        size_t n = 0;
        line[strcspn(line, "\n")] = '\0';
        for (char *at = line; n < FIELDS && at; n++) {
            field[n] = at;
            at = strchr(at, '\t');
            if (at) *at++ = '\0';
        }
        if (n < FIELDS) return 2;
        const request r = {field[0], field[1], field[2], field[3], field[4]};
        say(answer(&r));
    }
    return 0;
}
