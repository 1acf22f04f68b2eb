/* Files of the tokenizer_cases program: plain and xz, and the tokenizers in them. */
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/vocab.h"
#include "text/cases.h"

static char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    const long n = ftell(f);
    rewind(f);
    char *s = malloc((size_t)n + 1);
    *len = fread(s, 1, (size_t)n, f);
    s[*len] = '\0';
    fclose(f);
    return s;
}

static char *unpack(char *packed, size_t n, size_t *len)
{
    lzma_stream z = LZMA_STREAM_INIT;
    size_t cap = 8 * n + 65536;
    char *s = malloc(cap + 1);
    if (lzma_stream_decoder(&z, UINT64_MAX, 0) != LZMA_OK) cap = 0;
    z.next_in = (uint8_t *)packed;
    z.avail_in = n;
    lzma_ret ret = LZMA_OK;
    while (ret == LZMA_OK) {
        if (z.total_out == cap) s = realloc(s, (cap *= 2) + 1);
        z.next_out = (uint8_t *)s + z.total_out;
        z.avail_out = cap - z.total_out;
        ret = lzma_code(&z, LZMA_FINISH);
    }
    *len = z.total_out;
    s[*len] = '\0';
    lzma_end(&z);
    free(packed);
    return s;
}

char *cases_slurp(const char *folder, const char *name, size_t *len)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *s = slurp(path, len);
    if (s) return s;
    snprintf(path, sizeof path, "%s/%s.xz", folder, name);
    s = slurp(path, len);
    return s ? unpack(s, *len, len) : NULL;
}

static hlmi_tokenizer *load_json(const char *folder, const char *name, bool *missing)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tokenizer *t = NULL;
    size_t len;
    hlmi_side_files side = {0};
    char *json = cases_slurp(folder, name, &len);
    char *config = cases_slurp(folder, "tokenizer_config.json", &side.config_len);
    side.config = config;
    *missing = !json;
    if (json) hlmi_tokenizer_from_json(&t, &mem, json, len, &side);
    free(json);
    free(config);
    return t;
}

static hlmi_tokenizer *load_spm(const char *folder, const char *name, bool *missing)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tokenizer *t = NULL;
    hlmi_side_files f = {0};
    size_t len;
    char *model = cases_slurp(folder, name, &len);
    char *config = cases_slurp(folder, "tokenizer_config.json", &f.config_len);
    char *added = cases_slurp(folder, "added_tokens.json", &f.added_len);
    f.config = config;
    f.added = added;
    *missing = !model;
    if (model) hlmi_tokenizer_from_spm(&t, &mem, model, len, &f);
    free(model);
    free(config);
    free(added);
    return t;
}

static hlmi_tokenizer *load_gguf(const char *path)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_store *store = NULL;
    hlmi_tokenizer *t = NULL;
    hlmi_vfs vfs;
    hlm_status st = hlmi_vfs_from(&vfs, NULL, true);
    if (st == HLM_OK) st = hlmi_store_open(&store, &mem, &vfs, path, HLMI_STORE_SIDE_FILES);
    if (st == HLM_OK) st = hlmi_vocab_load(&t, &mem, store, &(hlmi_logger){0});
    hlmi_store_close(store);
    return t;
}

hlmi_tokenizer *cases_load(const char *folder, const char *name, bool *missing)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (strstr(name, ".json")) return load_json(folder, name, missing);
    FILE *f = fopen(path, "rb");
    *missing = !f;
    if (!f) return NULL;
    fclose(f);
    if (strstr(name, ".gguf")) return load_gguf(path);
    return load_spm(folder, name, missing);
}

/* Of this thread's work: other programs on the machine do not count. */
static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

int cases_bench(const char *folder, const char *text_path)
{
    const hlmi_mem mem = hlmi_mem_default();
    bool missing;
    size_t len = 0;
    const double t0 = seconds();
    hlmi_tokenizer *tok = cases_load(folder, "tokenizer.json", &missing);
    const double t1 = seconds();
    char *text = slurp(text_path, &len);
    hlmi_ids ids;
    hlmi_ids_init(&ids, &mem);
    double encode = 1e9, decode = 1e9;
    for (int i = 0; tok && text && i < 5; i++) {
        hlmi_buf out;
        hlmi_buf_init(&out, &mem);
        ids.n = 0;
        const double a = seconds();
        if (hlmi_tokenizer_encode(tok, text, len, 0, &ids) != HLM_OK) puts(hlmi_error());
        const double b = seconds();
        hlmi_tokenizer_decode(tok, ids.v, ids.n, 0, &out);
        const double c = seconds();
        if (b - a < encode) encode = b - a;
        if (c - b < decode) decode = c - b;
        hlmi_buf_free(&out);
    }
    if (tok && text)
        printf("load %.1f ms, %zu bytes, %zu tokens, encode %.1f MB/s, decode %.1f MB/s\n", (t1 - t0) * 1e3, len, ids.n,
               (double)len / encode * 1e-6, (double)len / decode * 1e-6);
    hlmi_ids_free(&ids);
    hlmi_tokenizer_free(tok);
    free(text);
    return !tok || !len;
}
