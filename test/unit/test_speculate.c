/* Speculative decoding never changes the text: hlm_generate with drafts of all kinds against the same call without,
 * over small models of every architecture. Compared are tokens, callbacks, ends, statuses, what the cache holds, its
 * marks, and the logits behind it, bit for bit. test_speculate FOLDER MODEL... */
#include <check.h>
#include <hybridlm/hybridlm.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *data_dir;
static char **models; /* names in that folder */
static size_t n_models;

enum { LONGEST = 160, VOCAB = 320, MARKS = 64, ROUNDS = 8 };

#define OK(e) ck_assert_msg((e) == HLM_OK, "%s: %s", #e, hlm_last_error())

static uint64_t random_state;

static uint32_t next_random(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

typedef struct engine {
    hlm_model *model;
    hlm_pool *pool;
    hlm_context *ctx;
    size_t vocab, longest;
} engine;

static engine open_engine(const char *name, const hlm_pool_params *pool, int32_t threads)
{
    char path[1024];
    engine e = {0};
    hlm_model_info info = {.struct_size = sizeof info};
    snprintf(path, sizeof path, "%s/%s", data_dir, name);
    OK(hlm_model_load(&e.model, path, NULL));
    OK(hlm_model_info_get(e.model, &info));
    OK(hlm_pool_new(&e.pool, e.model, pool));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .pool = e.pool, .n_threads = threads, .max_rows = 24};
    OK(hlm_ctx_new(&e.ctx, e.model, &cp));
    e.vocab = (size_t)info.vocab_size;
    e.longest = info.max_positions < LONGEST ? (size_t)info.max_positions : LONGEST;
    return e;
}

static void close_engine(engine *e)
{
    hlm_ctx_free(e->ctx);
    hlm_pool_release(e->pool);
    hlm_model_release(e->model);
}

/* One call of hlm_generate, and how it is disturbed. */
typedef struct call {
    int32_t prompt[LONGEST], stop_token;
    size_t n_prompt, max_tokens, max_length, reserve;
    size_t stop_after, cancel_after; /* tokens; 0: never */
    hlm_sampler_params sampler;
} call;

typedef struct outcome {
    hlm_status status;
    int32_t finish;
    bool can_mark; /* the state is that of the present position */
    size_t n, n_held, n_marks, heard_bytes;
    int32_t ids[LONGEST], heard[LONGEST], held[LONGEST];
    char text[4096];
    int64_t marks[MARKS];
    float logits[VOCAB]; /* behind what is held */
} outcome;

typedef struct listener {
    const call *c;
    outcome *o;
    hlm_context *ctx;
    size_t n;
} listener;

static int32_t on_token(void *user, int32_t token, const char *text, size_t len)
{
    listener *l = user;
    if (l->n < LONGEST) l->o->heard[l->n] = token;
    ck_assert(l->o->heard_bytes + len <= sizeof l->o->text);
    memcpy(l->o->text + l->o->heard_bytes, text, len);
    l->o->heard_bytes += len;
    if (++l->n == l->c->cancel_after) hlm_ctx_cancel(l->ctx);
    return l->n == l->c->stop_after;
}

/* A request to cancel that came behind a call's last step would end the next call. */
static void forget_cancel(const engine *e)
{
    const int32_t probe = 1;
    hlm_cache *cache;
    OK(hlm_cache_new(&cache, e->pool, NULL));
    const hlm_step one = {.struct_size = sizeof one, .cache = cache, .tokens = &probe, .n_tokens = 1};
    const hlm_step *const steps[] = {&one};
    const hlm_status st = hlm_decode_step(e->ctx, steps, 1);
    ck_assert(st == HLM_OK || st == HLM_E_CANCELLED || st == HLM_E_NOMEM);
    hlm_cache_free(cache);
}

