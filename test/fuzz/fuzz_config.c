/* Fuzz target: config.json, ended by a zero byte, and a table of tensors, a line each: name, dtype, dimensions. Both
 * are loaded as a folder whose numbers are made here, from files that can be mapped and that can only be read. What
 * loads is a model: it is planned, run, forked and rewound, and gives the bits of a fresh sequence. Settings alone take
 * no memory. */
#define _GNU_SOURCE 1
#include "fuzz/fuzz_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "unit/memfs.h"
#include "fuzz/promised.h"
#include "fuzz/capped.h"
#include "../calls.h"

enum {
    MOST_BYTES = 4 << 20, /* of tensors */
    LOAD_CAP = 64 << 20, /* of memory to load them, widened and with an upper bound on layers */
    RUN_CAP = 256 << 20,
    MOST_TENSORS = 4096,
    LONGEST = 1 << 17,
    NAME = 256,
    RANK = 8,
    IDS = 4
};

static unsigned long accepted, accepted_headless;

unsigned long fuzz_accepted(void)
{
    return accepted;
}

unsigned long fuzz_accepted_headless(void)
{
    return accepted_headless;
}

static capped memory; /* its cap is a fault to reach */

/* ---- the file of tensors ---- */

static size_t dtype_bytes(const char *name)
{
    const size_t n = strcspn(name, "0123456789");
    const unsigned long bits = strtoul(name + n, NULL, 10);
    return bits >= 16 && bits <= 64 ? bits / 8 : 1;
}

/* One line to a member of the header. 0: more bytes than one input may have, or no line of the table. */
static int add_tensor(FILE *header, const char *line, size_t *at)
{
    char name[NAME], dtype[16];
    int used = 0;
    if (sscanf(line, "%255s %15[A-Z0-9_]%n", name, dtype, &used) != 2) return 0;
    uint64_t size = dtype_bytes(dtype);
    json_t *key = json_string(name);
    char *quoted = key ? json_dumps(key, JSON_ENCODE_ANY) : NULL;
    json_decref(key);
    if (!quoted) return 0;
    fprintf(header, ", %s: {\"dtype\": \"%s\", \"shape\": [", quoted, dtype);
    free(quoted);
    line += used;
    for (int rank = 0; rank < RANK; rank++) {
        char *end;
        const unsigned long long dim = strtoull(line, &end, 10);
        if (end == line) break;
        fprintf(header, "%s%llu", rank ? ", " : "", dim);
        if (dim && size > MOST_BYTES / dim) return 0;
        size *= dim;
        line = end;
    }
    if (size > MOST_BYTES - *at) return 0;
    fprintf(header, "], \"data_offsets\": [%zu, %zu]}", *at, (size_t)(*at + size));
    *at += (size_t)size;
    return 1;
}

/* As bf16 and f32 small numbers of both signs, as f16 some between 1 and 2. */
static void fill(uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t mixed = (uint32_t)i * 2654435761u >> 13;
        data[i] = (uint8_t)(i & 1 ? 0x3C | (mixed & 0x80) : mixed);
    }
}

/* The whole file; table is changed. NULL: this input is none. */
static uint8_t *make_tensors(char *table, size_t *size)
{
    char *header = NULL, *rest = table;
    size_t length = 0, numbers = 0, n = 0;
    FILE *f = open_memstream(&header, &length);
    int good = f != NULL;
    if (f) fputs("{\"__metadata__\": {\"format\": \"pt\"}", f);
    for (char *line; good && (line = strsep(&rest, "\n")) != NULL;)
        if (*line) good = ++n <= MOST_TENSORS && add_tensor(f, line, &numbers);
    if (f) fputs("}", f);
    if (f) fclose(f);
    *size = 8 + length + numbers;
    uint8_t *data = good ? malloc(*size) : NULL;
    if (data) {
        for (size_t i = 0; i < 8; i++) data[i] = (uint8_t)((uint64_t)length >> (8 * i));
        memcpy(data + 8, header, length);
        fill(data + 8 + length, numbers);
    }
    free(header);
    return data;
}

/* ---- a model that loaded ---- */

typedef struct user {
    hlm_model *model;
    hlm_context *ctx;
    hlm_model_info info;
    size_t width; /* of a row of logits, or of the stream without a head */
} user;

static hlm_cache *fresh(const user *u)
{
    hlm_cache *c = NULL;
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = 64};
    PROMISED(hlm_cache_new(&c, hlm_ctx_pool(u->ctx), &p) == HLM_OK);
    return c;
}

