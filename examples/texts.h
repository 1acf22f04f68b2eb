/* What beam.c and best_of_n.c share: a prompt that is read once, and texts that grow behind it on forks of its cache, a
 * token of each in a batch. */
#ifndef EXAMPLES_TEXTS_H
#define EXAMPLES_TEXTS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hybridlm/hybridlm.h>

enum { MOST_TEXTS = 64, MOST_TOKENS = 512, MOST_PROMPT = 1024 };

/* A model that has read a prompt. */
typedef struct reader {
    hlm_model *model;
    hlm_context *ctx;
    hlm_cache *cache; /* the prompt */
    float *
        logits; /* [texts, vocab] behind each text's last token; the first are those behind the prompt, to begin with */
    size_t vocab;
} reader;

typedef struct text {
    hlm_cache *cache; /* the prompt and all tokens but the last */
    int32_t tokens[MOST_TOKENS];
    size_t n;
    double sum; /* of the tokens' log-probabilities */
    int ended;
} text;

static hlm_status read_prompt(reader *r, const int32_t *prompt, size_t n)
{
    hlm_status st = hlm_cache_new(&r->cache, hlm_ctx_pool(r->ctx), NULL);
    const hlm_step all = {
        .struct_size = sizeof all, .cache = r->cache, .tokens = prompt, .n_tokens = n, .logits = r->logits};
    const hlm_step *const steps[] = {&all};
    return st == HLM_OK ? hlm_decode_step(r->ctx, steps, 1) : st;
}

/* close_reader is for the caller, also when it fails. */
static hlm_status open_reader(reader *r, const char *model, const char *prompt, size_t texts)
{
    int32_t ids[MOST_PROMPT];
    size_t n = 0;
    hlm_model_info info = {.struct_size = sizeof info};
    hlm_status st = hlm_model_load(&r->model, model, NULL);
    if (st == HLM_OK) st = hlm_model_info_get(r->model, &info);
    if (st == HLM_OK) st = hlm_ctx_new(&r->ctx, r->model, NULL);
    if (st == HLM_OK)
        st = hlm_tokenize(r->model, prompt, strlen(prompt), HLM_TOKENIZE_ADD_SPECIAL, ids, MOST_PROMPT, &n);
    r->vocab = (size_t)info.vocab_size;
    if (st == HLM_OK) r->logits = malloc(texts * r->vocab * sizeof *r->logits);
    if (st == HLM_OK && !r->logits) st = HLM_E_NOMEM;
    return st == HLM_OK ? read_prompt(r, ids, n) : st;
}

static void close_reader(reader *r)
{
    free(r->logits);
    hlm_cache_free(r->cache);
    hlm_ctx_free(r->ctx);
    hlm_model_release(r->model);
}

/* What is subtracted from logits to make them log-probabilities. */
static double log_sum(const float *logits, size_t n)
{
    double max = (double)logits[0], sum = 0;
    for (size_t t = 1; t < n; t++) max = fmax(max, (double)logits[t]);
    for (size_t t = 0; t < n; t++) sum += exp((double)logits[t] - max);
    return max + log(sum);
}

/* The last token of every text that goes on, in one batch: *running is their number. */
static hlm_status step_texts(const reader *r, const text *texts, size_t n, size_t *running)
{
    hlm_step list[MOST_TEXTS];
    const hlm_step *steps[MOST_TEXTS];
    *running = 0;
    for (size_t i = 0; i < n; i++) {
        if (texts[i].ended) continue;
        list[i] = (hlm_step){.struct_size = sizeof list[i],
                             .cache = texts[i].cache,
                             .tokens = &texts[i].tokens[texts[i].n - 1],
                             .n_tokens = 1,
                             .logits = r->logits + i * r->vocab};
        steps[(*running)++] = &list[i];
    }
    return *running ? hlm_decode_step(r->ctx, steps, *running) : HLM_OK;
}

static double mean(const text *t)
{
    return t->sum / (double)t->n;
}

static hlm_status print_text(const reader *r, const text *t)
{
    char out[16 * MOST_TOKENS];
    size_t len = 0;
    const hlm_status st = hlm_detokenize(r->model, t->tokens, t->n, HLM_DETOKENIZE_SKIP_SPECIAL, out, sizeof out, &len);
    if (st == HLM_OK) printf("%.*s\n[%zu tokens, mean log-probability %.4f]\n", (int)len, out, t->n, mean(t));
    return st;
}

#endif
