/* Beam search: follows the WIDTH likeliest texts at once and prints the one with the best mean log-probability. Beams are
 * forks of one cache: the prompt is read once and kept once, by models with recurrent state too, and a fork costs a few
 * pointers. All beams take their next token in one batch.
 *   cc beam.c $(pkg-config --cflags --libs hybridlm) -lm -o beam && ./beam MODEL.gguf "Once upon a time" 4 32 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hybridlm/hybridlm.h>

enum { MOST_BEAMS = 16, MOST_TOKENS = 256, MOST_PROMPT = 1024 };
#define LENGTH_PENALTY 1.0 /* 0: the sum counts, which short texts win; 1: the mean; above: long texts win */

typedef struct beam {
    hlm_cache *cache; /* holds the prompt and all tokens but the last */
    int32_t tokens[MOST_TOKENS];
    size_t n;
    double sum; /* of the tokens' log-probabilities */
} beam;

static double worth(const beam *b)
{
    return b->sum / pow((double)b->n, LENGTH_PENALTY);
}

/* One beam with one token more. */
typedef struct way {
    size_t from;
    int32_t token;
    double sum;
} way;

/* Keeps the `most` best ways in order; of equals the one that was there. */
static void keep_best(way *list, size_t *n, size_t most, way w)
{
    size_t i = *n;
    while (i > 0 && w.sum > list[i - 1].sum) i--;
    if (i == most) return;
    if (*n < most) ++*n;
    for (size_t k = *n - 1; k > i; k--) list[k] = list[k - 1];
    list[i] = w;
}

/* All ways from a beam, by the logits behind it. */
static void add_ways(const beam *b, size_t from, const float *logits, size_t vocab, way *list, size_t *n, size_t most)
{
    double max = (double)logits[0], sum = 0;
    for (size_t t = 1; t < vocab; t++) max = fmax(max, (double)logits[t]);
    for (size_t t = 0; t < vocab; t++) sum += exp((double)logits[t] - max);
    for (size_t t = 0; t < vocab; t++)
        keep_best(list, n, most, (way){from, (int32_t)t, b->sum + (double)logits[t] - max - log(sum)});
}

/* The ways become the beams. Those that end their text leave the race, the best of them stays in *best. */
static hlm_status grow(const hlm_model *model, beam *beams, size_t *n, const way *ways, size_t n_ways, beam *best)
{
    static beam old[MOST_BEAMS];
    const size_t n_old = *n;
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < n_old; i++) old[i] = beams[i];
    *n = 0;
    for (size_t i = 0; i < n_ways && st == HLM_OK; i++) {
        beam *b = &beams[*n];
        *b = old[ways[i].from];
        b->sum = ways[i].sum;
        b->tokens[b->n++] = ways[i].token;
        if (hlm_token_ends(model, ways[i].token)) {
            if (best->n == 0 || worth(b) > worth(best)) *best = *b;
            continue;
        }
        st = hlm_cache_fork(&b->cache, old[ways[i].from].cache, HLM_NOW);
        *n += st == HLM_OK;
    }
    for (size_t i = 0; i < n_old; i++) hlm_cache_free(old[i].cache);
    return st;
}

/* Every beam's last token in one batch. */
static hlm_status step(hlm_context *ctx, const beam *beams, size_t n, float *logits, size_t vocab)
{
    hlm_step list[MOST_BEAMS];
    const hlm_step *steps[MOST_BEAMS];
    for (size_t i = 0; i < n; i++) {
        list[i] = (hlm_step){.struct_size = sizeof list[i],
                             .cache = beams[i].cache,
                             .tokens = &beams[i].tokens[beams[i].n - 1],
                             .n_tokens = 1,
                             .logits = logits + i * vocab};
        steps[i] = &list[i];
    }
    return hlm_decode_step(ctx, steps, n);
}