/* What the cache holds, and what it leads to. */
static void look(const engine *e, hlm_cache *cache, outcome *o)
{
    const int32_t probe = 1;
    hlm_cache *fork;
    o->n_held = (size_t)hlm_cache_length(cache);
    ck_assert_uint_le(o->n_held, LONGEST);
    OK(hlm_cache_tokens(cache, 0, o->n_held, o->held));
    OK(hlm_cache_marks(cache, o->marks, MARKS, &o->n_marks));
    o->can_mark = hlm_cache_mark(cache) == HLM_OK;
    forget_cancel(e);
    OK(hlm_cache_fork(&fork, cache, HLM_NOW));
    const hlm_step one = {
        .struct_size = sizeof one, .cache = fork, .tokens = &probe, .n_tokens = 1, .logits = o->logits};
    const hlm_step *const steps[] = {&one};
    const hlm_status st = hlm_decode_step(e->ctx, steps, 1);
    ck_assert(st == HLM_OK || st == HLM_E_FULL || st == HLM_E_NOMEM);
    hlm_cache_free(fork);
}

static outcome generate(const engine *e, const call *c, const hlm_speculation *how, hlm_generate_result *result)
{
    outcome o;
    memset(&o, 0, sizeof o);
    listener l = {.c = c, .o = &o, .ctx = e->ctx};
    hlm_cache *cache;
    hlm_sampler *sampler;
    const hlm_cache_params cp = {.struct_size = sizeof cp, .max_tokens = (int64_t)c->max_length};
    OK(hlm_cache_new(&cache, e->pool, &cp));
    OK(hlm_cache_reserve(cache, (int64_t)c->reserve));
    OK(hlm_sampler_new(&sampler, e->model, &c->sampler));
    const hlm_generate_params p = {.struct_size = sizeof p,
                                   .prompt = c->prompt,
                                   .n_prompt = c->n_prompt,
                                   .max_tokens = c->max_tokens,
                                   .stop_tokens = &c->stop_token,
                                   .n_stop_tokens = c->stop_token >= 0,
                                   .on_token = on_token,
                                   .user = &l,
                                   .tokens = o.ids,
                                   .tokens_cap = LONGEST,
                                   .speculation = how};
    *result = (hlm_generate_result){.struct_size = sizeof *result};
    o.status = hlm_generate(e->ctx, cache, sampler, &p, result);
    o.finish = result->finish;
    o.n = result->n_generated;
    look(e, cache, &o);
    hlm_sampler_free(sampler);
    hlm_cache_free(cache);
    return o;
}

static call random_call(const engine *e)
{
    call c = {.stop_token = -1, .max_length = e->longest, .n_prompt = 1 + next_random() % (e->longest / 3)};
    const uint32_t few = 2 + next_random() % 12; /* different tokens, so that the text repeats itself */
    for (size_t i = 0; i < c.n_prompt; i++) c.prompt[i] = (int32_t)(next_random() % few % e->vocab);
    c.max_tokens = 1 + next_random() % (e->longest - c.n_prompt + 8); /* too long now and then */
    if (next_random() % 4 == 0) c.max_tokens = 0;
    if (next_random() % 4 == 0) c.max_length = c.n_prompt + next_random() % 20;
    if (next_random() % 3 == 0) c.stop_after = 1 + next_random() % 40;
    if (next_random() % 5 == 0) c.cancel_after = 1 + next_random() % 40;
    if (next_random() % 3 == 0) c.stop_token = (int32_t)(next_random() % e->vocab);
    if (next_random() % 3 == 0) c.reserve = next_random() % c.max_length;
    c.sampler = (hlm_sampler_params){.struct_size = sizeof c.sampler, .seed = next_random()};
    if (next_random() % 2) c.sampler.temperature = 0.25f * (float)(1 + next_random() % 4);
    if (next_random() % 3 == 0) c.sampler.top_k = 1 + (int32_t)(next_random() % 5);
    if (next_random() % 3 == 0) c.sampler.repetition_penalty = 1.1f;
    return c;
}

static hlm_speculation random_speculation(void)
{
    static const int32_t branches[] = {0, 1, 1, 2, 3, 8};
    return (hlm_speculation){.struct_size = sizeof(hlm_speculation),
                             .n_draft =
                                 next_random() % 3 ? (int32_t)(next_random() % 17) : (int32_t)(next_random() % 65),
                             .ngram = (int32_t)(next_random() % 6),
                             .n_branches = branches[next_random() % 6],
                             .fixed = next_random() % 4 != 0};
}

