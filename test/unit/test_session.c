/* Stop strings against a plain search, hlm_generate's text, ends and errors, hlm_score against a computation in double;
 * all on a fake engine. */
#include "unit/suite.h"

#include <math.h>
#include <string.h>

#include "session/stop.h"
#include "text/tokenizer.h"
#include "unit/fake_engine.h"
#include "../calls.h"

enum { VOCAB = 16 };

/* ---- stop strings ------------------------------------------------------------ */

/* Length of the text before the first complete stop string, or n. */
static size_t plain_cut(const char *text, size_t n, const char *const *stop, size_t n_stop, bool *found)
{
    *found = false;
    for (size_t end = 1; end <= n; end++) {
        size_t longest = 0;
        for (size_t i = 0; i < n_stop; i++) {
            const size_t len = strlen(stop[i]);
            if (len <= end && len > longest && memcmp(text + end - len, stop[i], len) == 0) longest = len;
        }
        if (longest == 0) continue;
        *found = true;
        return end - longest;
    }
    return n;
}

/* Bytes at the end of text that begin a stop string. */
static size_t plain_held(const char *text, size_t n, const char *const *stop, size_t n_stop)
{
    for (size_t held = n; held > 0; held--) {
        for (size_t i = 0; i < n_stop; i++) {
            if (held < strlen(stop[i]) && memcmp(text + n - held, stop[i], held) == 0) return held;
        }
    }
    return 0;
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static void feed_in_pieces(const char *text, size_t n, const char *const *stop, size_t n_stop, uint64_t *random)
{
    const hlmi_mem mem = hlmi_mem_default();
    char got[64];
    size_t n_got = 0, fed = 0, len;
    const char *out;
    bool found;
    const size_t want = plain_cut(text, n, stop, n_stop, &found);
    hlmi_stop s;
    ck_assert_int_eq(hlmi_stop_init(&s, stop, n_stop, &mem), HLM_OK);
    while (fed < n) {
        const size_t piece = next_random(random) % 4, take = piece < n - fed ? piece : n - fed;
        ck_assert_int_eq(hlmi_stop_feed(&s, text + fed, take, &out, &len), HLM_OK);
        memcpy(got + n_got, out, len);
        n_got += len;
        fed += take;
        if (!s.found) ck_assert_uint_eq(n_got, fed - plain_held(text, fed, stop, n_stop));
    }
    ck_assert_int_eq(hlmi_stop_close(&s, "", 0, &out, &len), HLM_OK);
    memcpy(got + n_got, out, len);
    n_got += len;
    ck_assert_int_eq(s.found, found);
    ck_assert_uint_eq(n_got, want);
    ck_assert_mem_eq(got, text, want);
    hlmi_stop_free(&s);
}

START_TEST(stop_strings_equal_a_plain_search)
{
    static const char *const sets[][3] = {
        {"ab", "ba", "aaa"},      {"aabaab", "b", "bb"},  {"abab", "babb", "aabba"},
        {"aaaa", "aaab", "bbbb"}, {"abcabd", "cab", "c"}, {"cc", "ccc", "bcc"},
    };
    uint64_t random = 1;
    for (size_t round = 0; round < 3000; round++) {
        char text[24];
        const size_t n = next_random(&random) % 24;
        for (size_t i = 0; i < n; i++) text[i] = (char)('a' + next_random(&random) % 3 % (2 + round % 2));
        const size_t set = next_random(&random) % 6;
        feed_in_pieces(text, n, sets[set], next_random(&random) % 4, &random);
    }
}
END_TEST

START_TEST(stop_strings_that_are_none)
{
    const hlmi_mem mem = hlmi_mem_default();
    static const char *const empty[] = {"a", ""}, *const null[] = {NULL};
    hlmi_stop s;
    ck_assert_int_eq(hlmi_stop_init(&s, empty, 2, &mem), HLM_E_ARG);
    hlmi_stop_free(&s);
    ck_assert_int_eq(hlmi_stop_init(&s, null, 1, &mem), HLM_E_ARG);
    hlmi_stop_free(&s);
    ck_assert_int_eq(hlmi_stop_init(&s, NULL, 1, &mem), HLM_E_ARG);
    hlmi_stop_free(&s);
}
END_TEST

/* ---- generate ------------------------------------------------------------------- */

static const char *const pieces[VOCAB] = {"",   "a", "b", "ab", "<",     "<st",    "op>", " ",
                                          "\n", "x", "y", "z",  "Hello", " world", "!",   "\xC3\xA9"};

typedef struct heard {
    char text[256];
    size_t len, calls, last_calls; /* last: with token -1 */
    int32_t tokens[64];
    size_t stop_after; /* calls; 0: never */
    size_t progress[16], n_progress, progress_stop;
} heard;

static int32_t on_token(void *user, int32_t token, const char *text, size_t len)
{
    heard *h = user;
    ck_assert(h->len + len < sizeof h->text && h->last_calls == 0);
    memcpy(h->text + h->len, text, len);
    h->len += len;
    h->text[h->len] = '\0';
    if (token == -1) {
        h->last_calls++;
        return 0;
    }
    h->tokens[h->calls++] = token;
    return h->calls == h->stop_after;
}

static int32_t progress(void *user, size_t done, size_t total)
{
    heard *h = user;
    ck_assert(done <= total);
    h->progress[h->n_progress++] = done;
    return h->n_progress == h->progress_stop;
}

typedef struct fixture {
    hlm_model model;
    hlm_context ctx;
    hlm_cache *cache;
    heard heard;
    int32_t ids[64];
    hlm_generate_params p;
    hlm_generate_result result;
} fixture;

static const int32_t PROMPT[] = {1};

/* A prompt of one token; the model then says script[0], script[1], ... */
static void set_up(fixture *f, const int32_t *script, size_t n_script)
{
    static int32_t by_position[65];
    memset(f, 0, sizeof *f);
    fake_model_init(&f->model, VOCAB);
    fake_engine_init(&f->ctx, &f->model);
    by_position[0] = 1;
    if (script) memcpy(by_position + 1, script, n_script * sizeof *script);
    f->ctx.script = script ? by_position : NULL;
    f->ctx.n_script = n_script + 1;
    f->ctx.pieces = pieces;
    f->cache = fake_cache(&f->ctx, 64);
    f->p = (hlm_generate_params){.struct_size = sizeof f->p,
                                 .prompt = PROMPT,
                                 .n_prompt = 1,
                                 .max_tokens = n_script,
                                 .on_token = on_token,
                                 .progress = progress,
                                 .user = &f->heard,
                                 .tokens = f->ids,
                                 .tokens_cap = 64};
    f->result.struct_size = sizeof f->result;
}

static void tear_down(fixture *f)
{
    hlm_cache_free(f->cache);
    ck_assert_uint_eq(f->ctx.caches, 0);
    ck_assert_uint_eq(f->model.blocks, 0);
    ck_assert_int_eq(f->model.refs, 1);
}

/* Runs it; the text heard, the tokens generated and the reason must be these. */
static void says(fixture *f, const char *text, size_t n_tokens, int32_t finish)
{
    ck_assert_int_eq(hlm_generate(&f->ctx, f->cache, NULL, &f->p, &f->result), HLM_OK);
    ck_assert_str_eq(f->heard.text, text);
    ck_assert_int_eq(f->result.finish, finish);
    ck_assert_uint_eq(f->result.n_generated, n_tokens);
    ck_assert_uint_eq(f->result.n_prompt, f->p.n_prompt);
    ck_assert_uint_eq(f->heard.calls, n_tokens);
    ck_assert_uint_eq(f->heard.last_calls, finish == HLM_FINISH_CALLBACK ? 0 : 1);
    ck_assert_mem_eq(f->ids, f->heard.tokens, n_tokens * sizeof *f->ids);
    ck_assert_int_eq(hlm_cache_length(f->cache), (int64_t)(f->p.n_prompt + n_tokens - 1));
    tear_down(f);
}

#define SCRIPT(...) (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t)

START_TEST(generate_to_length)
{
    fixture f;
    set_up(&f, SCRIPT(12, 13, 14));
    f.ctx.tail = "?"; /* of a character that is not whole: the next call's */
    says(&f, "Hello world!", 3, HLM_FINISH_LENGTH);
    ck_assert_uint_eq(f.ctx.before, 1);
    ck_assert_int_eq(f.ctx.last_before, 1);
    set_up(&f, SCRIPT(12, 13, 14, 15));
    f.ctx.eos = 14;
    f.ctx.tail = "?"; /* the answer is whole: so it ends */
    says(&f, "Hello world?", 3, HLM_FINISH_STOP_TOKEN);
}
END_TEST

/* Every kind of decoder, over 16 tokens that spell words, spaces and the bytes of characters. */
#define SPELLED(space)                                                                                           \
  "{\"added_tokens\":[{\"id\":15,\"content\":\"<x>\",\"special\":true}],\"model\":{\"type\":\"BPE\",\"vocab\":{" \
  "\"" space "\":0,\"" space "h\":1,\"h\":2,\"<0xC3>\":3,\"<0xA9>\":4,\"<0xE2>\":5,\"<0x82>\":6,\"<0xAC>\":7,"   \
  "\"\303\203\":8,\"\302\251\":9,\"\303\251\":10,\"a</w>\":11,\"b\":12,\"" space space "\":13,\"</w>\":14},"     \
  "\"merges\":[]},\"decoder\":"
#define U2581 "\xE2\x96\x81"

static const char *const tokenizers[] = {
    SPELLED(U2581) "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"" U2581
                   "\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},{\"type\":\"Strip\","
                   "\"content\":\" \",\"start\":1,\"stop\":0}]}}",
    SPELLED(U2581) "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"" U2581
                   "\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}]}}",
    SPELLED(U2581) "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"" U2581
                   "\"},\"content\":\" \"},{\"type\":\"Fuse\"},{\"type\":\"Strip\",\"content\":\" \",\"start\":2,"
                   "\"stop\":3}]}}",
    SPELLED(U2581) "{\"type\":\"Metaspace\",\"replacement\":\"" U2581 "\",\"prepend_scheme\":\"always\"}}",
    SPELLED(U2581) "{\"type\":\"Metaspace\",\"replacement\":\"" U2581 "\",\"prepend_scheme\":\"never\"}}",
    SPELLED("\304\240") "{\"type\":\"ByteLevel\"}}",
    SPELLED("\304\240") "{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}}",
    SPELLED("\304\240") "null}",
};

/* `n` tokens of the script with a call for every `part` of them, and the end left open. */
static void generate_parts(const hlmi_tokenizer *t, const int32_t *script, size_t n, size_t part, heard *all)
{
    fixture f;
    int32_t last;
    set_up(&f, script, n);
    f.ctx.pieces = NULL;
    f.ctx.tokenizer = t;
    *all = (heard){.len = 0};
    for (size_t at = 0; at < n; at += part) {
        const size_t left = n - at;
        f.p.max_tokens = part < left ? part : left;
        f.heard = (heard){.len = 0};
        ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, &f.result), HLM_OK);
        ck_assert_int_eq(f.result.finish, HLM_FINISH_LENGTH);
        memcpy(all->text + all->len, f.heard.text, f.heard.len + 1);
        all->len += f.heard.len;
        last = f.heard.tokens[f.heard.calls - 1]; /* drawn, and not run yet */
        f.p.prompt = &last;
    }
    tear_down(&f);
}

