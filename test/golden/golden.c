/* golden FOLDER...: runs conformance folders (config.json and weights, or model.gguf, or an adapter whose golden.json
 * names its base; golden.safetensors, golden.json) through the public API in f32 and compares every quantity with its
 * golden value; then the logits once more, with what the library rounds by default. Prints the largest difference
 * beside the tolerance; a quantity that it does not know counts as failed. With --keep FILE all that was computed goes
 * to that file, bit for bit. */
#include <hybridlm/hybridlm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "st_file.h"
#include "../calls.h"

enum { MAX_HIDDEN = 256 };

/* Of the logits. Small models with random weights exaggerate: with bf16 activations most move by 0.005, zamba2-options
 * by 0.09. */
static const double ROUNDED = 0.2;

typedef struct run {
    const char *folder;
    st_file golden;
    json_t *facts;
    hlm_model *model;
    hlm_adapter *adapter; /* NULL: the folder is no adapter's */
    hlm_pool *pool;
    hlm_context *ctx;
    size_t vocab, hidden, layers, labels;
    int32_t head;
    unsigned passed, failed;
} run;

static void verdict(run *r, const char *name, int ok, double diff, double tolerance, const char *note)
{
    printf("  %-28s %11.3g  tolerance %-9.3g %s%s%s\n", name, diff, tolerance, ok ? "ok" : "FAILED",
           note[0] ? ": " : "", note);
    if (ok) r->passed++;
    else r->failed++;
}

static void broken(run *r, const char *name, const char *why)
{
    printf("  %-28s FAILED: %s\n", name, why);
    r->failed++;
}

static double tolerance(const run *r, const char *kind)
{
    const json_t *t = json_object_get(json_object_get(r->facts, "tolerance"), kind);
    return json_is_number(t) ? json_number_value(t) : 0.0;
}

/* What the runner itself has computed from logits, or `compare` below gives. */
static void judge(run *r, const char *name, const float *got, const st_tensor *want, double tol)
{
    double worst = 0;
    for (size_t i = 0; i < want->n; i++) {
        const double d = fabs((double)got[i] - (double)want->f32[i]);
        if (!(d <= worst)) worst = d; /* a NaN stays */
    }
    verdict(r, name, worst <= tol, worst, tol, "");
}

static FILE *kept; /* --keep */

static void keep(run *r, const char *name, const float *got, size_t n)
{
    if (kept && fwrite(got, sizeof *got, n, kept) != n) broken(r, name, "can not be kept");
}

/* What the library has computed. */
static void compare(run *r, const char *name, const float *got, const st_tensor *want, double tol)
{
    keep(r, name, got, want->n);
    judge(r, name, got, want, tol);
}

static void *need(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) {
        fprintf(stderr, "golden: out of memory\n");
        exit(2);
    }
    return p;
}

/* n_tokens may be more than the model's max_positions: the numbers past it count too. */
static hlm_cache *new_cache(run *r, size_t n_tokens)
{
    hlm_cache *c = NULL;
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = (int64_t)n_tokens};
    if (hlm_cache_new(&c, r->pool, &p) != HLM_OK) {
        fprintf(stderr, "golden: %s\n", hlm_last_error());
        exit(2);
    }
    return c;
}

/* One sequence's tokens and logits in a batch. */
typedef struct sequence {
    char ids_name[48], logits_name[48];
    st_tensor ids, logits;
    float *out;
    hlm_cache *cache;
    hlm_step step;
} sequence;

static int find_sequence(run *r, sequence *s)
{
    if (!st_get(&r->golden, s->ids_name, &s->ids) || !s->ids.i32) return 0;
    if (!st_get(&r->golden, s->logits_name, &s->logits) || !s->logits.f32) return 0;
    s->out = need(s->ids.n * r->vocab, sizeof *s->out);
    s->cache = new_cache(r, s->ids.n);
    s->step = (hlm_step){.struct_size = sizeof s->step,
                         .cache = s->cache,
                         .tokens = s->ids.i32,
                         .n_tokens = s->ids.n,
                         .logits = s->out,
                         .logit_rows = HLM_ROWS_ALL,
                         .adapter = r->adapter};
    return 1;
}

static void free_sequence(sequence *s)
{
    free(s->out);
    hlm_cache_free(s->cache);
}