static void same(const engine *e, const char *name, size_t round, const outcome *got, const outcome *want)
{
    ck_assert_msg(got->status == want->status, "%s, round %zu: %s, plain %s: %s", name, round,
                  hlm_status_name(got->status), hlm_status_name(want->status), hlm_last_error());
    ck_assert_msg(got->n == want->n && got->finish == want->finish,
                  "%s, round %zu: %zu tokens, finish %d; plain %zu, %d", name, round, got->n, got->finish, want->n,
                  want->finish);
    ck_assert_msg(memcmp(got->ids, want->ids, sizeof got->ids) == 0, "%s, round %zu: other tokens", name, round);
    ck_assert_msg(memcmp(got->heard, want->heard, sizeof got->heard) == 0 && got->heard_bytes == want->heard_bytes &&
                      memcmp(got->text, want->text, got->heard_bytes) == 0,
                  "%s, round %zu: other callbacks", name, round);
    ck_assert_msg(got->n_held == want->n_held && memcmp(got->held, want->held, sizeof got->held) == 0,
                  "%s, round %zu: the cache holds %zu tokens, plain %zu", name, round, got->n_held, want->n_held);
    ck_assert_msg(got->n_marks == want->n_marks && memcmp(got->marks, want->marks, sizeof got->marks) == 0,
                  "%s, round %zu: %zu marks, plain %zu", name, round, got->n_marks, want->n_marks);
    ck_assert_msg(got->can_mark == want->can_mark, "%s, round %zu: the state is elsewhere", name, round);
    ck_assert_msg(memcmp(got->logits, want->logits, e->vocab * sizeof *got->logits) == 0,
                  "%s, round %zu: other logits behind it", name, round);
}

static hlm_pool_params pool_params(size_t which)
{
    static const hlm_pool_params list[] = {
        {.page_tokens = 0},
        {.page_tokens = 2, .mark_stride = 7, .undo_tokens = 3},
        {.page_tokens = 4, .mark_stride = -1, .undo_tokens = -1},
        {.page_tokens = 16, .mark_bytes = 1, .undo_tokens = 5},
    };
    hlm_pool_params p = list[which % (sizeof list / sizeof *list)];
    p.struct_size = sizeof p;
    return p;
}

typedef struct totals {
    size_t steps, drafted, accepted;
} totals;

static void add_up(totals *t, const hlm_generate_result *r)
{
    ck_assert_uint_le(r->n_accepted, r->n_drafted);
    t->steps += r->n_steps;
    t->drafted += r->n_drafted;
    t->accepted += r->n_accepted;
}

START_TEST(drafts_from_the_text_change_nothing)
{
    totals t = {0};
    for (size_t m = 0; m < n_models; m++) {
        for (size_t k = 0; k < 4; k++) {
            const hlm_pool_params pp = pool_params(k);
            engine e = open_engine(models[m], &pp, 1 + (int32_t)(k % 2));
            for (size_t i = 0; i < ROUNDS / 4; i++) {
                random_state = m * 1000 + k * 100 + i;
                const call c = random_call(&e);
                const hlm_speculation how = random_speculation();
                hlm_generate_result plain, fast;
                const outcome want = generate(&e, &c, NULL, &plain), got = generate(&e, &c, &how, &fast);
                same(&e, models[m], k * 100 + i, &got, &want);
                add_up(&t, &fast);
                ck_assert_uint_eq(plain.n_drafted, 0);
            }
            close_engine(&e);
        }
    }
    ck_assert_uint_gt(t.accepted, t.steps / 16); /* the test would show nothing if no draft were ever right */
    ck_assert_uint_gt(t.drafted, t.accepted);
}
END_TEST

START_TEST(drafts_of_a_model_change_nothing)
{
    totals t = {0};
    for (size_t m = 0; m < n_models; m++) {
        const hlm_pool_params pp = pool_params(m % 2), dp = pool_params(m % 3);
        engine e = open_engine(models[m], &pp, 2);
        const char *other = e.vocab == 320 ? (m % 2 ? "mistral" : "lfm2") : e.vocab == 64 ? "biases" : models[m];
        engine drafter = open_engine(m % 4 == 0 ? models[m] : other, &dp, 1);
        hlm_cache *kept;
        OK(hlm_cache_new(&kept, drafter.pool, NULL));
        for (size_t i = 0; i < ROUNDS / 2; i++) {
            random_state = m * 1000 + i;
            const call c = random_call(&e);
            hlm_speculation how = random_speculation();
            how.draft = drafter.ctx;
            if (i % 2) how.draft_cache = kept;
            if (i % 3) how.ngram = -1;
            hlm_generate_result plain, fast;
            const outcome want = generate(&e, &c, NULL, &plain), got = generate(&e, &c, &how, &fast);
            same(&e, models[m], i, &got, &want);
            add_up(&t, &fast);
        }
        hlm_cache_free(kept);
        close_engine(&drafter);
        close_engine(&e);
    }
    ck_assert_uint_gt(t.accepted, t.steps / 16);
    ck_assert_uint_gt(t.drafted, t.accepted);
}
END_TEST

