/* Beam search: follows the WIDTH likeliest texts at once and prints the one with the best mean log-probability. Beams
 * are forks of one cache: the prompt is read once and kept once, by models with recurrent state too, and a fork costs a
 * few pointers.
 *   cc beam.c $(pkg-config --cflags --libs hybridlm) -lm -o beam && ./beam MODEL.gguf "Once upon a time" 4 32 */
#include "texts.h"

enum { MOST_BEAMS = 16 };

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
    memmove(&list[i + 1], &list[i], (*n - 1 - i) * sizeof *list);
    list[i] = w;
}

/* The best ways on from all beams. */
static size_t find_ways(const reader *r, const text *beams, size_t n, way *ways, size_t width)
{
    size_t n_ways = 0;
    for (size_t i = 0; i < n; i++) {
        const float *logits = r->logits + i * r->vocab;
        const double all = log_sum(logits, r->vocab);
        for (size_t t = 0; t < r->vocab; t++)
            keep_best(ways, &n_ways, width, (way){i, (int32_t)t, beams[i].sum + (double)logits[t] - all});
    }
    return n_ways;
}

/* The ways become the beams, their number *n. Those that end their text leave the race, the best of them stays in
 * *best. */
static hlm_status grow(const reader *r, text *beams, size_t *n, const way *ways, size_t n_ways, text *best)
{
    static text old[MOST_BEAMS];
    const size_t n_old = *n;
    hlm_status st = HLM_OK;
    memcpy(old, beams, n_old * sizeof *old);
    *n = 0;
    for (size_t i = 0; i < n_ways && st == HLM_OK; i++) {
        text *b = &beams[*n];
        *b = old[ways[i].from];
        b->sum = ways[i].sum;
        b->tokens[b->n++] = ways[i].token;
        const int ends = hlm_model_token_ends(r->model, ways[i].token);
        if (ends && (best->n == 0 || mean(b) > mean(best))) *best = *b;
        if (!ends) st = hlm_cache_fork(&b->cache, old[ways[i].from].cache, HLM_NOW);
        *n += !ends && st == HLM_OK;
    }
    for (size_t i = 0; i < n_old; i++) hlm_cache_free(old[i].cache);
    return st;
}

/* The best of the texts behind the reader's prompt, of at most max_tokens. */
static hlm_status beam_search(const reader *r, size_t width, size_t max_tokens, text *best)
{
    static text beams[MOST_BEAMS];
    size_t n = 1;
    best->n = 0;
    beams[0] = (text){.n = 0};
    hlm_status st = hlm_cache_fork(&beams[0].cache, r->cache, HLM_NOW);
    for (size_t t = 0; t < max_tokens && n > 0 && st == HLM_OK; t++) {
        way ways[MOST_BEAMS];
        if (t > 0) st = step_texts(r, beams, n, &n);
        if (st == HLM_OK) st = grow(r, beams, &n, ways, find_ways(r, beams, n, ways, width), best);
    }
    for (size_t i = 0; i < n; i++) {
        if (st == HLM_OK && (best->n == 0 || mean(&beams[i]) > mean(best))) *best = beams[i];
        hlm_cache_free(beams[i].cache);
    }
    return st;
}

int main(int argc, char **argv)
{
    const size_t width = argc == 5 ? strtoul(argv[3], NULL, 10) : 0,
                 max_tokens = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    if (width < 1 || width > MOST_BEAMS || max_tokens < 1 || max_tokens > MOST_TOKENS)
        return fprintf(stderr, "usage: beam MODEL PROMPT WIDTH TOKENS (at most %d, %d)\n", MOST_BEAMS, MOST_TOKENS), 2;
    static text best;
    reader r = {0};
    hlm_status st = open_reader(&r, argv[1], argv[2], width);
    if (st == HLM_OK) st = beam_search(&r, width, max_tokens, &best);
    if (st == HLM_OK) st = print_text(&r, &best);
    if (st != HLM_OK) fprintf(stderr, "beam: %s\n", hlm_last_error());
    close_reader(&r);
    return st == HLM_OK ? 0 : 1;
}