/* The recurrent states after the prompt. */
static void check_states(run *r, hlm_cache *cache)
{
    static const char *const names[] = {[HLM_STATE_CONV] = "conv_state.%d", [HLM_STATE_SCAN] = "ssm_state.%d"};
    for (int32_t l = 0; l < (int32_t)r->layers; l++) {
        for (int32_t which = HLM_STATE_CONV; which <= HLM_STATE_SCAN; which++) {
            char name[32];
            st_tensor want;
            size_t n = 0;
            snprintf(name, sizeof name, names[which], (int)l);
            if (!st_get(&r->golden, name, &want)) continue;
            float *got = need(want.n, sizeof *got);
            if (hlm_cache_state(cache, l, which, got, want.n, &n) != HLM_OK) broken(r, name, hlm_last_error());
            else if (n != want.n) broken(r, name, "of another size");
            else compare(r, name, got, &want, tolerance(r, "state"));
            free(got);
        }
    }
}

/* Everything that a folder has of the kind hlm_hidden gives. */
typedef struct states {
    hlm_hidden requests[MAX_HIDDEN];
    const hlm_hidden *list[MAX_HIDDEN];
    char names[MAX_HIDDEN][32];
    size_t n, rows;
} states;

static void ask(run *r, states *s, const char *name, int32_t kind, int32_t layer)
{
    st_tensor t;
    if (s->n == MAX_HIDDEN || !st_get(&r->golden, name, &t)) return;
    snprintf(s->names[s->n], sizeof s->names[s->n], "%s", name);
    s->requests[s->n] = (hlm_hidden){.struct_size = sizeof *s->requests, .kind = kind, .layer = layer};
    s->requests[s->n].out = need(s->rows * hlm_model_hidden_width(r->model, kind), sizeof(float));
    s->list[s->n] = &s->requests[s->n];
    s->n++;
}

static void ask_all(run *r, states *s, size_t rows)
{
    *s = (states){.rows = rows};
    ask(r, s, "hidden_pre_norm", HLM_HIDDEN_STREAM, HLM_HIDDEN_PRE_NORM);
    for (int32_t l = 0; l <= (int32_t)r->layers; l++) {
        char name[32];
        snprintf(name, sizeof name, "hidden.%d", (int)l);
        ask(r, s, name, HLM_HIDDEN_STREAM, l);
        snprintf(name, sizeof name, "branch.attn.%d", (int)l);
        ask(r, s, name, HLM_HIDDEN_ATTENTION, l);
        snprintf(name, sizeof name, "branch.mamba.%d", (int)l);
        ask(r, s, name, HLM_HIDDEN_RECURRENCE, l);
    }
}

static void free_states(states *s)
{
    for (size_t i = 0; i < s->n; i++) free(s->requests[i].out);
}

/* Golden rows end where the text does, and may begin before it (memory tokens) or later. */
static void check_hidden(run *r, const states *s)
{
    for (size_t i = 0; i < s->n; i++) {
        st_tensor t;
        const hlm_hidden *h = &s->requests[i];
        const size_t width = hlm_model_hidden_width(r->model, h->kind);
        const int last = h->layer == (int32_t)r->layers && tolerance(r, "final_norm") > 0;
        const double tol = tolerance(r, h->kind != HLM_HIDDEN_STREAM ? "branch" : last ? "final_norm" : "hidden");
        st_get(&r->golden, s->names[i], &t);
        if (t.n_dims != 2 || t.dims[1] != width) {
            broken(r, s->names[i], "of another size");
            continue;
        }
        const size_t before = t.dims[0] > s->rows ? t.dims[0] - s->rows : 0;
        const size_t later = t.dims[0] < s->rows ? s->rows - t.dims[0] : 0;
        t.f32 += before * width;
        t.n -= before * width;
        compare(r, s->names[i], h->out + later * width, &t, tol);
    }
}

