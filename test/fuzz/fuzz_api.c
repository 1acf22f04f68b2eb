/* Fuzz target: the public API as a state machine. The input is a program: each byte a call on one of several models,
 * contexts, caches, samplers and streams, with numbers from the bytes after it, sensible and not. What the header
 * promises is held: statuses that it names, results only on success, a failed call that changes nothing, and the same
 * logits, bit for bit, as a fresh sequence of the same tokens. */
#define _GNU_SOURCE 1
#include <hybridlm/hybridlm.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/promised.h"
#include "../calls.h"

#ifndef MODELS
#  define MODELS "test/data/models" /* from the project's folder */
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODELS_N = 3, CONTEXTS = 2, CACHES = 5, LENGTH = 40, VOCAB_MAX = 4096, OPS = 64, TEXT = 256 };

static const char *const paths[MODELS_N] = {MODELS "/tiny-llama.gguf", MODELS "/falcon-h1-options",
                                            MODELS "/hymba-options"};

typedef struct engine {
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx[CONTEXTS], *judge; /* the judge has a pool of its own */
    size_t vocab;
} engine;

typedef struct sequence {
    hlm_cache *cache; /* NULL: none */
    size_t engine, n;
    int32_t ids[LENGTH];
} sequence;

/* What one input works with. */
typedef struct machine {
    const uint8_t *data;
    size_t size, at;
    sequence s[CACHES];
    hlm_sampler *sampler;
    hlm_text_stream *stream;
    uint8_t *saved; /* a sequence as bytes */
    size_t saved_size;
    sequence saved_of;
} machine;

static engine engines[MODELS_N];
static float got[VOCAB_MAX], want[VOCAB_MAX];

static unsigned byte(machine *m)
{
    return m->at < m->size ? m->data[m->at++] : 0;
}

static void open_engine(engine *e, const char *path)
{
    hlm_model_info info = {.struct_size = sizeof info};
    PROMISED(hlm_model_load(&e->model, path, NULL) == HLM_OK && hlm_model_info_get(e->model, &info) == HLM_OK);
    e->vocab = (size_t)info.vocab_size;
    PROMISED(e->vocab <= VOCAB_MAX);
    const hlm_pool_params pp = {.struct_size = sizeof pp,
                                .page_tokens = 4,
                                .mark_stride = 6,
                                .mark_bytes = 1 << 20,
                                .undo_tokens = 5,
                                .prefix_bytes = 1 << 20};
    PROMISED(hlm_pool_new(&e->pool, e->model, &pp) == HLM_OK);
    for (size_t i = 0; i < CONTEXTS; i++) {
        const hlm_ctx_params cp = {
            .struct_size = sizeof cp, .n_threads = (int32_t)i + 1, .max_rows = i ? 3 : 16, .pool = e->pool};
        PROMISED(hlm_ctx_new(&e->ctx[i], e->model, &cp) == HLM_OK);
    }
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .max_rows = LENGTH};
    PROMISED(hlm_ctx_new(&e->judge, e->model, &cp) == HLM_OK);
}

static sequence *pick(machine *m)
{
    return &m->s[byte(m) % CACHES];
}

static hlm_context *context_of(const sequence *s, unsigned which)
{
    return engines[s->engine].ctx[which % CONTEXTS];
}

/* The logits of the last token are those of a fresh sequence. */
static void compare(const sequence *s, const float *logits)
{
    const engine *e = &engines[s->engine];
    hlm_cache *fresh = NULL;
    PROMISED(hlm_cache_new(&fresh, hlm_ctx_pool(e->judge), NULL) == HLM_OK);
    const hlm_step step = {
        .struct_size = sizeof step, .cache = fresh, .tokens = s->ids, .n_tokens = s->n, .logits = want};
    const hlm_step *const steps[] = {&step};
    PROMISED(hlm_decode_step(e->judge, steps, 1) == HLM_OK);
    PROMISED(memcmp(logits, want, e->vocab * sizeof *want) == 0);
    hlm_cache_free(fresh);
}