START_TEST(generate_text_is_the_same_in_any_parts)
{
    const hlmi_mem mem = hlmi_mem_default();
    uint64_t random = 7;
    for (size_t k = 0; k < sizeof tokenizers / sizeof *tokenizers; k++) {
        hlmi_tokenizer *t;
        ck_assert_msg(hlmi_tokenizer_from_json(&t, &mem, tokenizers[k], strlen(tokenizers[k]), NULL) == HLM_OK,
                      "%zu: %s", k, hlmi_error());
        for (int round = 0; round < 200; round++) {
            enum { N = 12 };
            int32_t script[N];
            heard whole, parts;
            for (size_t i = 0; i < N; i++) script[i] = (int32_t)(next_random(&random) % 16);
            if (round == 0) memcpy(script, ((const int32_t[N]){1, 1, 1, 1, 5, 6, 7, 3, 4, 1, 1, 1}), sizeof script);
            generate_parts(t, script, N, N, &whole);
            for (size_t part = 1; part < N; part++) {
                generate_parts(t, script, N, part, &parts);
                ck_assert_msg(whole.len == parts.len && memcmp(whole.text, parts.text, whole.len) == 0,
                              "tokenizer %zu, round %d, parts of %zu: '%s', '%s'", k, round, part, whole.text,
                              parts.text);
            }
            if (round == 0 && k < 2) ck_assert_str_eq(whole.text, " h h h h\xE2\x82\xAC\xC3\xA9 h h h");
        }
        hlmi_tokenizer_free(t);
    }
}
END_TEST

