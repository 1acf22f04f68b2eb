/* Best of n: draws N texts that follow a prompt and prints the one that the model itself finds likeliest, by the mean
 * log-probability of its tokens. The prompt is read once; each text is written on a fork of its cache with a sampler of
 * its own seed, one token of all of them in a batch.
 *   cc best_of_n.c $(pkg-config --cflags --libs hybridlm) -lm -o best_of_n && ./best_of_n MODEL.gguf "Once upon a time" 8 64 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hybridlm/hybridlm.h>

enum { MOST_ANSWERS = 64, MOST_TOKENS = 512, MOST_PROMPT = 1024 };

typedef struct answer {
    hlm_cache *cache;
    hlm_sampler *sampler;
    int32_t tokens[MOST_TOKENS];
    size_t n;
    double sum; /* of the tokens' log-probabilities */
    int ended;
} answer;

static double log_probability(const float *logits, size_t vocab, int32_t token)
{
    double max = (double)logits[0], sum = 0;
    for (size_t t = 1; t < vocab; t++) max = fmax(max, (double)logits[t]);
    for (size_t t = 0; t < vocab; t++) sum += exp((double)logits[t] - max);
    return (double)logits[token] - max - log(sum);
}

/* Draws an answer's next token from the logits behind it. */
static hlm_status draw(const hlm_model *model, answer *a, const float *logits, size_t vocab)
{
    int32_t token;
    hlm_status st = hlm_sampler_sample(a->sampler, logits, &token);
    if (st == HLM_OK) st = hlm_sampler_accept(a->sampler, token);
    if (st != HLM_OK) return st;
    a->tokens[a->n++] = token;
    a->sum += log_probability(logits, vocab, token);
    a->ended = hlm_token_ends(model, token);
    return HLM_OK;
}

/* The latest token of every answer that goes on, in one batch, and the next of each. *running: how many there were. */
static hlm_status step(const hlm_model *model, hlm_context *ctx, answer *answers, size_t n, float *logits, size_t vocab,
                       size_t *running)
{
    hlm_step list[MOST_ANSWERS];
    const hlm_step *steps[MOST_ANSWERS];
    *running = 0;
    for (size_t i = 0; i < n; i++) {
        if (answers[i].ended) continue;
        hlm_step *s = &list[*running];
        *s = (hlm_step){.struct_size = sizeof *s,
                        .cache = answers[i].cache,
                        .tokens = &answers[i].tokens[answers[i].n - 1],
                        .n_tokens = 1,
                        .logits = logits + *running * vocab};
        steps[(*running)++] = s;
    }
    hlm_status st = *running ? hlm_decode_step(ctx, steps, *running) : HLM_OK;
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        if (answers[i].ended) continue;
        st = draw(model, &answers[i], logits, vocab);
        logits += vocab;
    }
    return st;
}

/* n answers to a prompt that `first` has read; logits [n, vocab] begins with those behind it. */
static hlm_status best_of_n(hlm_model *model, hlm_context *ctx, hlm_cache *first, size_t n, size_t max_tokens,
                            float temperature, float *logits, size_t vocab, answer *answers)
{
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        const hlm_sampler_params p = {.struct_size = sizeof p, .seed = i, .temperature = temperature};
        answers[i] = (answer){.n = 0};
        st = hlm_cache_fork(&answers[i].cache, first, HLM_NOW);
        if (st == HLM_OK) st = hlm_sampler_new(&answers[i].sampler, model, &p);
        if (st == HLM_OK) st = draw(model, &answers[i], logits, vocab);
    }
    size_t running = n;
    for (size_t t = 1; t < max_tokens && running && st == HLM_OK; t++)
        st = step(model, ctx, answers, n, logits, vocab, &running);
    for (size_t i = 0; i < n; i++) {
        hlm_cache_free(answers[i].cache);
        hlm_sampler_free(answers[i].sampler);
    }
    return st;
}

/* The first of the answers with the largest mean. */
static const answer *choose(const answer *answers, size_t n)
{
    const answer *best = answers;
    for (size_t i = 1; i < n; i++)
        if (answers[i].sum / (double)answers[i].n > best->sum / (double)best->n) best = &answers[i];
    return best;
}

static hlm_status print_answer(const hlm_model *model, const answer *answers, size_t n)
{
    char text[16 * MOST_TOKENS];
    size_t len = 0;
    const answer *best = choose(answers, n);
    const hlm_status st =
        hlm_detokenize(model, best->tokens, best->n, HLM_DETOKENIZE_SKIP_SPECIAL, text, sizeof text, &len);
    if (st != HLM_OK) return st;
    printf("%.*s\n[answer %zu of %zu, mean log-probability %.4f]\n", (int)len, text, (size_t)(best - answers) + 1, n,
           best->sum / (double)best->n);
    return HLM_OK;
}

int main(int argc, char **argv)
{
    const size_t n = argc == 5 ? strtoul(argv[3], NULL, 10) : 0,
                 max_tokens = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    if (n < 1 || n > MOST_ANSWERS || max_tokens < 1 || max_tokens > MOST_TOKENS)
        return fprintf(stderr, "usage: best_of_n MODEL PROMPT N TOKENS (at most %d, %d)\n", MOST_ANSWERS, MOST_TOKENS),
               2;
    static answer answers[MOST_ANSWERS];
    int32_t prompt[MOST_PROMPT];
    size_t n_prompt = 0, vocab = 0;
    hlm_model *model = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    hlm_model_info info = {.struct_size = sizeof info};
    float *logits = NULL;

    hlm_status st = hlm_model_load(&model, argv[1], NULL);
    if (st == HLM_OK) st = hlm_model_info_get(model, &info);
    if (st == HLM_OK)
        st = hlm_tokenize(model, argv[2], strlen(argv[2]), HLM_TOKENIZE_ADD_SPECIAL, prompt, MOST_PROMPT, &n_prompt);
    if (st == HLM_OK) st = hlm_ctx_new(&ctx, model, NULL);
    if (st == HLM_OK) st = hlm_cache_new(&cache, hlm_ctx_pool(ctx), NULL);
    vocab = (size_t)info.vocab_size;
    if (st == HLM_OK) logits = malloc(n * vocab * sizeof *logits);
    if (st == HLM_OK && !logits) st = HLM_E_NOMEM;
    if (st == HLM_OK) {
        const hlm_step read = {
            .struct_size = sizeof read, .cache = cache, .tokens = prompt, .n_tokens = n_prompt, .logits = logits};
        const hlm_step *const steps[] = {&read};
        st = hlm_decode_step(ctx, steps, 1);
    }
    if (st == HLM_OK) st = best_of_n(model, ctx, cache, n, max_tokens, 0.8f, logits, vocab, answers);
    if (st == HLM_OK) st = print_answer(model, answers, n);
    if (st != HLM_OK) fprintf(stderr, "best_of_n: %s\n", hlm_last_error());

    free(logits);
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
    return st == HLM_OK ? 0 : 1;
}
