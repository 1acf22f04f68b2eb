/* Memory, files and callbacks that the caller supplies: counted, capped, failing at every place in turn. test_api_mem
 * FOLDER, with the models of test/data/models. */
#define _GNU_SOURCE 1
#include "api_help.h"
#include "../calls.h"

static char path[1024];

/* ---- memory ---- */

START_TEST(steps_do_not_allocate)
{
    enum { N = 600, PROMPT = 64, SINGLES = 50, PROMPTS = 8 };
    api a;
    api_open(&a, path, NULL);
    static int32_t tokens[N];
    static float logits[VOCAB], hidden[PROMPT * HIDDEN];
    for (size_t i = 0; i < N; i++) tokens[i] = token_at(i);
    const hlm_hidden h = {.struct_size = sizeof h, .layer = 1, .out = hidden};
    const hlm_hidden *const hs[] = {&h};
    const hlm_cache_params kp = {.struct_size = sizeof kp, .max_tokens = 2 * N};
    hlm_cache *c = NULL;
    OK(hlm_cache_new(&c, a.pool, &kp));
    OK(hlm_cache_reserve(c, 2 * N));
    hlm_step prompt = one_step(c, tokens, PROMPT, logits);
    prompt.hidden = hs;
    prompt.n_hidden = 1;
    const hlm_step single = one_step(c, tokens, 1, logits);
    OK(run_step(a.ctx, &prompt));
    OK(run_step(a.ctx, &single));
    const size_t before = atomic_load(&a.count.calls);
    for (int i = 0; i < SINGLES; i++) OK(run_step(a.ctx, &single));
    for (int i = 0; i < PROMPTS; i++) OK(run_step(a.ctx, &prompt));
    ck_assert_uint_eq(atomic_load(&a.count.calls), before);
    hlm_cache_free(c);
    unchanged(&a);
    api_close(&a);
}
END_TEST

/* All that a program does with a model, until something fails. */
typedef struct program {
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    hlm_cache *cache, *fork;
    hlm_sampler *sampler;
    hlm_text_stream *stream;
} program;

static hlm_status run_text(program *p, bool has_template)
{
    int32_t ids[64], chat[128];
    char text[256];
    size_t n = 0, len = 0;
    hlm_status st = hlm_tokenize(p->model, "hello world", 11, HLM_TOKENIZE_ADD_SPECIAL, ids, 64, &n);
    if (st == HLM_OK) st = hlm_detokenize(p->model, ids, n, 0, text, sizeof text, &len);
    if (st == HLM_OK && has_template)
        st = hlm_chat_render(p->model, "[{\"role\": \"user\", \"content\": \"hi\"}]", NULL, text, sizeof text, &len);
    const hlm_message hi = {"user", "hi"};
    if (st == HLM_OK && has_template)
        st = hlm_chat_tokenize_messages(p->model, &hi, 1, NULL, chat, sizeof chat / sizeof *chat, &len);
    if (st == HLM_OK) st = hlm_text_stream_new(&p->stream, p->model, 0);
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        const char *piece;
        st = hlm_text_stream_push(p->stream, ids[i], &piece, &len);
    }
    return st;
}

static hlm_status run_model(program *p)
{
    static const int32_t ids[] = {1, 2, 3, 4, 5, 6, 7};
    const char *const stop[] = {"never said"};
    const hlm_generate_params gp = {.struct_size = sizeof gp,
                                    .prompt = ids,
                                    .n_prompt = 3,
                                    .max_tokens = 3,
                                    .ignore_eos = 1,
                                    .stop = stop,
                                    .n_stop = 1};
    const hlm_sampler_params sp = {
        .struct_size = sizeof sp, .top_k = 5, .temperature = 1.0f, .repetition_penalty = 1.1f};
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 2, .pool = p->pool};
    double sum = 0;
    hlm_status st = hlm_ctx_new(&p->ctx, p->model, &cp);
    if (st == HLM_OK) st = hlm_cache_new(&p->cache, p->pool, NULL);
    if (st == HLM_OK) st = hlm_cache_reserve(p->cache, 9);
    const hlm_step s = one_step(p->cache, ids, 7, NULL);
    if (st == HLM_OK) st = run_step(p->ctx, &s);
    if (st == HLM_OK) st = hlm_cache_fork(&p->fork, p->cache, 6);
    if (st == HLM_OK) st = hlm_sampler_new(&p->sampler, p->model, &sp);
    if (st == HLM_OK) st = hlm_generate(p->ctx, p->fork, p->sampler, &gp, NULL);
    if (st == HLM_OK) st = call_score(p->ctx, ids, 7, NULL, &sum);
    return st;
}