START_TEST(generate_stop_string_over_tokens)
{
    static const char *const stop[] = {"<stop>", "never"};
    fixture f;
    set_up(&f, SCRIPT(12, 4, 5, 6, 9, 9));
    f.p.stop = stop;
    f.p.n_stop = 2;
    f.ctx.tail = "tail";
    says(&f, "Hello<", 4, HLM_FINISH_STOP_STRING);
    set_up(&f, SCRIPT(5, 9, 5)); /* a false start, and one that stays open */
    f.p.stop = stop;
    f.p.n_stop = 1;
    says(&f, "<stx<st", 3, HLM_FINISH_LENGTH);
}
END_TEST

START_TEST(generate_holds_back)
{
    static const char *const stop[] = {"<stop>"};
    fixture f;
    set_up(&f, SCRIPT(12, 5, 6));
    f.p.stop = stop;
    f.p.n_stop = 1;
    f.heard.stop_after = 2; /* after "<st" came in, which must not be heard */
    says(&f, "Hello", 2, HLM_FINISH_CALLBACK);
}
END_TEST

START_TEST(generate_ends_of_answers)
{
    fixture f;
    set_up(&f, SCRIPT(12, 14, 13));
    f.ctx.eos = 14;
    says(&f, "Hello", 2, HLM_FINISH_STOP_TOKEN);
    set_up(&f, SCRIPT(12, 14, 13));
    f.ctx.eos = 14;
    f.p.ignore_eos = 1;
    says(&f, "Hello! world", 3, HLM_FINISH_LENGTH);
    static const int32_t stops[] = {3, 13};
    set_up(&f, SCRIPT(12, 14, 13));
    f.ctx.eos = 14;
    f.p.ignore_eos = 1;
    f.p.stop_tokens = stops;
    f.p.n_stop_tokens = 2;
    says(&f, "Hello!", 3, HLM_FINISH_STOP_TOKEN);
}
END_TEST