/* The same model drafts for itself: every draft is right, and n tokens take n / (n_draft + 1) steps. */
START_TEST(the_same_model_is_always_right)
{
    for (size_t m = 0; m < n_models; m++) {
        const hlm_pool_params pp = pool_params(0);
        engine e = open_engine(models[m], &pp, 1);
        engine drafter = open_engine(models[m], &pp, 1);
        for (int32_t hot = 0; hot < 2; hot++) {
            random_state = m;
            call c = {.stop_token = -1, .n_prompt = 17, .max_length = e.longest, .max_tokens = 22};
            for (size_t i = 0; i < c.n_prompt; i++) c.prompt[i] = (int32_t)(next_random() % e.vocab);
            c.sampler = (hlm_sampler_params){.struct_size = sizeof c.sampler, .seed = 7, .temperature = (float)hot};
            const hlm_speculation how = {
                .struct_size = sizeof how, .n_draft = 3, .ngram = -1, .fixed = 1, .draft = drafter.ctx};
            hlm_generate_result plain, fast;
            const outcome want = generate(&e, &c, NULL, &plain), got = generate(&e, &c, &how, &fast);
            same(&e, models[m], (size_t)hot, &got, &want);
            ck_assert_uint_le(fast.n_drafted - fast.n_accepted, 3); /* what is beyond the end */
            if (got.n == 22)
                ck_assert_msg(fast.n_steps <= 8, "%s: %zu steps, %zu drafted, %zu accepted", models[m], fast.n_steps,
                              fast.n_drafted, fast.n_accepted); /* and a little more where a stretch of the log ends */
        }
        close_engine(&drafter);
        close_engine(&e);
    }
}
END_TEST