/* After every call: lengths and tokens are what they should be. */
static void check(const sequence *s)
{
    int32_t ids[LENGTH];
    if (!s->cache) return;
    PROMISED(hlm_cache_length(s->cache) == (int64_t)s->n);
    PROMISED(hlm_cache_tokens(s->cache, 0, s->n, ids) == HLM_OK);
    PROMISED(memcmp(ids, s->ids, s->n * sizeof *ids) == 0);
    PROMISED(hlm_cache_pending(s->cache) >= 0 && hlm_cache_pending(s->cache) <= (int64_t)s->n);
}

static void drop(sequence *s)
{
    hlm_cache_free(s->cache);
    *s = (sequence){0};
}

static void op_new(machine *m)
{
    sequence *s = pick(m);
    drop(s);
    s->engine = byte(m) % MODELS_N;
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = LENGTH};
    PROMISED(hlm_cache_new(&s->cache, engines[s->engine].pool, &p) == HLM_OK);
}

/* Tokens from the program; now and then one that is none. */
static size_t tokens_of(machine *m, const engine *e, int32_t ids[LENGTH])
{
    const unsigned how = byte(m);
    const size_t n = how % 12;
    for (size_t i = 0; i < n; i++) ids[i] = (int32_t)((size_t)byte(m) * 7 % e->vocab);
    if (how >= 240 && n) ids[how % n] = how % 2 ? -1 - (int32_t)how : (int32_t)e->vocab + (int32_t)how;
    return n;
}

static void append(sequence *s, const int32_t *ids, size_t n)
{
    memcpy(s->ids + s->n, ids, n * sizeof *ids);
    s->n += n;
}

/* Whether a step of these tokens must work; anything else is one of the statuses named for it. */
static bool step_is_fine(const sequence *s, const int32_t *ids, size_t n, hlm_status *wrong)
{
    bool known = true;
    for (size_t i = 0; i < n; i++) known = known && ids[i] >= 0 && (size_t)ids[i] < engines[s->engine].vocab;
    *wrong = n == 0 ? HLM_E_EMPTY : !known ? HLM_E_TOKEN : HLM_E_FULL;
    return n && known && s->n + n <= LENGTH;
}

static void op_step(machine *m, bool sliced)
{
    sequence *s = pick(m);
    int32_t ids[LENGTH];
    if (!s->cache) return;
    const unsigned how = byte(m);
    hlm_context *ctx = context_of(s, how);
    const size_t n = tokens_of(m, &engines[s->engine], ids);
    const hlm_step step = {.struct_size = sizeof step, .cache = s->cache, .tokens = ids, .n_tokens = n, .logits = got};
    const hlm_step *const steps[] = {&step};
    hlm_status st, wrong;
    const bool fine = step_is_fine(s, ids, n, &wrong), cancel = fine && !sliced && how >= 250;
    if (cancel) hlm_ctx_cancel(ctx);
    if (sliced) {
        int32_t done = 0;
        st = hlm_step_begin(ctx, steps, 1);
        PROMISED(st != HLM_OK || hlm_decode_step(ctx, steps, 1) == HLM_E_BUSY);
        for (unsigned i = 0; st == HLM_OK && !done; i++) {
            if (i == how % 32) { /* given up on the way */
                PROMISED(hlm_step_abort(ctx) == HLM_OK);
                return;
            }
            PROMISED(hlm_cache_rewind(s->cache, 0, NULL) == HLM_E_BUSY);
            st = hlm_step_run(ctx, 1 + how % 64, &done);
        }
    } else {
        st = hlm_decode_step(ctx, steps, 1);
    }
    PROMISED(st == (cancel ? HLM_E_CANCELLED : fine ? HLM_OK : wrong));
    if (st != HLM_OK) return;
    append(s, ids, n);
    compare(s, got);
}