/* A step; the last row that it gives, which is the caller's to free. */
static float *step(const user *u, hlm_cache *c, const int32_t *ids, size_t n)
{
    const bool head = u->info.head != HLM_HEAD_NONE;
    float *out = malloc((head ? 1 : n) * u->width * sizeof *out);
    PROMISED(out);
    const hlm_hidden h = {.struct_size = sizeof h, .layer = u->info.n_layers, .out = out};
    const hlm_hidden *const hs[] = {&h};
    const hlm_step one = {.struct_size = sizeof one,
                          .cache = c,
                          .tokens = ids,
                          .n_tokens = n,
                          .logits = head ? out : NULL,
                          .hidden = head ? NULL : hs,
                          .n_hidden = head ? 0 : 1};
    const hlm_step *const steps[] = {&one};
    PROMISED(hlm_decode_step(u->ctx, steps, 1) == HLM_OK);
    if (!head) memmove(out, out + (n - 1) * u->width, u->width * sizeof *out);
    return out;
}

static void same(const user *u, float *a, float *b)
{
    PROMISED(memcmp(a, b, u->width * sizeof *a) == 0);
    free(a);
    free(b);
}

/* a: x y | z, forked behind y, rewound behind x and gone on with w; against sequences that were never cut. */
static void run(const user *u)
{
    int32_t ids[IDS];
    hlm_cache *f = NULL;
    for (int32_t i = 0; i < IDS; i++) ids[i] = i * 5 % u->info.vocab_size;
    hlm_cache *a = fresh(u), *b = fresh(u);
    free(step(u, a, ids, 2));
    float *last = step(u, a, ids + 2, 1);
    PROMISED(hlm_cache_fork(&f, a, 2) == HLM_OK);
    same(u, last, step(u, f, ids + 2, 1));
    PROMISED(hlm_cache_rewind(a, 1, NULL) == HLM_OK);
    const int32_t other[] = {ids[0], ids[3]};
    same(u, step(u, a, other + 1, 1), step(u, b, other, 2));
    hlm_cache_free(a);
    hlm_cache_free(b);
    hlm_cache_free(f);
    float *vector = malloc((size_t)u->info.hidden_size * sizeof *vector);
    PROMISED(vector && call_embed(u->ctx, ids, IDS, HLM_EMBED_MEAN, 1, vector) == HLM_OK);
    free(vector);
}

static void use(hlm_model *model)
{
    user u = {.model = model, .info = {.struct_size = sizeof u.info}};
    const hlm_plan_params pp = {.struct_size = sizeof pp, .n_tokens = 64, .n_threads = 1, .max_rows = 4};
    hlm_memory_plan_info plan = {.struct_size = sizeof plan};
    PROMISED(hlm_model_info_get(model, &u.info) == HLM_OK);
    PROMISED(u.info.vocab_size > 0 && u.info.n_layers > 0 && u.info.hidden_size > 0 && u.info.arch[0]);
    u.width = (size_t)(u.info.head == HLM_HEAD_NONE       ? u.info.hidden_size
                           : u.info.head == HLM_HEAD_TEXT ? u.info.vocab_size
                                                          : u.info.n_labels);
    PROMISED(hlm_model_plan_memory(model, &pp, &plan) == HLM_OK);
    accepted++;
    accepted_headless += u.info.head == HLM_HEAD_NONE ? 1 : 0;
    if (plan.total > RUN_CAP / 8) return; /* a state of legal size that is no use here */
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .max_rows = 4};
    memory.cap = RUN_CAP;
    PROMISED(hlm_ctx_new(&u.ctx, model, &cp) == HLM_OK);
    run(&u);
    hlm_ctx_free(u.ctx);
}

static hlm_status load(memfs *fs, bool map)
{
    const hlm_vfs vfs = {sizeof vfs, fs, memfs_open, memfs_size, memfs_read, map ? memfs_map : NULL, memfs_close};
    const hlm_allocator a = capped_allocator(&memory);
    const hlm_model_params p = {.struct_size = sizeof p, .vfs = &vfs, .allocator = &a};
    hlm_model *model = NULL;
    memory.cap = LOAD_CAP;
    const hlm_status st = hlm_model_load(&model, "d", &p);
    PROMISED((st == HLM_OK) == (model != NULL));
    PROMISED(st == HLM_OK || st == HLM_E_FORMAT || st == HLM_E_UNSUPPORTED);
    const char *sentence = model ? "d: a model" : hlm_last_error(); /* begins with the path */
    PROMISED(sentence[0] == 'd' && (sentence[1] == ':' || sentence[1] == '/') && strlen(sentence) > 9);
    if (model && map) use(model);
    hlm_model_release(model);
    PROMISED(fs->open == 0 && memory.live == 0 && memory.bytes == 0 && !memory.refused);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memfs fs = {.n = 0};
    const uint8_t *end = size && size <= LONGEST ? memchr(data, 0, size) : NULL;
    if (!end) return 0;
    const size_t n = (size_t)(end - data);
    char *table = strndup((const char *)end + 1, size - n - 1);
    size_t length = 0;
    uint8_t *tensors = table ? make_tensors(table, &length) : NULL;
    if (tensors) {
        memfs_add(&fs, "d/config.json", data, n);
        memfs_add(&fs, "d/model.safetensors", tensors, length);
        const hlm_status st = load(&fs, false);
        PROMISED(load(&fs, true) == st);
        memfs_clear(&fs);
    }
    free(tensors);
    free(table);
    return 0;
}