/* The whole prompt in one step, with every hidden state that the folder has. */
static void check_prompt(run *r)
{
    sequence s = {.ids_name = "input_ids", .logits_name = "logits"};
    if (!find_sequence(r, &s)) {
        broken(r, "logits", "no input_ids or logits");
        return;
    }
    static states all;
    ask_all(r, &all, s.ids.n);
    s.step.hidden = all.list;
    s.step.n_hidden = all.n;
    const hlm_step *steps[] = {&s.step};
    if (hlm_decode_step(r->ctx, steps, 1) != HLM_OK) {
        broken(r, "logits", hlm_ctx_error(r->ctx));
    } else {
        compare(r, "logits", s.out, &s.logits, tolerance(r, "logits"));
        check_hidden(r, &all);
        check_states(r, s.cache);
    }
    free_states(&all);
    free_sequence(&s);
}

/* Rounded activations and KV rows, as this CPU's kernels take them (r's model was loaded so), move the logits by a
 * small part of what they are: the norm of the differences against the logits' own. */
static void check_rounded(run *r)
{
    sequence s = {.ids_name = "input_ids", .logits_name = "logits"};
    if (!find_sequence(r, &s)) return;
    const hlm_step *steps[] = {&s.step};
    double moved = 0, all = 0;
    if (hlm_decode_step(r->ctx, steps, 1) != HLM_OK) {
        broken(r, "rounded", hlm_ctx_error(r->ctx));
        free_sequence(&s);
        return;
    }
    keep(r, "rounded", s.out, s.logits.n);
    for (size_t i = 0; i < s.logits.n; i++) {
        const double want = (double)s.logits.f32[i], d = (double)s.out[i] - want;
        moved += d * d, all += want * want;
    }
    const double part = sqrt(moved / all);
    verdict(r, "rounded", part <= ROUNDED, part, ROUNDED, "");
    free_sequence(&s);
}

/* Rows of the golden hidden states in front of the text: memory tokens, which layer 0 reads as hidden.0 has them. */
static size_t memory_rows(const run *r, st_tensor *first)
{
    st_tensor ids;
    if (!st_get(&r->golden, "input_ids", &ids) || !st_get(&r->golden, "hidden.0", first)) return 0;
    return first->dims[0] > ids.n ? first->dims[0] - ids.n : 0;
}

/* A sequence that the runner begins itself, memory tokens first (r's model was loaded for that): their hidden rows, and
 * the text's logits. */
static void check_memory(run *r, size_t n, const float *memory)
{
    static states all;
    sequence s = {.ids_name = "input_ids", .logits_name = "logits"};
    if (!find_sequence(r, &s)) return;
    hlm_cache *cache = new_cache(r, n + s.ids.n);
    ask_all(r, &all, n);
    hlm_step rows = {.struct_size = sizeof rows,
                     .cache = cache,
                     .embeddings = memory,
                     .n_tokens = n,
                     .hidden = all.list,
                     .n_hidden = all.n};
    const hlm_step *steps[] = {&rows};
    s.step.cache = cache;
    if (hlm_decode_step(r->ctx, steps, 1) != HLM_OK ||
        (steps[0] = &s.step, hlm_decode_step(r->ctx, steps, 1) != HLM_OK)) {
        broken(r, "memory tokens", hlm_ctx_error(r->ctx));
    } else {
        compare(r, "logits behind memory rows", s.out, &s.logits, tolerance(r, "logits"));
        for (size_t i = 0; i < all.n; i++) {
            st_tensor t;
            char name[64];
            st_get(&r->golden, all.names[i], &t);
            if (t.dims[0] != n + s.ids.n) continue;
            t.n = n * t.dims[1];
            snprintf(name, sizeof name, "%s, memory rows", all.names[i]);
            compare(r, name, all.requests[i].out, &t, tolerance(r, "hidden"));
        }
    }
    free_states(&all);
    hlm_cache_free(cache);
    free_sequence(&s);
}

static int32_t argmax(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return (int32_t)best;
}