/* Two sequences in one step: of one pool, or refused. */
static void op_batch(machine *m)
{
    sequence *a = pick(m), *b = pick(m);
    static float rows[2][VOCAB_MAX];
    int32_t ids[2] = {(int32_t)byte(m), (int32_t)byte(m)};
    if (!a->cache || !b->cache) return;
    hlm_step steps[2];
    const hlm_step *const both[] = {&steps[0], &steps[1]};
    for (size_t i = 0; i < 2; i++) {
        const sequence *s = i ? b : a;
        ids[i] = (int32_t)((size_t)ids[i] % engines[s->engine].vocab);
        steps[i] = (hlm_step){
            .struct_size = sizeof steps[i], .cache = s->cache, .tokens = &ids[i], .n_tokens = 1, .logits = rows[i]};
    }
    const hlm_status st = hlm_decode_step(context_of(a, byte(m)), both, 2);
    if (a == b) PROMISED(st == HLM_E_BUSY || st == HLM_E_FULL);
    else if (a->engine != b->engine) PROMISED(st == HLM_E_MISMATCH || st == HLM_E_FULL);
    else PROMISED(st == (a->n < LENGTH && b->n < LENGTH ? HLM_OK : HLM_E_FULL));
    if (st != HLM_OK) return;
    append(a, &ids[0], 1);
    append(b, &ids[1], 1);
    compare(a, rows[0]);
    compare(b, rows[1]);
}

static void op_fork(machine *m)
{
    const sequence from = *pick(m);
    sequence *to = pick(m);
    if (!from.cache || to->cache == from.cache) return;
    const int64_t at = (int64_t)byte(m) - 2;
    hlm_cache *fork = NULL;
    const hlm_status st = hlm_cache_fork(&fork, from.cache, at);
    const bool fine = at == HLM_NOW || (at >= 0 && at <= (int64_t)from.n);
    PROMISED(st == (fine ? HLM_OK : HLM_E_ARG) && (st == HLM_OK) == (fork != NULL));
    if (st != HLM_OK) return;
    drop(to);
    *to = from;
    to->cache = fork;
    if (at >= 0) to->n = (size_t)at;
}

static void op_rewind(machine *m)
{
    sequence *s = pick(m);
    if (!s->cache) return;
    const int64_t pos = (int64_t)byte(m) % (LENGTH + 4) - 2;
    int64_t pending = -7;
    const hlm_status st = hlm_cache_rewind(s->cache, pos, &pending);
    const bool fine = pos >= 0 && pos <= (int64_t)s->n;
    PROMISED(st == (fine ? HLM_OK : HLM_E_ARG));
    if (!fine) return;
    PROMISED(pending >= 0 && pending <= pos && pending == hlm_cache_pending(s->cache));
    s->n = (size_t)pos;
}

static void op_marks(machine *m)
{
    const sequence *s = pick(m);
    int64_t pos[LENGTH + 1];
    size_t n = 0;
    if (!s->cache) return;
    hlm_status st = hlm_cache_mark(s->cache);
    PROMISED(st == HLM_OK || (st == HLM_E_UNREACHABLE && s->engine != 0)); /* behind a rewind, with a recurrent state */
    const int64_t at = (int64_t)byte(m) % (LENGTH + 4) - 2;
    st = hlm_cache_unmark(s->cache, at);
    PROMISED(st == (at >= 0 && at <= (int64_t)s->n ? HLM_OK : HLM_E_ARG));
    PROMISED(hlm_cache_marks(s->cache, pos, LENGTH + 1, &n) == HLM_OK && n <= s->n + 1);
    for (size_t i = 0; i < n; i++) PROMISED(pos[i] >= 0 && pos[i] <= (int64_t)s->n && (i == 0 || pos[i] > pos[i - 1]));
    PROMISED(n == 0 || hlm_cache_marks(s->cache, pos, n - 1, &n) == HLM_E_SPACE);
}

static void op_logits(machine *m)
{
    sequence *s = pick(m);
    if (!s->cache) return;
    const hlm_status st = hlm_cache_logits(context_of(s, byte(m)), s->cache, got);
    PROMISED(st == (s->n ? HLM_OK : HLM_E_EMPTY));
    if (st == HLM_OK) compare(s, got);
}

