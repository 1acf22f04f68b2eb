/* How much of a thread's stack each public call takes, measured: a thread runs it on a stack that was painted before,
 * and what is painted still was not touched. docs/embedding.md tells the bounds that are held here. test_stack
 * MODELS */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, MAP_STACK */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <hybridlm/hybridlm.h>

#include "suite.h"
#include "../calls.h"

enum { PAINTED = 1 << 20, COLOUR = 0xA5, OWN = 4 << 10 /* what a thread of its own takes */ };

static const char *folder = "test/data/models";

typedef struct job {
    void (*run)(struct job *j);
    char path[1024];
    hlm_model *model;
    hlm_context *ctx;
    hlm_cache *cache, *other;
    const char *text;
    size_t len;
    hlm_status st;
} job;

static void *begin(void *arg)
{
    job *j = arg;
    j->run(j);
    return NULL;
}

/* Bytes of stack that a job took. */
static size_t measure(job *j)
{
    pthread_attr_t attr;
    pthread_t thread;
    unsigned char *stack = mmap(NULL, PAINTED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(stack != MAP_FAILED);
    memset(stack, COLOUR, PAINTED);
    ck_assert_int_eq(pthread_attr_init(&attr), 0);
    ck_assert_int_eq(pthread_attr_setstack(&attr, stack, PAINTED), 0);
    ck_assert_int_eq(pthread_create(&thread, &attr, begin, j), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attr);
    size_t clean = 0;
    while (clean < PAINTED && stack[clean] == COLOUR) clean++;
    munmap(stack, PAINTED);
    return PAINTED - clean;
}

static void nothing(job *j)
{
    j->st = HLM_OK;
}

/* What the thread itself takes is no call's. */
static void takes_at_most(job *j, void (*run)(job *j), size_t bytes, hlm_status st, const char *what)
{
    j->run = nothing;
    const size_t own = measure(j);
    j->run = run;
    const size_t used = measure(j) - own;
    printf("%-40s %7zu bytes\n", what, used);
    ck_assert_msg(j->st == st, "%s: %s", what, hlm_status_name(j->st));
#if defined __OPTIMIZE__ && !defined __SANITIZE_ADDRESS__
    ck_assert_msg(used <= bytes, "%s took %zu bytes of stack, more than %zu", what, used, bytes);
#endif
}

/* ---- the calls ---- */

static void load(job *j)
{
    j->st = hlm_model_load(&j->model, j->path, NULL);
}

static void render(job *j)
{
    size_t n;
    const hlm_chat_params p = {.struct_size = sizeof p, .chat_template = j->text};
    j->st = hlm_chat_render(j->model, "[{\"role\":\"user\",\"content\":\"x\"}]", &p, NULL, 0, &n);
    if (j->st == HLM_E_SPACE) j->st = HLM_OK;
}

static void render_messages(job *j)
{
    size_t n;
    const hlm_chat_params p = {.struct_size = sizeof p, .chat_template = "{{ messages }}"};
    j->st = hlm_chat_render(j->model, j->text, &p, NULL, 0, &n);
}

static void tokenize(job *j)
{
    size_t n;
    j->st = hlm_tokenize(j->model, j->text, j->len, 3, NULL, 0, &n);
    if (j->st == HLM_E_SPACE) j->st = HLM_OK;
}

static void contexts(job *j)
{
    j->st = hlm_ctx_new(&j->ctx, j->model, NULL);
    if (j->st == HLM_OK) j->st = hlm_cache_new(&j->cache, hlm_ctx_pool(j->ctx), NULL);
}

static void generate(job *j)
{
    static const int32_t prompt[3] = {1, 2, 3};
    const hlm_speculation draft = {.struct_size = sizeof draft, .n_branches = 2, .fixed = 1};
    const hlm_generate_params p = {.struct_size = sizeof p,
                                   .prompt = prompt,
                                   .n_prompt = 3,
                                   .max_tokens = 20,
                                   .ignore_eos = 1,
                                   .reuse = 1,
                                   .speculation = &draft};
    j->st = hlm_generate(j->ctx, j->cache, NULL, &p, NULL);
}

static void score(job *j)
{
    static const int32_t tokens[5] = {1, 2, 3, 4, 5};
    static float out[65536];
    double sum;
    j->st = call_score(j->ctx, tokens, 5, NULL, &sum);
    if (j->st == HLM_OK) j->st = call_embed(j->ctx, tokens, 5, HLM_EMBED_MEAN, 0, out);
}

static void states(job *j)
{
    static unsigned char bytes[1 << 22];
    size_t n;
    hlm_cache *again = NULL;
    j->st = hlm_cache_save_memory(j->cache, bytes, sizeof bytes, &n);
    if (j->st == HLM_OK) j->st = hlm_cache_load_memory(&again, hlm_ctx_pool(j->ctx), bytes, n, 0);
    if (j->st == HLM_OK) j->st = hlm_cache_fork(&j->other, again, HLM_NOW);
    if (j->st == HLM_OK) j->st = hlm_prefix_add(j->other);
    hlm_cache_free(again);
    hlm_cache_free(j->other);
}

static const char *repeat(char *to, const char *what, size_t n)
{
    char *at = to;
    *at = '\0';
    for (size_t i = 0; i < n; i++, at += strlen(what)) strcpy(at, what);
    return to;
}

/* ---- what they may take ---- */

enum { CALLS = 48 << 10, TEXTS = 96 << 10 };

START_TEST(calls_on_models)
{
    static const char *const names[] = {"tiny-llama", "tiny-llama.gguf", "jamba", "qwen3-next", "nemotron-h-moe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        job j = {.text = NULL};
        snprintf(j.path, sizeof j.path, "%s/%s", folder, names[i]);
        takes_at_most(&j, load, TEXTS, HLM_OK, "load");
        takes_at_most(&j, contexts, CALLS, HLM_OK, "context, cache");
        takes_at_most(&j, generate, CALLS, HLM_OK, "generate");
        takes_at_most(&j, score, CALLS, HLM_OK, "score, embed");
        takes_at_most(&j, states, CALLS, HLM_OK, "save, load, fork");
        hlm_cache_free(j.cache);
        hlm_ctx_free(j.ctx);
        hlm_model_release(j.model);
    }
}
END_TEST

/* Everything of a template that can call itself or nest, as deep as it goes. */
START_TEST(templates_that_recurse)
{
    static const char *const texts[] = {
        "{% macro x(n) %}{{ x(n + 1) }}{% endmacro %}{{ x(0) }}",
        "{% macro x(n) %}{% for i in [1] %}{% if 1 %}{% set y = [x(n)|upper] %}{% endif %}{% endfor %}{% endmacro %}{{ "
        "x(0) }}",
        "{% macro x() %}{{ caller() }}{% call x() %}{% endcall %}{% endmacro %}{% call x() %}{% endcall %}",
        "{% for a in [[1]] recursive %}{{ loop([a]) }}{% endfor %}",
        "{% set n = namespace(g=[1]) %}{% for i in range(99999) %}{% set n.g = n.g|map('abs') %}{% endfor %}{{ "
        "n.g|list }}",
        "{% set n = namespace(g=[1]) %}{% for i in range(99999) %}{% set n.g = n.g|select %}{% endfor %}{{ n.g|first "
        "}}",
        "{% set n = namespace(g=[1]) %}{% for i in range(99999) %}{% set n.g = n.g|unique %}{% endfor %}{{ n.g|join }}",
        "{% set n = namespace(g=[1]) %}{% for i in range(9999) %}{% set n.g = [n.g] %}{% endfor %}{{ n.g }}",
        "{% set n = namespace(g=[1]) %}{% for i in range(9999) %}{% set n.g = [n.g] %}{% endfor %}{{ n.g|tojson }}",
        "{% set n = namespace(g={}) %}{% for i in range(9999) %}{% set n.g = {'a': n.g} %}{% endfor %}{{ n.g|string }}",
        "{% set n = namespace(g=[1], h=[1]) %}{% for i in range(9999) %}{% set n.g = [n.g] %}{% set n.h = [n.h] %}"
        "{% endfor %}{{ n.g == n.h }}",
        "{% set n = namespace(g=(1,), h=(1,)) %}{% for i in range(9999) %}{% set n.g = (n.g,) %}{% set n.h = (n.h,) %}"
        "{% endfor %}{{ n.g < n.h }}",
        "{% set n = namespace(g=(1,)) %}{% for i in range(9999) %}{% set n.g = (n.g,) %}{% endfor %}{{ {n.g: 1} }}",
        "{{ '%.300f' % 1e300 }}{{ 1e300|round(300) }}",
    };
    static const char *const nested[][2] = {{"(", ")"},   {"[", "]"},           {"{1:", "}"},  {"-", ""},
                                            {"not ", ""}, {"1 if 1 else ", ""}, {"f(", ")"},   {"x[", "]"},
                                            {"1~(", ")"}, {"1 in (", ")"},      {"2**(", ")"}, {"1 if (", ") else 2"}};
    static char text[300000], open[100000], close[100000];
    job j = {.text = NULL};
    snprintf(j.path, sizeof j.path, "%s/tiny-llama", folder);
    takes_at_most(&j, load, TEXTS, HLM_OK, "load");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        j.text = texts[i];
        takes_at_most(&j, render, TEXTS, i + 1 < sizeof texts / sizeof *texts ? HLM_E_LIMIT : HLM_OK, texts[i]);
    }
    for (size_t i = 0; i < 3 * (sizeof nested / sizeof *nested); i++) {
        static const size_t depths[3] = {30, 158, 8000};
        const char *const *kind = nested[i / 3];
        const size_t n = depths[i % 3];
        snprintf(text, sizeof text, "{{ %s1%s }}", repeat(open, kind[0], n), repeat(close, kind[1], n));
        j.text = text;
        j.run = render;
        const size_t used = measure(&j);
        printf("%zu x %-34s %7zu bytes\n", n, kind[0], used);
        ck_assert_msg(n < 8000 || j.st == HLM_E_LIMIT, "%s: %s", kind[0], hlm_status_name(j.st));
#if defined __OPTIMIZE__ && !defined __SANITIZE_ADDRESS__
        ck_assert_uint_le(used, TEXTS + OWN);
#endif
    }
    memset(text, '[', 100000);
    text[100000] = '\0';
    j.text = text;
    takes_at_most(&j, render_messages, TEXTS, HLM_E_LIMIT, "messages of lists in lists");
    memset(text, 'a', 200000);
    j.len = 200000;
    takes_at_most(&j, tokenize, CALLS, HLM_OK, "tokenize");
    hlm_model_release(j.model);
}
END_TEST