/* Greedy continuation, one token a step. */
static void check_greedy(run *r)
{
    st_tensor prompt, ids, logits;
    if (!st_get(&r->golden, "greedy_ids", &ids)) return;
    if (!st_get(&r->golden, "input_ids", &prompt)) {
        broken(r, "greedy_ids", "no input_ids");
        return;
    }
    float *out = need(ids.n * r->vocab, sizeof *out);
    hlm_cache *cache = new_cache(r, prompt.n + ids.n);
    hlm_step step = {
        .struct_size = sizeof step, .cache = cache, .tokens = prompt.i32, .n_tokens = prompt.n, .adapter = r->adapter};
    const hlm_step *steps[] = {&step};
    size_t equal = 0;
    for (size_t i = 0; i < ids.n; i++) {
        step.logits = out + i * r->vocab;
        if (hlm_decode_step(r->ctx, steps, 1) != HLM_OK) break;
        const int32_t token = argmax(step.logits, r->vocab);
        equal += token == ids.i32[i];
        step.tokens = &ids.i32[i]; /* the golden path */
        step.n_tokens = 1;
    }
    verdict(r, "greedy_ids", equal == ids.n, (double)(ids.n - equal), 0, "tokens that differ");
    if (st_get(&r->golden, "greedy_logits", &logits)) compare(r, "greedy_logits", out, &logits, tolerance(r, "logits"));
    hlm_cache_free(cache);
    free(out);
}

enum { MAX_SEQUENCES = 64 };

/* Sequences of unequal length in one varlen step. */
static size_t run_batch(run *r, const char *ids_fmt, const char *logits_fmt, sequence *s)
{
    const hlm_step *steps[MAX_SEQUENCES];
    size_t n = 0;
    for (; n < MAX_SEQUENCES; n++) {
        s[n] = (sequence){.out = NULL};
        snprintf(s[n].ids_name, sizeof s[n].ids_name, "%.*s%zu%s", (int)(strchr(ids_fmt, '#') - ids_fmt), ids_fmt, n,
                 strchr(ids_fmt, '#') + 1);
        snprintf(s[n].logits_name, sizeof s[n].logits_name, "%.*s%zu%s", (int)(strchr(logits_fmt, '#') - logits_fmt),
                 logits_fmt, n, strchr(logits_fmt, '#') + 1);
        if (!find_sequence(r, &s[n])) break;
        steps[n] = &s[n].step;
    }
    if (n && hlm_decode_step(r->ctx, steps, n) != HLM_OK) broken(r, logits_fmt, hlm_ctx_error(r->ctx));
    for (size_t i = 0; i < n; i++) compare(r, s[i].logits_name, s[i].out, &s[i].logits, tolerance(r, "logits"));
    return n;
}

/* Classification heads: of texts at their last token, or of every token. */
static void check_classes(run *r)
{
    for (unsigned k = 0; k < MAX_SEQUENCES; k++) {
        char name[48];
        st_tensor ids, want;
        snprintf(name, sizeof name, "input_ids.b%u", k);
        if (!st_get(&r->golden, name, &ids) || !ids.i32) return;
        snprintf(name, sizeof name, "class_logits.b%u", k);
        if (!st_get(&r->golden, name, &want) || !want.f32) continue;
        const int all = r->head == HLM_HEAD_TOKEN;
        float *out = need((all ? ids.n : 1) * r->labels, sizeof *out);
        hlm_cache *cache = new_cache(r, ids.n);
        const hlm_step step = {.struct_size = sizeof step,
                               .cache = cache,
                               .tokens = ids.i32,
                               .n_tokens = ids.n,
                               .logits = out,
                               .logit_rows = all ? HLM_ROWS_ALL : HLM_ROWS_LAST};
        const hlm_step *const steps[] = {&step};
        if ((all ? ids.n : 1) * r->labels != want.n) broken(r, name, "of another size");
        else if (hlm_decode_step(r->ctx, steps, 1) != HLM_OK) broken(r, name, hlm_ctx_error(r->ctx));
        else compare(r, name, out, &want, tolerance(r, "class_logits"));
        hlm_cache_free(cache);
        free(out);
    }
}

static double log_prob(const float *logits, size_t n, int32_t token)
{
    double top = (double)logits[0], sum = 0;
    for (size_t i = 1; i < n; i++) top = fmax(top, (double)logits[i]);
    for (size_t i = 0; i < n; i++) sum += exp((double)logits[i] - top);
    return (double)logits[token] - top - log(sum);
}