static void op_save(machine *m)
{
    const sequence *s = pick(m);
    size_t n = 0;
    if (!s->cache) return;
    PROMISED(hlm_cache_save_memory(s->cache, NULL, 0, &n) == HLM_E_SPACE && n > 0);
    uint8_t *bytes = malloc(n);
    PROMISED(bytes && hlm_cache_save_memory(s->cache, bytes, n, &n) == HLM_OK);
    free(m->saved);
    m->saved = bytes;
    m->saved_size = n;
    m->saved_of = *s;
}

/* Into its own model, another, or with a byte changed. */
static void op_load(machine *m)
{
    sequence *s = pick(m);
    const unsigned how = byte(m);
    if (!m->saved) return;
    const size_t into = how % 4 ? m->saved_of.engine : how / 4 % MODELS_N;
    const size_t at = m->saved_size * byte(m) / 256;
    if (how >= 200) m->saved[at] ^= 1;
    hlm_cache *c = NULL;
    const hlm_status st = hlm_cache_load_memory(&c, engines[into].pool, m->saved, m->saved_size, 0);
    if (how >= 200) m->saved[at] ^= 1;
    PROMISED((st == HLM_OK) == (c != NULL));
    if (how >= 200) PROMISED(st == HLM_E_FORMAT || st == HLM_E_MISMATCH || st == HLM_E_UNSUPPORTED);
    else PROMISED(st == (into == m->saved_of.engine ? HLM_OK : HLM_E_MISMATCH));
    if (st != HLM_OK) return;
    drop(s);
    *s = m->saved_of;
    s->cache = c;
}

static void op_reuse(machine *m)
{
    sequence *s = pick(m);
    const sequence *text = pick(m);
    size_t reused = 0, pending = 0;
    if (!s->cache || !text->cache || s->engine != text->engine || s == text || text->n == 0) return;
    if (byte(m) % 2) PROMISED(hlm_prefix_add(text->cache) == HLM_OK);
    PROMISED(call_reuse(s->cache, NULL, text->ids, text->n, &reused, &pending) == HLM_OK);
    PROMISED(reused < text->n && pending <= reused);
    PROMISED(hlm_cache_length(s->cache) == (int64_t)reused);
    memcpy(s->ids, text->ids, reused * sizeof *s->ids);
    s->n = reused;
}

static void op_sampler(machine *m)
{
    const engine *e = &engines[byte(m) % MODELS_N];
    const hlm_sampler_params p = {.struct_size = sizeof p,
                                  .seed = byte(m),
                                  .temperature = (float)byte(m) / 64.0f,
                                  .top_k = (int32_t)byte(m) - 4,
                                  .top_p = (float)byte(m) / 200.0f,
                                  .min_p = (float)byte(m) / 200.0f,
                                  .repetition_penalty = (float)byte(m) / 64.0f};
    hlm_sampler *one = NULL, *two = NULL;
    const hlm_status st = hlm_sampler_new(&one, e->model, &p);
    PROMISED((st == HLM_OK || st == HLM_E_ARG) && (st == HLM_OK) == (one != NULL));
    if (!one) return;
    for (size_t i = 0; i < e->vocab; i++) got[i] = (float)byte(m) - 100.0f;
    PROMISED(hlm_sampler_fork(&two, one) == HLM_OK);
    for (int i = 0; i < 3; i++) { /* a fork draws the same */
        int32_t a = -1, b = -2;
        PROMISED(hlm_sampler_sample(one, got, &a) == HLM_OK && hlm_sampler_sample(two, got, &b) == HLM_OK);
        PROMISED(a == b && a >= 0 && (size_t)a < e->vocab);
        PROMISED(hlm_sampler_accept(one, a) == HLM_OK && hlm_sampler_accept(two, b) == HLM_OK);
    }
    PROMISED(hlm_sampler_accept(one, (int32_t)e->vocab) == HLM_E_TOKEN);
    hlm_sampler_free(two);
    hlm_sampler_free(m->sampler);
    m->sampler = one;
}