/* ---- files ---- */

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void copy_config(const char *dir)
{
    char path[1200], text[1 << 14];
    snprintf(path, sizeof path, "%s/tiny-llama/config.json", folder);
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    write_file(dir, "config.json", text);
}

static void load_vocab(job *j)
{
    const hlm_model_params p = {.struct_size = sizeof p, .flags = HLM_LOAD_VOCAB_ONLY};
    j->st = hlm_model_load(&j->model, j->path, &p);
}

/* JSON and expressions nested as deep as they may be, and deeper. */
START_TEST(files_that_nest)
{
    static char open[200000], close[200000], text[600000];
    static const size_t depths[] = {49, 120, 1000, 90000};
    char dir[] = "/tmp/test_stack_XXXXXX", path[1200];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    job j = {.text = NULL};
    strcpy(j.path, dir);
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        const size_t n = depths[i];
        copy_config(dir);
        snprintf(
            text, sizeof text,
            "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"pre_tokenizer\":{\"type\":\"Split\","
            "\"pattern\":{\"Regex\":\"%sa%s\"},\"behavior\":\"Isolated\"}}",
            repeat(open, "(", n), repeat(close, ")", n));
        write_file(dir, "tokenizer.json", text);
        takes_at_most(&j, load_vocab, TEXTS, n < 50 ? HLM_OK : HLM_E_UNSUPPORTED, "groups in groups");
        hlm_model_release(j.model);
        j.model = NULL;
        if (n > 128) write_file(dir, "tokenizer.json", repeat(text, "[", n));
        else {
            snprintf(text, sizeof text, "%s1%s", repeat(open, "[", n), repeat(close, "]", n));
            write_file(dir, "tokenizer.json", text);
        }
        takes_at_most(&j, load_vocab, TEXTS, n > 128 ? HLM_E_LIMIT : HLM_E_FORMAT, "lists in lists");
    }
    snprintf(path, sizeof path, "%s/config.json", dir);
    remove(path);
    snprintf(path, sizeof path, "%s/tokenizer.json", dir);
    remove(path);
    remove(dir);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {calls_on_models, templates_that_recurse, files_that_nest};
    if (argc > 1) folder = argv[1];
    return suite_run("stack", tests, sizeof tests / sizeof *tests);
}