START_TEST(what_can_not_work_is_refused)
{
    const hlm_pool_params pp = pool_params(0);
    engine e = open_engine("mistral", &pp, 1), odd = open_engine("odd", &pp, 1), twin = open_engine("mistral", &pp, 1);
    hlm_cache *cache, *foreign;
    int32_t prompt[] = {1, 2, 3};
    OK(hlm_cache_new(&cache, e.pool, NULL));
    OK(hlm_cache_new(&foreign, odd.pool, NULL));
    const hlm_speculation none = {.struct_size = sizeof none};
    hlm_speculation s;
    const hlm_generate_params p = {
        .struct_size = sizeof p, .prompt = prompt, .n_prompt = 3, .max_tokens = 4, .speculation = &s};
    const struct {
        hlm_status want;
        hlm_speculation s;
    } cases[] = {
        {HLM_E_ARG, {.struct_size = 3}},
        {HLM_E_ARG, {.struct_size = sizeof s, .n_draft = 65}},
        {HLM_E_ARG, {.struct_size = sizeof s, .n_draft = -1}},
        {HLM_E_ARG, {.struct_size = sizeof s, .n_branches = 9}},
        {HLM_E_ARG, {.struct_size = sizeof s, .n_branches = -1}},
        {HLM_E_ARG, {.struct_size = sizeof s, .ngram = 65}},
        {HLM_E_ARG, {.struct_size = sizeof s, .fixed = 2}},
        {HLM_E_ARG, {.struct_size = sizeof s, .draft_cache = foreign}},
        {HLM_E_MISMATCH, {.struct_size = sizeof s, .draft = odd.ctx}},
        {HLM_E_MISMATCH, {.struct_size = sizeof s, .draft = twin.ctx, .draft_cache = foreign}},
        {HLM_E_ARG, {.struct_size = sizeof s, .draft = e.ctx, .draft_cache = cache}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s = cases[i].s;
        ck_assert_int_eq(hlm_generate(e.ctx, cache, NULL, &p, NULL), cases[i].want);
        ck_assert_int_eq(hlm_cache_length(cache), 0);
        ck_assert_str_eq(hlm_ctx_error(e.ctx), hlm_last_error());
    }
    s = none;
    s.draft = odd.ctx;
    ck_assert_int_eq(hlm_generate(e.ctx, cache, NULL, &p, NULL), HLM_E_MISMATCH);
    ck_assert_ptr_nonnull(strstr(hlm_last_error(), "vocabulary has 67 tokens, the model's 320"));
    s = none;
    s.draft = e.ctx; /* a context may draft for itself */
    OK(hlm_generate(e.ctx, cache, NULL, &p, NULL));
    hlm_cache_free(cache);
    hlm_cache_free(foreign);
    close_engine(&e);
    close_engine(&odd);
    close_engine(&twin);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------ */

typedef struct meter {
    size_t n, fail_at;
    int64_t blocks;
} meter;

static void *meter_alloc(void *user, size_t size, size_t align)
{
    meter *m = user;
    if (++m->n == m->fail_at) return NULL;
    void *p = aligned_alloc(align, (size + align - 1) / align * align);
    m->blocks += p != NULL;
    return p;
}

static void meter_free(void *user, void *ptr)
{
    ((meter *)user)->blocks--;
    free(ptr);
}

static void every_allocation_fails(const char *name)
{
    char path[1024];
    meter m = {0};
    const hlm_allocator allocator = {sizeof allocator, &m, meter_alloc, meter_free};
    const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = &allocator};
    snprintf(path, sizeof path, "%s/%s", data_dir, name);
    engine e = {0};
    OK(hlm_model_load(&e.model, path, &mp));
    for (size_t k = 1;; k++) {
        const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1};
        const int32_t prompt[] = {1, 2, 1, 2, 1, 2, 1};
        int32_t ids[24];
        hlm_cache *cache;
        hlm_generate_result r = {.struct_size = sizeof r};
        OK(hlm_ctx_new(&e.ctx, e.model, &cp));
        OK(hlm_cache_new(&cache, hlm_ctx_pool(e.ctx), NULL));
        const hlm_speculation how = {
            .struct_size = sizeof how, .n_draft = 4, .n_branches = 3, .fixed = 1, .draft = e.ctx};
        const hlm_generate_params p = {.struct_size = sizeof p,
                                       .prompt = prompt,
                                       .n_prompt = 7,
                                       .max_tokens = 24,
                                       .ignore_eos = 1,
                                       .tokens = ids,
                                       .tokens_cap = 24,
                                       .speculation = &how};
        m.n = 0;
        m.fail_at = k;
        const hlm_status st = hlm_generate(e.ctx, cache, NULL, &p, &r);
        const bool reached = m.n >= k;
        m.fail_at = 0;
        ck_assert_msg(st == HLM_OK || st == HLM_E_NOMEM, "%s, allocation %zu: %s", name, k, hlm_last_error());
        const int64_t held = hlm_cache_length(cache);
        if (held > 7) { /* whatever it holds is the text: it goes on as plain decoding does */
            int32_t plain[24], kept[32];
            hlm_cache *fresh;
            const hlm_generate_params pp = {.struct_size = sizeof pp,
                                            .prompt = prompt,
                                            .n_prompt = 7,
                                            .max_tokens = 24,
                                            .ignore_eos = 1,
                                            .tokens = plain,
                                            .tokens_cap = 24};
            OK(hlm_cache_new(&fresh, hlm_ctx_pool(e.ctx), NULL));
            OK(hlm_generate(e.ctx, fresh, NULL, &pp, NULL));
            OK(hlm_cache_tokens(cache, 7, (size_t)held - 7, kept));
            ck_assert_mem_eq(kept, plain, ((size_t)held - 7) * sizeof *kept);
            hlm_cache_free(fresh);
        }
        hlm_cache_free(cache);
        hlm_ctx_free(e.ctx);
        if (st == HLM_OK && !reached) break;
    }
    hlm_model_release(e.model);
    ck_assert_int_eq(m.blocks, 0);
}

START_TEST(every_allocation_may_fail)
{
    every_allocation_fails("mistral");
    if (n_models > 4) every_allocation_fails("jamba");
}
END_TEST

