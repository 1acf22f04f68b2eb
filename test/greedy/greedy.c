/* greedy [-n TOKENS] [-t THREADS] [-e N] -q QUESTIONS MODEL...: answers short questions (with -e every N-th) greedily
 * in f32 and compares the default mode with it. An answer passes when both choose the same tokens up to the first place
 * where the two best f32 logits are closer than MARGIN. Prints every answer that fails, the size of the noise for each
 * model, and "N passed, N failed".
 *
 * The default mode does not answer by itself: it reads question and f32 answer in one step, whose logits are those that
 * it would have seen one by one (docs/promise.md), and its first other choice is where its own answer would part. */
#include <hybridlm/hybridlm.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float MARGIN = 0.25f;

enum { PROMPT_CAP = 4096 };

typedef struct options {
    size_t n_tokens;
    int32_t threads;
    const char *questions;
    size_t every;
} options;

/* A file in one mode. */
typedef struct mode {
    hlm_model *model;
    hlm_context *ctx;
} mode;

/* The f32 answer to one question. */
typedef struct answer {
    int32_t *tokens; /* prompt, then answer */
    size_t n_prompt, n;
    int32_t *second; /* [n] second best choice at each place of the answer */
    float *margin; /* [n] by how much it is worse */
} answer;

typedef struct tally {
    double squares; /* of the difference between the two modes' margins */
    size_t n;
    float worst; /* largest f32 margin where the default mode chose otherwise */
} tally;

static void die(const char *what)
{
    fprintf(stderr, "greedy: %s\n", what);
    exit(2);
}

static void need(hlm_status st)
{
    if (st != HLM_OK) die(hlm_last_error());
}

static void *room(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p) die("out of memory");
    return p;
}

static mode mode_open(const char *path, int32_t activations, int32_t threads)
{
    mode m;
    need(hlm_model_load(&m.model, path,
                        &(hlm_model_params){.struct_size = sizeof(hlm_model_params), .activations = activations}));
    need(hlm_ctx_new(&m.ctx, m.model, &(hlm_ctx_params){.struct_size = sizeof(hlm_ctx_params), .n_threads = threads}));
    return m;
}

static void mode_close(mode *m)
{
    hlm_ctx_free(m->ctx);
    hlm_model_release(m->model);
}

static size_t vocab_size(const hlm_model *m)
{
    hlm_model_info info = {.struct_size = sizeof info};
    need(hlm_model_info_get(m, &info));
    return (size_t)info.vocab_size;
}

static hlm_cache *new_cache(const mode *m)
{
    hlm_cache *c = NULL;
    need(hlm_cache_new(&c, hlm_ctx_pool(m->ctx), NULL));
    return c;
}

static void step(const mode *m, hlm_step s)
{
    s.struct_size = sizeof s;
    const hlm_step *const steps[] = {&s};
    need(hlm_decode_step(m->ctx, steps, 1));
}

/* The best of n logits, other than `but`. */
static int32_t best(const float *logits, size_t n, int32_t but)
{
    int32_t b = but == 0 ? 1 : 0;
    for (int32_t i = b + 1; i < (int32_t)n; i++)
        if (i != but && logits[i] > logits[b]) b = i;
    return b;
}

static size_t render(const hlm_model *m, const char *question, int32_t *tokens)
{
    json_t *chat = json_pack("[{s:s, s:s}]", "role", "user", "content", question);
    char *text = chat ? json_dumps(chat, 0) : NULL;
    if (!text) die("a question is not UTF-8");
    size_t n = 0;
    need(hlm_chat_tokenize(m, text, NULL, tokens, PROMPT_CAP, &n));
    free(text);
    json_decref(chat);
    return n;
}

static answer answer_f32(const mode *m, const options *o, const char *question)
{
    answer a = {.tokens = room(PROMPT_CAP + o->n_tokens, sizeof *a.tokens),
                .second = room(o->n_tokens, sizeof *a.second),
                .margin = room(o->n_tokens, sizeof *a.margin)};
    const size_t vocab = vocab_size(m->model);
    float *logits = room(vocab, sizeof *logits);
    hlm_cache *cache = new_cache(m);
    a.n_prompt = render(m->model, question, a.tokens);
    size_t from = 0;
    while (a.n < o->n_tokens) {
        const size_t to = a.n_prompt + a.n;
        step(m, (hlm_step){.cache = cache, .tokens = a.tokens + from, .n_tokens = to - from, .logits = logits});
        const int32_t first = best(logits, vocab, -1);
        a.second[a.n] = best(logits, vocab, first);
        a.margin[a.n] = logits[first] - logits[a.second[a.n]];
        a.tokens[to] = first;
        from = to;
        a.n++;
        if (hlm_model_token_ends(m->model, first)) break;
    }
    hlm_cache_free(cache);
    free(logits);
    return a;
}