START_TEST(generate_until_full)
{
    fixture f;
    set_up(&f, SCRIPT(12, 14, 13, 9, 10, 11));
    hlm_cache_free(f.cache);
    f.cache = fake_cache(&f.ctx, 4); /* the prompt and three tokens; a fourth is drawn and finds no room */
    f.p.max_tokens = 0;
    says(&f, "Hello! worldx", 4, HLM_FINISH_FULL);
    set_up(&f, SCRIPT(12));
    hlm_cache_free(f.cache);
    f.cache = fake_cache(&f.ctx, 0);
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, &f.result), HLM_E_FULL);
    ck_assert_uint_eq(f.heard.calls + f.heard.last_calls, 0);
    tear_down(&f);
}
END_TEST

START_TEST(generate_prompt_in_parts)
{
    static int32_t prompt[1300];
    fixture f;
    set_up(&f, NULL, 1);
    hlm_cache_free(f.cache);
    f.cache = fake_cache(&f.ctx, 2000);
    for (size_t i = 0; i < 1300; i++) prompt[i] = (int32_t)(i % VOCAB);
    f.p.prompt = prompt;
    f.p.n_prompt = 1300;
    f.p.max_tokens = 3;
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, NULL), HLM_OK);
    static const size_t want[] = {512, 1024, 1300}, steps[] = {512, 512, 276, 1, 1};
    ck_assert_uint_eq(f.heard.n_progress, 3);
    ck_assert_mem_eq(f.heard.progress, want, sizeof want);
    ck_assert_uint_eq(f.ctx.n_calls, 5);
    ck_assert_mem_eq(f.ctx.calls, steps, sizeof steps);
    tear_down(&f);
}
END_TEST

START_TEST(generate_goes_on_from_a_cache)
{
    fixture f, whole;
    set_up(&whole, NULL, 8); /* at once */
    ck_assert_int_eq(hlm_generate(&whole.ctx, whole.cache, NULL, &whole.p, NULL), HLM_OK);
    tear_down(&whole);
    set_up(&f, NULL, 0); /* prompt run beforehand, then without one */
    const hlm_step one = {.struct_size = sizeof one, .cache = f.cache, .tokens = PROMPT, .n_tokens = 1};
    const hlm_step *const steps[] = {&one};
    ck_assert_int_eq(hlm_decode_step(&f.ctx, steps, 1), HLM_OK);
    f.p.n_prompt = 0;
    f.p.max_tokens = 8;
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, &f.result), HLM_OK);
    ck_assert_mem_eq(f.ids, whole.ids, 8 * sizeof *f.ids);
    ck_assert_str_eq(f.heard.text, whole.heard.text);
    ck_assert_int_eq(hlm_cache_length(f.cache), 8);
    tear_down(&f);
    set_up(&f, NULL, 1); /* nothing at all */
    f.p.n_prompt = 0;
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, &f.result), HLM_E_EMPTY);
    tear_down(&f);
}
END_TEST