/* After the first steps nothing is allocated a step: 60 tokens more, and as many blocks. */
START_TEST(steps_allocate_nothing)
{
    static const char *const names[] = {"mistral", "mamba2-dtlimit"};
    for (size_t i = 0; i < 2; i++) {
        char path[1024];
        size_t taken[2];
        meter m = {0};
        const hlm_allocator allocator = {sizeof allocator, &m, meter_alloc, meter_free};
        const hlm_model_params mp = {.struct_size = sizeof mp, .allocator = &allocator};
        snprintf(path, sizeof path, "%s/%s", data_dir, names[i]);
        engine e = {0};
        OK(hlm_model_load(&e.model, path, &mp));
        const hlm_pool_params pp = {.struct_size = sizeof pp, .page_tokens = 256};
        OK(hlm_pool_new(&e.pool, e.model, &pp));
        const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = e.pool};
        OK(hlm_ctx_new(&e.ctx, e.model, &cp));
        for (size_t longer = 0; longer < 2; longer++) {
            const int32_t prompt[] = {1, 2, 1, 2, 1, 2, 1};
            hlm_cache *cache;
            OK(hlm_cache_new(&cache, e.pool, NULL));
            const hlm_speculation how = {.struct_size = sizeof how, .n_draft = 3, .fixed = 1};
            const hlm_generate_params p = {.struct_size = sizeof p,
                                           .prompt = prompt,
                                           .n_prompt = 7,
                                           .max_tokens = 60 + 60 * longer,
                                           .speculation = &how};
            m.n = 0;
            OK(hlm_generate(e.ctx, cache, NULL, &p, NULL));
            taken[longer] = m.n;
            hlm_cache_free(cache);
        }
        ck_assert_uint_le(taken[1], taken[0]);
        close_engine(&e);
        ck_assert_int_eq(m.blocks, 0);
    }
}
END_TEST

/* At the pool's cap, where drafts do not fit any more, generation goes on without them. */
START_TEST(the_cap_ends_drafts_and_not_the_text)
{
    static const char *const names[] = {"mistral", "jamba"};
    for (size_t i = 0; i < 2; i++) {
        hlm_pool_params pp = pool_params(1);
        engine e = open_engine(names[i], &pp, 1);
        random_state = 3;
        call c = {.stop_token = -1, .n_prompt = 20, .max_length = 100, .max_tokens = 40};
        for (size_t k = 0; k < 20; k++) c.prompt[k] = (int32_t)(k % 5);
        c.sampler = (hlm_sampler_params){.struct_size = sizeof c.sampler};
        hlm_generate_result r;
        const outcome want = generate(&e, &c, NULL, &r);
        const hlm_speculation how = {.struct_size = sizeof how, .n_draft = 12, .n_branches = 8, .ngram = 1, .fixed = 1};
        close_engine(&e);
        for (uint64_t cap = 1 << 16; cap < 1 << 23; cap += cap / 8) {
            pp.max_bytes = cap;
            engine capped = open_engine(names[i], &pp, 1);
            const outcome plain = generate(&capped, &c, NULL, &r);
            close_engine(&capped);
            if (plain.status != HLM_OK) continue;
            capped = open_engine(names[i], &pp, 1);
            const outcome got = generate(&capped, &c, &how, &r);
            ck_assert_msg(got.status == HLM_OK, "%s with %llu bytes: %s", names[i], (unsigned long long)cap,
                          hlm_last_error());
            ck_assert_mem_eq(got.ids, want.ids, sizeof got.ids);
            close_engine(&capped);
        }
    }
}
END_TEST

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    data_dir = argv[1];
    models = argv + 2;
    n_models = (size_t)argc - 2;
    Suite *suite = suite_create("speculate");
    const TTest *const tests[] = {
        drafts_from_the_text_change_nothing,  drafts_of_a_model_change_nothing, the_same_model_is_always_right,
        what_can_not_work_is_refused,         every_allocation_may_fail,        steps_allocate_nothing,
        the_cap_ends_drafts_and_not_the_text,
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        TCase *tc = tcase_create(tests[i]->name);
        tcase_add_test(tc, tests[i]);
        tcase_set_timeout(tc, 600);
        suite_add_tcase(suite, tc);
    }
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner), ran = srunner_ntests_run(runner);
    srunner_free(runner);
    printf("%d passed, %d failed\n", ran - failed, failed);
    return failed == 0 && ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