static void answer_free(answer *a)
{
    free(a->tokens);
    free(a->second);
    free(a->margin);
}

/* The first place of the answer where the default mode chooses another token, or a->n. */
static size_t parting(const mode *m, const answer *a, tally *t)
{
    const size_t vocab = vocab_size(m->model);
    float *logits = room(a->n * vocab, sizeof *logits);
    size_t *rows = room(a->n, sizeof *rows), part = a->n;
    hlm_cache *cache = new_cache(m);
    for (size_t i = 0; i < a->n; i++) rows[i] = a->n_prompt - 1 + i;
    step(m,
         (hlm_step){.cache = cache,
                    .tokens = a->tokens,
                    .n_tokens = a->n_prompt + a->n - 1,
                    .logits = logits,
                    .logit_rows = HLM_ROWS_LIST,
                    .rows = rows,
                    .n_rows = a->n});
    for (size_t i = 0; i < a->n; i++) {
        const float *l = logits + i * vocab;
        const int32_t chosen = a->tokens[a->n_prompt + i];
        const double off = (double)(l[chosen] - l[a->second[i]] - a->margin[i]);
        t->squares += off * off;
        t->n++;
        if (best(l, vocab, -1) == chosen) continue;
        if (part == a->n) part = i;
        t->worst = fmaxf(t->worst, a->margin[i]);
    }
    hlm_cache_free(cache);
    free(rows);
    free(logits);
    return part;
}

/* The first place of the answer from which on it may differ, or a->n. */
static size_t first_close(const answer *a)
{
    size_t i = 0;
    while (i < a->n && a->margin[i] >= MARGIN) i++;
    return i;
}

static int ask(const mode *f32, const mode *fast, const options *o, const char *question, tally *t)
{
    answer a = answer_f32(f32, o, question);
    const size_t part = parting(fast, &a, t), close = first_close(&a);
    const int ok = part == a.n || part >= close;
    if (!ok) printf("FAILED %s: parts at token %zu of %zu, margin %.3f\n", question, part, a.n, (double)a.margin[part]);
    answer_free(&a);
    return ok;
}

static void run(const options *o, const char *path, size_t count[2])
{
    mode f32 = mode_open(path, HLM_ACTIVATIONS_F32, o->threads),
         fast = mode_open(path, HLM_ACTIVATIONS_DEFAULT, o->threads);
    FILE *f = fopen(o->questions, "r");
    if (!f) die("cannot open the questions");
    tally t = {0};
    size_t failed = count[1];
    char line[1024];
    for (size_t i = 0; fgets(line, sizeof line, f); i++) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] && i % o->every == 0) count[ask(&f32, &fast, o, line, &t) ? 0 : 1]++;
    }
    fclose(f);
    failed = count[1] - failed;
    printf("%s: %zu failed; %zu margins, off by %.4f (root mean square), largest not kept %.3f\n", path, failed, t.n,
           sqrt(t.squares / (double)(t.n ? t.n : 1)), (double)t.worst);
    fflush(stdout);
    mode_close(&f32);
    mode_close(&fast);
}

int main(int argc, char **argv)
{
    options o = {.n_tokens = 64, .every = 1};
    size_t count[2] = {0};
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "-n") == 0) o.n_tokens = (size_t)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "-t") == 0) o.threads = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "-e") == 0) o.every = (size_t)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "-q") == 0) o.questions = argv[i + 1];
        else break;
    }
    if (!o.questions || o.n_tokens == 0 || o.every == 0 || i >= argc || argv[i][0] == '-')
        die("usage: greedy [-n TOKENS] [-t THREADS] [-e N] -q QUESTIONS MODEL...");
    for (; i < argc; i++) run(&o, argv[i], count);
    printf("%zu passed, %zu failed\n", count[0], count[1]);
    return count[1] || count[0] == 0;
}