static hlm_status run_program(program *p, const char *model, const hlm_allocator *a, uint32_t flags)
{
    const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = a, .flags = flags};
    const hlm_pool_params pp = {.struct_size = sizeof pp, .page_tokens = 2};
    *p = (program){0};
    hlm_status st = hlm_model_load(&p->model, model, &mp);
    if (st == HLM_OK) st = run_text(p, strstr(model, ".gguf") == NULL);
    if (st == HLM_OK) st = hlm_pool_new(&p->pool, p->model, &pp);
    return st == HLM_OK ? run_model(p) : st;
}

/* Frees in the order that the bits of `order` give. */
static void end_program(program *p, unsigned order)
{
    int32_t left = 7;
    bool done[7] = {false};
    for (; left > 0; order = order * 1664525u + 1013904223u) {
        const unsigned i = (order >> 16) % 7;
        if (done[i]) continue;
        done[i] = true;
        left--;
        switch (i) {
        case 0: hlm_model_release(p->model); break;
        case 1: hlm_pool_release(p->pool); break;
        case 2: hlm_ctx_free(p->ctx); break;
        case 3: hlm_cache_free(p->cache); break;
        case 4: hlm_cache_free(p->fork); break;
        case 5: hlm_sampler_free(p->sampler); break;
        default: hlm_text_stream_free(p->stream); break;
        }
    }
}

START_TEST(every_allocation_fails)
{
    char model[1100];
    snprintf(model, sizeof model, "%s%s", path, _i & 1 ? ".gguf" : "");
    const uint32_t flags = _i & 2 ? HLM_LOAD_READ | HLM_LOAD_CHECK_WEIGHTS : 0;
    hlm_status st = HLM_E_NOMEM;
    for (size_t k = 1; st != HLM_OK; k++) {
        counter c = {.fail_at = k};
        const hlm_allocator a = counter_allocator(&c);
        program p;
        st = run_program(&p, model, &a, flags);
        const bool failed = atomic_load(&c.calls) >= k;
        ck_assert_msg(st == (failed ? HLM_E_NOMEM : HLM_OK), "allocation %zu: %s (%s)", k, hlm_status_name(st),
                      hlm_last_error());
        end_program(&p, (unsigned)k);
        ck_assert_msg(atomic_load(&c.live) == 0, "allocation %zu: %zu blocks are left", k, atomic_load(&c.live));
    }
}
END_TEST

START_TEST(any_order_of_freeing)
{
    for (unsigned order = 0; order < 100; order++) {
        counter c = {0};
        const hlm_allocator a = counter_allocator(&c);
        program p;
        OK(run_program(&p, path, &a, 0));
        end_program(&p, order * 2654435761u);
        ck_assert_uint_eq(atomic_load(&c.live), 0);
    }
}
END_TEST

/* A step whose allocations fail one after the other changes nothing. */
START_TEST(steps_without_memory)
{
    api a;
    api_open(&a, path, NULL);
    int32_t tokens[ROOM - HELD];
    for (size_t i = 0; i < ROOM - HELD; i++) tokens[i] = token_at(HELD + i);
    hlm_cache *fork = NULL;
    OK(hlm_cache_fork(&fork, a.cache, HLM_NOW)); /* shared pages are copied by the step */
    const hlm_step s = one_step(a.cache, tokens, ROOM - HELD, NULL);
    for (size_t k = 1;; k++) {
        uint64_t used = 0, then = 0;
        OK(call_usage(a.pool, &used, NULL));
        a.count.fail_at = atomic_load(&a.count.calls) + k;
        const hlm_status st = run_step(a.ctx, &s);
        a.count.fail_at = 0;
        if (st == HLM_OK) break;
        ck_assert_int_eq(st, HLM_E_NOMEM);
        OK(call_usage(a.pool, &then, NULL));
        ck_assert_uint_eq(then, used);
        ck_assert_int_eq(hlm_cache_length(fork), HELD);
        unchanged(&a);
    }
    ck_assert_int_eq(hlm_cache_length(a.cache), ROOM);
    hlm_cache_free(fork);
    api_close(&a);
}
END_TEST