START_TEST(generate_without_tokenizer)
{
    fixture f;
    set_up(&f, SCRIPT(12, 3, 9));
    f.ctx.pieces = NULL;
    says(&f, "", 3, HLM_FINISH_LENGTH);
}
END_TEST

START_TEST(generate_cancelled)
{
    fixture f;
    set_up(&f, SCRIPT(12, 13, 14, 9));
    f.ctx.cancel_at = 3;
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, &f.result), HLM_E_CANCELLED);
    ck_assert_str_eq(f.heard.text, "Hello world");
    ck_assert_uint_eq(f.heard.last_calls, 0);
    ck_assert_int_eq(hlm_cache_length(f.cache), 2);
    ck_assert_uint_eq(f.result.n_generated, 2);
    ck_assert_int_eq(f.result.finish, HLM_FINISH_CANCELLED);
    tear_down(&f);
    set_up(&f, SCRIPT(12));
    f.heard.progress_stop = 1;
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, &f.result), HLM_E_CANCELLED);
    ck_assert_uint_eq(f.result.n_generated, 0);
    ck_assert_int_eq(f.result.finish, HLM_FINISH_CANCELLED);
    ck_assert_int_eq(hlm_cache_length(f.cache), 1);
    tear_down(&f);
}
END_TEST

START_TEST(generate_tells_the_sampler)
{
    fixture f;
    set_up(&f, SCRIPT(12, 12, 12));
    hlm_sampler *s;
    const hlm_sampler_params sp = {.struct_size = sizeof sp, .presence_penalty = 1000};
    ck_assert_int_eq(hlm_sampler_new(&s, &f.model, &sp), HLM_OK);
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, s, &f.p, &f.result), HLM_OK);
    ck_assert_int_eq(f.ids[0], 12);
    ck_assert(f.ids[1] != 12 && f.ids[2] != 12 && f.ids[1] != f.ids[2]);
    hlm_sampler_free(s);
    tear_down(&f);
}
END_TEST

START_TEST(generate_refuses)
{
    fixture f;
    set_up(&f, SCRIPT(12));
    const hlm_generate_params good = f.p;
    hlm_model other;
    hlm_sampler *s;
    fake_model_init(&other, 1000);
    ck_assert_int_eq(hlm_sampler_new(&s, &other, NULL), HLM_OK);
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, s, &f.p, NULL), HLM_E_MISMATCH);
    hlm_sampler_free(s);
    ck_assert_int_eq(hlm_generate(NULL, f.cache, NULL, &f.p, NULL), HLM_E_ARG);
    ck_assert_int_eq(hlm_generate(&f.ctx, NULL, NULL, &f.p, NULL), HLM_E_ARG);
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, NULL, NULL), HLM_E_EMPTY);
    f.result.struct_size = 3;
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, &f.result), HLM_E_ARG);
    f.p.prompt = NULL;
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, NULL), HLM_E_ARG);
    f.p = good;
    f.p.n_stop = 1;
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, NULL), HLM_E_ARG);
    f.p = good;
    f.p.n_stop_tokens = 1;
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, NULL), HLM_E_ARG);
    f.p = good;
    static const int32_t outside[] = {VOCAB};
    f.p.prompt = outside;
    ck_assert_int_eq(hlm_generate(&f.ctx, f.cache, NULL, &f.p, NULL), HLM_E_TOKEN);
    ck_assert_str_eq(f.ctx.error, "fake token");
    ck_assert_int_eq(hlm_cache_length(f.cache), 0);
    tear_down(&f);
}
END_TEST

START_TEST(generate_every_allocation_may_fail)
{
    static const char *const stop[] = {"<stop>", "zz"};
    size_t k = 0;
    hlm_status st;
    do {
        fixture f;
        set_up(&f, SCRIPT(12, 5, 13));
        f.p.stop = stop;
        f.p.n_stop = 2;
        f.model.allocs = 0;
        f.model.fail_at = ++k;
        st = hlm_generate(&f.ctx, f.cache, NULL, &f.p, &f.result);
        ck_assert(st == HLM_OK || st == HLM_E_NOMEM);
        tear_down(&f);
    } while (st != HLM_OK);
    ck_assert_uint_gt(k, 6); /* sampler, logits, words, two tables, stream, held text */
}
END_TEST

