/* Best of n: draws N texts that follow a prompt and prints the one that the model itself finds likeliest, by the mean
 * log-probability of its tokens. The prompt is read once; each text is written on a fork of its cache with a sampler of
 * its own seed.
 *   cc best_of_n.c $(pkg-config --cflags --libs hybridlm) -lm -o best_of_n && ./best_of_n MODEL.gguf "Once upon a time" 8 64 */
#include "texts.h"

/* Draws a text's next token from the logits behind it. */
static hlm_status draw(const reader *r, text *t, hlm_sampler *sampler, const float *logits)
{
    int32_t token;
    hlm_status st = hlm_sampler_sample(sampler, logits, &token);
    if (st == HLM_OK) st = hlm_sampler_accept(sampler, token);
    if (st != HLM_OK) return st;
    t->tokens[t->n++] = token;
    t->sum += (double)logits[token] - log_sum(logits, r->vocab);
    t->ended = hlm_model_token_ends(r->model, token);
    return HLM_OK;
}

/* n texts behind the reader's prompt. */
static hlm_status draw_texts(const reader *r, size_t n, size_t max_tokens, float temperature, text *texts)
{
    hlm_sampler *samplers[MOST_TEXTS] = {NULL};
    size_t running = n;
    hlm_status st = HLM_OK;
    memset(texts, 0, n * sizeof *texts);
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        const hlm_sampler_params p = {.struct_size = sizeof p, .seed = i, .temperature = temperature};
        st = hlm_cache_fork(&texts[i].cache, r->cache, HLM_NOW);
        if (st == HLM_OK) st = hlm_sampler_new(&samplers[i], r->model, &p);
        if (st == HLM_OK) st = draw(r, &texts[i], samplers[i], r->logits);
    }
    for (size_t t = 1; t < max_tokens && running && st == HLM_OK; t++) {
        st = step_texts(r, texts, n, &running);
        for (size_t i = 0; i < n && st == HLM_OK; i++)
            if (!texts[i].ended) st = draw(r, &texts[i], samplers[i], r->logits + i * r->vocab);
    }
    for (size_t i = 0; i < n; i++) {
        hlm_cache_free(texts[i].cache);
        hlm_sampler_free(samplers[i]);
    }
    return st;
}

/* The first of the texts with the largest mean. */
static const text *choose(const text *texts, size_t n)
{
    const text *best = texts;
    for (size_t i = 1; i < n; i++)
        if (mean(&texts[i]) > mean(best)) best = &texts[i];
    return best;
}

int main(int argc, char **argv)
{
    const size_t n = argc == 5 ? strtoul(argv[3], NULL, 10) : 0,
                 max_tokens = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    if (n < 1 || n > MOST_TEXTS || max_tokens < 1 || max_tokens > MOST_TOKENS)
        return fprintf(stderr, "usage: best_of_n MODEL PROMPT N TOKENS (at most %d, %d)\n", MOST_TEXTS, MOST_TOKENS), 2;
    static text texts[MOST_TEXTS];
    reader r = {0};
    hlm_status st = open_reader(&r, argv[1], argv[2], n);
    if (st == HLM_OK) st = draw_texts(&r, n, max_tokens, 0.8f, texts);
    if (st == HLM_OK) st = print_text(&r, choose(texts, n));
    if (st != HLM_OK) fprintf(stderr, "best_of_n: %s\n", hlm_last_error());
    close_reader(&r);
    return st == HLM_OK ? 0 : 1;
}