START_TEST(pool_cap)
{
    enum { PAGES = 5, PER = 4 };
    hlm_model *m = NULL;
    hlm_pool *pool = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *c = NULL, *d = NULL;
    uint64_t page = 0, used = 0, held = 0;
    int32_t tokens[64];
    float want[VOCAB], got[VOCAB];
    for (size_t i = 0; i < 64; i++) tokens[i] = token_at(i);
    OK(hlm_model_load(&m, path, NULL));
    hlm_pool_params pp = {.struct_size = sizeof pp, .page_tokens = PER};
    OK(hlm_pool_new(&pool, m, &pp));
    OK(hlm_cache_new(&c, pool, NULL));
    OK(hlm_cache_reserve(c, 1));
    OK(call_usage(pool, &page, NULL));
    hlm_cache_free(c);
    hlm_pool_release(pool);
    pp.max_bytes = page * PAGES + page / 2;
    OK(hlm_pool_new(&pool, m, &pp));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = pool};
    OK(hlm_ctx_new(&ctx, m, &cp));
    OK(hlm_cache_new(&c, pool, NULL));
    OK(hlm_cache_new(&d, pool, NULL));
    hlm_step s = one_step(c, tokens, 3 * PER - 1, NULL);
    OK(run_step(ctx, &s));
    next_logits(ctx, c, want);
    s = one_step(c, tokens, 4 * PER, NULL);
    REFUSED(run_step(ctx, &s), HLM_E_NOMEM);
    OK(call_usage(pool, &used, &held));
    ck_assert_uint_eq(used, 3 * page); /* the pages it had taken went back */
    ck_assert_uint_le(held, pp.max_bytes);
    ck_assert_int_eq(hlm_cache_length(c), 3 * PER - 1);
    REFUSED(hlm_cache_reserve(c, 6 * PER), HLM_E_NOMEM);
    OK(call_usage(pool, &used, NULL));
    ck_assert_uint_eq(used, 3 * page);
    s = one_step(d, tokens, 2 * PER, NULL); /* so the other sequence finds room */
    OK(run_step(ctx, &s));
    next_logits(ctx, c, got);
    ck_assert_mem_eq(got, want, sizeof got);
    hlm_cache_free(d);
    OK(hlm_cache_reserve(c, PAGES * PER));
    OK(call_usage(pool, &used, NULL));
    ck_assert_uint_eq(used, PAGES * page);
    hlm_cache_free(c);
    hlm_ctx_free(ctx);
    hlm_pool_release(pool);
    hlm_model_release(m);
}
END_TEST

/* ---- files ---- */

/* The folder's files in memory, behind callbacks of which the k-th fails. */
typedef struct blob {
    char name[32];
    char *data;
    size_t n;
} blob;

typedef enum call { OPEN, SIZE, READ_AT, MAP, CALLS } call;

typedef struct disk {
    blob files[4];
    int open;
    call failing;
    size_t calls[CALLS], fail_at;
} disk;

static bool fails(disk *d, call c)
{
    return ++d->calls[c] == d->fail_at && c == d->failing;
}

static int32_t disk_open(void *user, const char *name, void **file)
{
    disk *d = user;
    if (fails(d, OPEN)) return 3;
    for (size_t i = 0; i < 4; i++) {
        if (strncmp(name, "pack/", 5) != 0 || strcmp(name + 5, d->files[i].name) != 0) continue;
        d->open++;
        *file = &d->files[i];
        return 0;
    }
    return 1;
}

static int32_t disk_size(void *user, void *file, uint64_t *size)
{
    *size = ((blob *)file)->n;
    return fails(user, SIZE);
}

static int32_t disk_read_at(void *user, void *file, uint64_t offset, void *out, size_t n)
{
    const blob *b = file;
    if (fails(user, READ_AT) || offset > b->n || n > b->n - offset) return 1;
    memcpy(out, b->data + offset, n);
    return 0;
}

static int32_t disk_map(void *user, void *file, const void **data)
{
    if (fails(user, MAP)) return 1;
    *data = ((blob *)file)->data;
    return 0;
}

static void disk_close(void *user, void *file)
{
    (void)file;
    ((disk *)user)->open--;
}

static void disk_fill(disk *d)
{
    static const char *const names[] = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"};
    memset(d, 0, sizeof *d);
    for (size_t i = 0; i < 4; i++) {
        char full[1200];
        blob *b = &d->files[i];
        snprintf(b->name, sizeof b->name, "%s", names[i]);
        snprintf(full, sizeof full, "%s/%s", path, names[i]);
        FILE *f = fopen(full, "rb");
        ck_assert_ptr_nonnull(f);
        b->data = malloc(1 << 16);
        b->n = fread(b->data, 1, 1 << 16, f);
        fclose(f);
    }
}

static hlm_status load_disk(disk *d, bool map, hlm_model **m, counter *count)
{
    const hlm_allocator a = counter_allocator(count);
    const hlm_vfs vfs = {.struct_size = sizeof vfs,
                         .user = d,
                         .open = disk_open,
                         .size = disk_size,
                         .read_at = disk_read_at,
                         .map = map ? disk_map : NULL,
                         .close = disk_close};
    const hlm_model_params p = {.struct_size = sizeof p, .vfs = &vfs, .allocator = &a};
    memset(d->calls, 0, sizeof d->calls);
    return hlm_model_load(m, "pack", &p);
}