/* ---- score ------------------------------------------------------------------------ */

static double plain_log_prob(const int32_t *tokens, size_t n, int32_t target)
{
    float l[VOCAB];
    double sum = 0;
    fake_logits(tokens, n, l, VOCAB);
    for (size_t i = 0; i < VOCAB; i++) sum += exp((double)l[i]);
    return (double)l[target] - log(sum);
}

START_TEST(score_equals_a_plain_computation)
{
    static const size_t lengths[] = {2, 3, 64, 65, 66, 200};
    static int32_t tokens[200];
    static float logprobs[200];
    hlm_model m;
    hlm_context ctx;
    fake_model_init(&m, VOCAB);
    fake_engine_init(&ctx, &m);
    for (size_t i = 0; i < 200; i++) tokens[i] = (int32_t)(i * i % 13);
    for (size_t t = 0; t < sizeof lengths / sizeof *lengths; t++) {
        const size_t n = lengths[t];
        double sum, want = 0, only;
        ctx.n_calls = 0;
        logprobs[n - 1] = 123;
        ck_assert_int_eq(call_score(&ctx, tokens, n, logprobs, &sum), HLM_OK);
        for (size_t i = 1; i < n; i++) {
            const double lp = plain_log_prob(tokens, i, tokens[i]);
            ck_assert(fabs((double)logprobs[i - 1] - lp) < 1e-6);
            want += lp;
        }
        ck_assert(fabs(sum - want) < 1e-6 * (double)n);
        ck_assert(logprobs[n - 1] == 123);
        ck_assert_uint_eq(ctx.n_calls, (n - 1 + 63) / 64);
        ck_assert_int_eq(call_score(&ctx, tokens, n, NULL, &only), HLM_OK);
        ck_assert(only == sum);
        ck_assert_int_eq(call_score(&ctx, tokens, n, NULL, NULL), HLM_OK);
    }
    ck_assert_uint_eq(ctx.caches + m.blocks, 0);
}
END_TEST

START_TEST(score_refuses)
{
    static const int32_t tokens[] = {1, 2, VOCAB}, negative[] = {-1, 2};
    hlm_model m;
    hlm_context ctx;
    double sum = 5;
    fake_model_init(&m, VOCAB);
    fake_engine_init(&ctx, &m);
    ck_assert_int_eq(call_score(NULL, tokens, 2, NULL, &sum), HLM_E_ARG);
    ck_assert_int_eq(call_score(&ctx, NULL, 2, NULL, &sum), HLM_E_ARG);
    ck_assert_int_eq(call_score(&ctx, tokens, 1, NULL, &sum), HLM_E_ARG);
    ck_assert_int_eq(call_score(&ctx, tokens, 3, NULL, &sum), HLM_E_TOKEN); /* the last is never run */
    ck_assert_ptr_nonnull(strstr(ctx.error, "tokens[2] is 16"));
    ck_assert_int_eq(call_score(&ctx, negative, 2, NULL, &sum), HLM_E_TOKEN);
    ctx.cancel_at = 1;
    ck_assert_int_eq(call_score(&ctx, tokens, 2, NULL, &sum), HLM_E_CANCELLED);
    for (size_t k = 1; k <= 2; k++) {
        m.allocs = 0;
        m.fail_at = k;
        ck_assert_int_eq(call_score(&ctx, tokens, 2, NULL, &sum), HLM_E_NOMEM);
    }
    ck_assert(sum == 5);
    ck_assert_uint_eq(ctx.caches + m.blocks, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {stop_strings_equal_a_plain_search,
                                  stop_strings_that_are_none,
                                  generate_to_length,
                                  generate_stop_string_over_tokens,
                                  generate_holds_back,
                                  generate_ends_of_answers,
                                  generate_until_full,
                                  generate_prompt_in_parts,
                                  generate_goes_on_from_a_cache,
                                  generate_without_tokenizer,
                                  generate_cancelled,
                                  generate_tells_the_sampler,
                                  generate_refuses,
                                  generate_every_allocation_may_fail,
                                  score_equals_a_plain_computation,
                                  score_refuses,
                                  generate_text_is_the_same_in_any_parts};
    return suite_run("session", tests, sizeof tests / sizeof *tests);
}