/* The best of the texts that follow `prompt`, of at most max_tokens. logits: [width, vocab] to work in. */
static hlm_status beam_search(hlm_model *model, hlm_context *ctx, const int32_t *prompt, size_t n_prompt, size_t width,
                              size_t max_tokens, float *logits, size_t vocab, beam *best)
{
    static beam beams[MOST_BEAMS];
    size_t n = 1;
    best->n = 0;
    beams[0] = (beam){.n = 0};
    hlm_status st = hlm_cache_new(&beams[0].cache, hlm_ctx_pool(ctx), NULL);
    if (st != HLM_OK) return st;
    const hlm_step read = {
        .struct_size = sizeof read, .cache = beams[0].cache, .tokens = prompt, .n_tokens = n_prompt, .logits = logits};
    const hlm_step *const steps[] = {&read};
    st = hlm_decode_step(ctx, steps, 1);
    for (size_t t = 0; t < max_tokens && n > 0 && st == HLM_OK; t++) {
        way ways[MOST_BEAMS];
        size_t n_ways = 0;
        for (size_t i = 0; i < n; i++) add_ways(&beams[i], i, logits + i * vocab, vocab, ways, &n_ways, width);
        st = grow(model, beams, &n, ways, n_ways, best);
        if (st == HLM_OK && n > 0 && t + 1 < max_tokens) st = step(ctx, beams, n, logits, vocab);
    }
    for (size_t i = 0; i < n; i++) {
        if (st == HLM_OK && (best->n == 0 || worth(&beams[i]) > worth(best))) *best = beams[i];
        hlm_cache_free(beams[i].cache);
    }
    return st;
}

static hlm_status print_text(const hlm_model *model, const beam *b)
{
    char text[16 * MOST_TOKENS];
    size_t len = 0;
    const hlm_status st = hlm_detokenize(model, b->tokens, b->n, HLM_DETOKENIZE_SKIP_SPECIAL, text, sizeof text, &len);
    if (st == HLM_OK)
        printf("%.*s\n[%zu tokens, mean log-probability %.4f]\n", (int)len, text, b->n, b->sum / (double)b->n);
    return st;
}

int main(int argc, char **argv)
{
    const size_t width = argc == 5 ? strtoul(argv[3], NULL, 10) : 0,
                 max_tokens = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    if (width < 1 || width > MOST_BEAMS || max_tokens < 1 || max_tokens > MOST_TOKENS)
        return fprintf(stderr, "usage: beam MODEL PROMPT WIDTH TOKENS (at most %d, %d)\n", MOST_BEAMS, MOST_TOKENS), 2;
    static beam best;
    int32_t prompt[MOST_PROMPT];
    size_t n_prompt = 0, vocab = 0;
    hlm_model *model = NULL;
    hlm_context *ctx = NULL;
    hlm_model_info info = {.struct_size = sizeof info};
    float *logits = NULL;

    hlm_status st = hlm_model_load(&model, argv[1], NULL);
    if (st == HLM_OK) st = hlm_model_info_get(model, &info);
    if (st == HLM_OK)
        st = hlm_tokenize(model, argv[2], strlen(argv[2]), HLM_TOKENIZE_ADD_SPECIAL, prompt, MOST_PROMPT, &n_prompt);
    if (st == HLM_OK) st = hlm_ctx_new(&ctx, model, NULL);
    vocab = (size_t)info.vocab_size;
    if (st == HLM_OK) logits = malloc(width * vocab * sizeof *logits);
    if (st == HLM_OK && !logits) st = HLM_E_NOMEM;
    if (st == HLM_OK) st = beam_search(model, ctx, prompt, n_prompt, width, max_tokens, logits, vocab, &best);
    if (st == HLM_OK) st = print_text(model, &best);
    if (st != HLM_OK) fprintf(stderr, "beam: %s\n", hlm_last_error());

    free(logits);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
    return st == HLM_OK ? 0 : 1;
}