/* A few tokens by hlm_generate, with drafts or without, are what steps of the same tokens say. */
static void op_generate(machine *m)
{
    sequence *s = pick(m);
    int32_t prompt[LENGTH], out[LENGTH];
    if (!s->cache) return;
    const unsigned how = byte(m);
    const size_t n = tokens_of(m, &engines[s->engine], prompt);
    const hlm_speculation drafts = {.struct_size = sizeof drafts, .n_draft = 4, .fixed = 1};
    hlm_generate_params p = {.struct_size = sizeof p,
                             .prompt = prompt,
                             .n_prompt = n,
                             .max_tokens = 1 + how % 6,
                             .ignore_eos = 1,
                             .tokens = out,
                             .tokens_cap = LENGTH,
                             .speculation = how >= 128 ? &drafts : NULL};
    hlm_generate_result r = {.struct_size = sizeof r};
    hlm_status wrong;
    const bool fine = step_is_fine(s, prompt, n, &wrong) || (n == 0 && s->n);
    const hlm_status st = hlm_generate(context_of(s, how), s->cache, NULL, &p, &r);
    PROMISED(fine ? st == HLM_OK : st == wrong || (st == HLM_E_ARG && n == 0));
    if (st != HLM_OK) {
        s->n = (size_t)hlm_cache_length(s->cache); /* what ran of the prompt stays */
        PROMISED(s->n <= LENGTH && hlm_cache_tokens(s->cache, 0, s->n, s->ids) == HLM_OK);
        return;
    }
    append(s, prompt, n);
    const size_t now = (size_t)hlm_cache_length(s->cache); /* the last token may not have been run */
    PROMISED(r.n_generated <= p.max_tokens && now >= s->n && now <= s->n + r.n_generated &&
             now + 1 >= s->n + r.n_generated);
    append(s, out, now - s->n);
}

/* Text: both ways, whole and in pieces. The models here have few tokens or no tokenizer at all. */
static void op_text(machine *m)
{
    const engine *e = &engines[byte(m) % MODELS_N];
    char text[TEXT], back[8 * TEXT];
    int32_t ids[TEXT + 8];
    const size_t n = byte(m) % TEXT;
    size_t out = 0, len = 0;
    const size_t there = m->size - m->at < n ? m->size - m->at : n;
    memset(text, 0, sizeof text);
    memcpy(text, m->data + m->at, there);
    m->at += there;
    const hlm_status st = hlm_tokenize(e->model, text, n, byte(m) % 4, ids, TEXT + 8, &out);
    PROMISED(st == HLM_OK || st == HLM_E_SPACE || st == HLM_E_UNSUPPORTED || st == HLM_E_ARG || st == HLM_E_LIMIT);
    if (st != HLM_OK) return;
    for (size_t i = 0; i < out; i++) PROMISED(ids[i] >= 0);
    const hlm_status dst = hlm_detokenize(e->model, ids, out, byte(m) % 2, back, sizeof back, &len);
    PROMISED(dst == HLM_OK || dst == HLM_E_SPACE);
    hlm_text_stream_free(m->stream);
    m->stream = NULL;
    PROMISED(hlm_text_stream_new(&m->stream, e->model, 0) == HLM_OK);
    const char *piece = NULL;
    for (size_t i = 0; i < out; i++) PROMISED(hlm_text_stream_push(m->stream, ids[i], &piece, &len) == HLM_OK);
    PROMISED(hlm_text_stream_finish(m->stream, &piece, &len) == HLM_OK);
}