static void check_logprobs(run *r, size_t i, const sequence *s, double *nll, size_t *targets)
{
    char name[48];
    st_tensor want;
    float *got = need(s->ids.n, sizeof *got);
    for (size_t t = 0; t + 1 < s->ids.n; t++) {
        const double lp = log_prob(s->out + t * r->vocab, r->vocab, s->ids.i32[t + 1]);
        got[t] = (float)lp;
        *nll -= lp;
        ++*targets;
    }
    snprintf(name, sizeof name, "docs.%zu.logprobs", i);
    if (st_get(&r->golden, name, &want)) judge(r, name, got, &want, tolerance(r, "logits"));
    /* the library's own scoring */
    if (s->ids.n > 1 && call_score(r->ctx, s->ids.i32, s->ids.n, got, NULL) == HLM_OK &&
        st_get(&r->golden, name, &want)) {
        snprintf(name, sizeof name, "hlm_score of document %zu", i);
        compare(r, name, got, &want, tolerance(r, "logits"));
    }
    free(got);
}

static void check_batches(run *r)
{
    static sequence s[MAX_SEQUENCES];
    size_t n = run_batch(r, "input_ids.b#", "logits.b#", s);
    for (size_t i = 0; i < n; i++) free_sequence(&s[i]);
    n = run_batch(r, "docs.#.input_ids", "docs.#.logits", s);
    double nll = 0;
    size_t targets = 0;
    for (size_t i = 0; i < n; i++) check_logprobs(r, i, &s[i], &nll, &targets);
    st_tensor loss;
    if (st_get(&r->golden, "loss", &loss)) {
        const float got = targets ? (float)(nll / (double)targets) : NAN;
        judge(r, "loss", &got, &loss, tolerance(r, "logits"));
    }
    for (size_t i = 0; i < n; i++) free_sequence(&s[i]);
}

/* Is the quantity one that the checks above look at? */
static int known(const run *r, const char *name)
{
    static const char *const exact[] = {"input_ids",  "logits",        "hidden_pre_norm",
                                        "greedy_ids", "greedy_logits", "loss"};
    unsigned k = 0;
    int end = 0;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (strcmp(name, exact[i]) == 0) return 1;
    if (sscanf(name, "hidden.%u%n", &k, &end) == 1 && name[end] == '\0') return k <= r->layers;
    if (sscanf(name, "conv_state.%u%n", &k, &end) == 1 && name[end] == '\0') return k < r->layers;
    if (sscanf(name, "ssm_state.%u%n", &k, &end) == 1 && name[end] == '\0') return k < r->layers;
    if (sscanf(name, "branch.attn.%u%n", &k, &end) == 1 && name[end] == '\0') return k < r->layers;
    if (sscanf(name, "branch.mamba.%u%n", &k, &end) == 1 && name[end] == '\0') return k < r->layers;
    static const char *const numbered[] = {"input_ids.b%u%n",  "logits.b%u%n",       "docs.%u.input_ids%n",
                                           "docs.%u.logits%n", "docs.%u.logprobs%n", "class_logits.b%u%n"};
    for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++) {
        end = 0;
        if (sscanf(name, numbered[i], &k, &end) == 1 && end && name[end] == '\0') return k < MAX_SEQUENCES;
    }
    return 0;
}

/* Numbers of activations that are rounded to fp8, which the library does not do: it computes in f32 or int8. */
static int left_out(const char *name)
{
    const int yes = strcmp(name, "logits_dynamic_act") == 0 || strncmp(name, "fp8.", 4) == 0;
    if (yes) printf("  left out: %s, of activations in fp8\n", name);
    return yes;
}

/* Into path: the folder's model.gguf where it has one, an adapter's base, or the folder. */
static void model_path(const run *r, char *path, size_t cap)
{
    snprintf(path, cap, "%s/model.gguf", r->folder);
    const char *base = json_string_value(json_object_get(r->facts, "base"));
    FILE *gguf = fopen(path, "rb");
    if (gguf) fclose(gguf);
    else if (base) snprintf(path, cap, "%s/%s", r->folder, base);
    else snprintf(path, cap, "%s", r->folder);
}

/* The folder's adapter, if it has one. */
static int open_adapter(run *r)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/adapter.gguf", r->folder);
    FILE *gguf = fopen(path, "rb");
    if (gguf) fclose(gguf);
    else if (!json_object_get(r->facts, "base")) return 1;
    return hlm_adapter_load(&r->adapter, r->model, gguf ? path : r->folder, NULL) == HLM_OK;
}