START_TEST(from_memory)
{
    disk d;
    api a;
    float got[VOCAB];
    api_open(&a, path, NULL);
    disk_fill(&d);
    hlm_model *m = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *c = NULL;
    counter count = {0};
    OK(load_disk(&d, _i != 0, &m, &count));
    OK(hlm_ctx_new(&ctx, m, NULL));
    OK(hlm_cache_new(&c, hlm_ctx_pool(ctx), NULL));
    hold(ctx, c);
    next_logits(ctx, c, got);
    ck_assert_mem_eq(got, a.want, sizeof got);
    hlm_cache_free(c);
    hlm_ctx_free(ctx);
    hlm_model_release(m);
    ck_assert_int_eq(d.open, 0);
    ck_assert_uint_eq(atomic_load(&count.live), 0);
    for (size_t i = 0; i < 4; i++) free(d.files[i].data);
    api_close(&a);
}
END_TEST

START_TEST(every_file_call_fails)
{
    disk d;
    disk_fill(&d);
    const bool map = _i >= CALLS;
    d.failing = (call)(_i % CALLS);
    for (d.fail_at = 1;; d.fail_at++) {
        counter count = {0};
        hlm_model *m = NULL;
        const hlm_status st = load_disk(&d, map, &m, &count);
        const bool failed = d.calls[d.failing] >= d.fail_at;
        /* a map that fails is read; the folder itself does not open as a file anyway */
        const bool harmless = !failed || d.failing == MAP || (d.failing == OPEN && d.fail_at == 1);
        ck_assert_msg(st == (harmless ? HLM_OK : HLM_E_IO), "call %zu of kind %d: %s (%s)", d.fail_at, (int)d.failing,
                      hlm_status_name(st), hlm_last_error());
        if (st != HLM_OK) ck_assert_ptr_nonnull(strstr(hlm_last_error(), "pack/"));
        hlm_model_release(m);
        ck_assert_int_eq(d.open, 0);
        ck_assert_uint_eq(atomic_load(&count.live), 0);
        if (!failed) break;
    }
    for (size_t i = 0; i < 4; i++) free(d.files[i].data);
}
END_TEST

/* ---- progress and log ---- */

typedef struct heard {
    size_t calls, stop_at, lines;
    uint64_t done, total;
} heard;

static int32_t on_progress(void *user, uint64_t done, uint64_t total)
{
    heard *h = user;
    ck_assert(done >= h->done && done <= total);
    h->done = done;
    h->total = total;
    return ++h->calls == h->stop_at;
}

static void on_line(void *user, int32_t level, const char *text)
{
    ck_assert(level >= HLM_LOG_DEBUG && level <= HLM_LOG_WARN);
    ck_assert(text[0] && !strchr(text, '\n'));
    ((heard *)user)->lines++;
}

START_TEST(progress_and_log)
{
    size_t stop_at = 0, calls = 1;
    for (; stop_at <= calls; stop_at++) {
        counter count = {0};
        heard h = {.stop_at = stop_at};
        const hlm_allocator a = counter_allocator(&count);
        const hlm_log log = {.struct_size = sizeof log, .user = &h, .write = on_line};
        const hlm_model_params p = {
            .struct_size = sizeof p, .allocator = &a, .log = &log, .progress = on_progress, .progress_user = &h};
        hlm_model *m = NULL;
        const hlm_status st = hlm_model_load(&m, path, &p);
        ck_assert_int_eq(st, stop_at ? HLM_E_CANCELLED : HLM_OK);
        if (!stop_at) {
            calls = h.calls;
            ck_assert_uint_gt(h.lines, 0);
            ck_assert_uint_gt(h.calls, 0);
        }
        hlm_model_release(m);
        ck_assert_uint_eq(atomic_load(&count.live), 0);
    }
}
END_TEST

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    snprintf(path, sizeof path, "%s/tiny-llama", argv[1]);
    TCase *t = tcase_create("what the caller supplies");
    tcase_add_test(t, steps_do_not_allocate);
    tcase_add_loop_test(t, every_allocation_fails, 0, 4);
    tcase_add_test(t, any_order_of_freeing);
    tcase_add_test(t, steps_without_memory);
    tcase_add_test(t, pool_cap);
    tcase_add_loop_test(t, from_memory, 0, 2);
    tcase_add_loop_test(t, every_file_call_fails, 0, 2 * CALLS);
    tcase_add_test(t, progress_and_log);
    return api_main("api_mem", t);
}