/* Sizes of structs that end anywhere, and nothing where something is needed. */
static void op_wrong(machine *m)
{
    const sequence *s = pick(m);
    const engine *e = &engines[s->engine];
    union {
        hlm_ctx_params ctx;
        hlm_cache_params cache;
        hlm_pool_params pool;
        hlm_sampler_params sampler;
        uint8_t bytes[512];
    } u;
    memset(&u, 0, sizeof u);
    u.ctx.struct_size = byte(m);
    hlm_cache *c = NULL;
    hlm_sampler *sampler = NULL;
    hlm_status st = hlm_cache_new(&c, e->pool, &u.cache);
    PROMISED((st == HLM_OK) == (c != NULL) && (st == HLM_OK || st == HLM_E_ARG));
    hlm_cache_free(c);
    st = hlm_sampler_new(&sampler, e->model, &u.sampler);
    PROMISED((st == HLM_OK) == (sampler != NULL) && (st == HLM_OK || st == HLM_E_ARG));
    hlm_sampler_free(sampler);
    PROMISED(hlm_cache_new(&c, NULL, NULL) == HLM_E_ARG && !c);
    PROMISED(hlm_decode_step(NULL, NULL, 0) != HLM_OK);
    PROMISED(hlm_cache_fork(&c, NULL, 0) == HLM_E_ARG && !c);
    PROMISED(hlm_cache_rewind(NULL, 0, NULL) == HLM_E_ARG && hlm_cache_length(NULL) <= 0);
    PROMISED(strlen(hlm_last_error()) > 5);
}

static void op_score(machine *m)
{
    const engine *e = &engines[byte(m) % MODELS_N];
    int32_t ids[LENGTH];
    float logprobs[LENGTH];
    double sum = 0;
    const size_t n = tokens_of(m, e, ids);
    bool known = true;
    for (size_t i = 0; i < n; i++) known = known && ids[i] >= 0 && (size_t)ids[i] < e->vocab;
    const hlm_status st = call_score(e->ctx[byte(m) % CONTEXTS], ids, n, logprobs, &sum);
    PROMISED(st == HLM_OK ? known : st == HLM_E_TOKEN || st == HLM_E_EMPTY || st == HLM_E_ARG);
    if (st == HLM_OK) PROMISED(sum <= 0);
}

static void op_free(machine *m)
{
    drop(pick(m));
    if (byte(m) % 8 == 0) PROMISED(hlm_prefix_clear(engines[byte(m) % MODELS_N].pool) == HLM_OK);
}

static void op_reserve(machine *m)
{
    const sequence *s = pick(m);
    if (!s->cache) return;
    const int64_t n = (int64_t)byte(m) - 3;
    const hlm_status st = hlm_cache_reserve(s->cache, n);
    PROMISED(n < 0 ? st == HLM_E_ARG : st == HLM_OK || st == HLM_E_FULL);
}

static void one_call(machine *m)
{
    static void (*const calls[])(machine *) = {op_new,   op_batch, op_fork,  op_rewind,  op_marks,    op_logits,
                                               op_save,  op_load,  op_reuse, op_sampler, op_generate, op_text,
                                               op_wrong, op_score, op_free,  op_reserve};
    enum { CALLS = sizeof calls / sizeof *calls };
    const unsigned which = byte(m) % (CALLS + 8); /* steps more often than others */
    if (which < CALLS) calls[which](m);
    else op_step(m, which % 4 == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    machine m = {.data = data, .size = size};
    for (size_t i = 0; i < MODELS_N; i++)
        if (!engines[i].model) open_engine(&engines[i], paths[i]);
    for (int i = 0; i < OPS && m.at < m.size; i++) {
        one_call(&m);
        for (size_t k = 0; k < CACHES; k++) check(&m.s[k]);
    }
    for (size_t k = 0; k < CACHES; k++) drop(&m.s[k]);
    hlm_sampler_free(m.sampler);
    hlm_text_stream_free(m.stream);
    free(m.saved);
    for (size_t i = 0; i < MODELS_N; i++) { /* nothing is left but what the prefix cache and the memory tokens hold */
        uint64_t used = 0;
        hlm_prefix_info info = {.struct_size = sizeof info};
        PROMISED(hlm_prefix_clear(engines[i].pool) == HLM_OK && call_usage(engines[i].pool, &used, NULL) == HLM_OK);
        PROMISED(hlm_prefix_info_get(engines[i].pool, &info) == HLM_OK && info.bytes == 0);
        static uint64_t kept[MODELS_N];
        if (kept[i] < used) kept[i] = used;
        PROMISED(used <= 1 << 20);
    }
    return 0;
}