/* What activations and KV rows are kept in: BY_DEFAULT as the library does when it is not told. */
typedef enum numbers { IN_F32, BY_DEFAULT } numbers;

/* The folder's model, and a context for it. */
static int open_model(run *r, uint32_t flags, numbers in)
{
    char path[4096];
    model_path(r, path, sizeof path);
    const hlm_model_params mp = {.struct_size = sizeof mp,
                                 .flags = flags,
                                 .activations = in == IN_F32 ? HLM_ACTIVATIONS_F32 : HLM_ACTIVATIONS_DEFAULT};
    const hlm_pool_params pp = {.struct_size = sizeof pp, .kv_type = in == IN_F32 ? HLM_TYPE_F32 : HLM_TYPE_DEFAULT};
    if (hlm_model_load(&r->model, path, &mp) != HLM_OK || hlm_pool_new(&r->pool, r->model, &pp) != HLM_OK) return 0;
    if (!open_adapter(r)) return 0;
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .pool = r->pool, .n_threads = 2};
    return hlm_ctx_new(&r->ctx, r->model, &cp) == HLM_OK;
}

static void close_model(run *r)
{
    hlm_ctx_free(r->ctx);
    hlm_pool_release(r->pool);
    hlm_adapter_release(r->adapter);
    hlm_model_release(r->model);
    r->adapter = NULL;
    r->ctx = NULL;
    r->pool = NULL;
    r->model = NULL;
}

static int open_run(run *r, const char *folder)
{
    char path[4096];
    r->folder = folder;
    snprintf(path, sizeof path, "%s/golden.json", folder);
    r->facts = json_load_file(path, 0, NULL);
    hlm_model_info info = {.struct_size = sizeof info};
    if (!r->facts || !open_model(r, 0, IN_F32) || hlm_model_info_get(r->model, &info) != HLM_OK) return 0;
    r->vocab = (size_t)info.vocab_size;
    r->hidden = (size_t)info.hidden_size;
    r->layers = (size_t)info.n_layers;
    r->head = info.head;
    r->labels = (size_t)info.n_labels;
    snprintf(path, sizeof path, "%s/golden.safetensors", folder);
    st_open(&r->golden, path);
    return 1;
}

static void check_folder(run *r, const char *folder)
{
    printf("%s\n", folder);
    if (!open_run(r, folder)) {
        broken(r, "load", r->facts ? hlm_last_error() : "golden.json is missing or broken");
    } else {
        const char *name;
        json_t *value;
        if (r->head == HLM_HEAD_TEXT) {
            check_prompt(r);
            check_greedy(r);
            check_batches(r);
            st_tensor first;
            const size_t n = memory_rows(r, &first);
            if (n) {
                close_model(r);
                if (open_model(r, HLM_LOAD_NO_MEMORY_TOKENS, IN_F32)) check_memory(r, n, first.f32);
                else broken(r, "memory tokens", hlm_last_error());
            }
            close_model(r);
            if (open_model(r, 0, BY_DEFAULT)) check_rounded(r);
            else broken(r, "rounded", hlm_last_error());
        } else {
            check_classes(r);
        }
        json_object_foreach(r->golden.header, name,
                            value) if (strcmp(name, "__metadata__") != 0 && !known(r, name) && !left_out(name))
            broken(r, name, "no check for this quantity");
        st_close(&r->golden);
    }
    json_decref(r->facts);
    close_model(r);
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        printf("usage: golden [--keep FILE] FOLDER...\n"
               "Compares models with their golden numbers (config.json and weights, or model.gguf; golden.safetensors, "
               "golden.json).\n"
               "Exit status: 0 all passed, 1 some failed, 2 usage or a broken golden file.\n");
        return argc < 2 ? 2 : 0;
    }
    const int first = argc > 3 && strcmp(argv[1], "--keep") == 0 ? 3 : 1;
    if (first == 3 && !(kept = fopen(argv[2], "wb"))) {
        fprintf(stderr, "golden: %s can not be written\n", argv[2]);
        return 2;
    }
    for (int i = first; i < argc; i++) {
        run r = {0};
        check_folder(&r, argv[i]);
        passed += r.passed;
        failed += r.failed;
    }
    if (kept && fclose(kept) != 0) failed++;
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
