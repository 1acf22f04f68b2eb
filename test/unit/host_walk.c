/* The walk of host_walk.h. Around every call the thread's words are set, and looked at again behind it. */
#define _GNU_SOURCE 1
#include "host_walk.h"

#include <stdio.h>
#include <sys/stat.h>

enum { N = 24, CAP = 4096 };

static void note_wrong(walk *w, const char *name, const char *why)
{
    if (!w->n_wrong++) {
        w->wrong = name;
        w->why = why;
    }
}

static void note_call(walk *w, const char *name)
{
    for (size_t i = 0; i < w->n_called; i++)
        if (strcmp(w->called[i], name) == 0) return;
    if (w->n_called < WALK_CALLS) w->called[w->n_called++] = name;
}

static void keep(walk *w, const void *data, size_t n)
{
    if (n > WALK_BYTES - w->n_kept) {
        note_wrong(w, "keep", "no room");
        return;
    }
    memcpy(w->kept + w->n_kept, data, n);
    w->n_kept += n;
}

static void before(walk *w)
{
    w->inside = true;
    fp_set(w->words);
}

static void behind(walk *w, const char *name)
{
    const fp_words now = fp_get(), plain = FP_PLAIN;
    fp_set(plain);
    w->inside = false;
    note_call(w, name);
    if (!fp_equal(now, w->words)) note_wrong(w, name, "changed the caller's floating-point words");
}

static void check_status(walk *w, const char *name, hlm_status st, hlm_status want)
{
    static char why[700];
    if (st != want) {
        snprintf(why, sizeof why, "%s (%s)", hlm_status_name(st), hlm_last_error());
        note_wrong(w, name, why);
    } else if (st == HLM_OK && hlm_last_error()[0]) {
        snprintf(why, sizeof why, "succeeded, and hlm_last_error says \"%s\"", hlm_last_error());
        note_wrong(w, name, why);
    } else if (st != HLM_OK && !hlm_last_error()[0]) {
        note_wrong(w, name, "failed without a sentence");
    }
}

/* A call that returns a status. */
#define EXPECT(want, f, args)       \
  do {                              \
    before(w);                      \
    const hlm_status st_ = f args;  \
    behind(w, #f);                  \
    check_status(w, #f, st_, want); \
  } while (0)
#define CALL(f, args) EXPECT(HLM_OK, f, args)

/* One that does not: it leaves the sentence of the failure before it. */
#define OTHER(f, args)                                                                                      \
  do {                                                                                                      \
    size_t n_;                                                                                              \
    if (hlm_tokenize(NULL, "", 0, 0, NULL, 0, &n_) == HLM_OK) note_wrong(w, #f, "no failure before it");    \
    char said_[256];                                                                                        \
    snprintf(said_, sizeof said_, "%s", hlm_last_error());                                                  \
    w->other = true;                                                                                        \
    before(w);                                                                                              \
    f args;                                                                                                 \
    behind(w, #f);                                                                                          \
    w->other = false;                                                                                       \
    if (strcmp(hlm_last_error(), said_) != 0) note_wrong(w, #f, "changed the sentence of the call before"); \
  } while (0)

/* ---- what the caller supplies ---- */

/* In a callback the thread has the host's words, and may call the library, which may fail. */
static void heard(walk *w, const char *name)
{
    w->n_callbacks++;
    if (!w->inside) return; /* a call that the walk itself did not make, or a task's thread */
    if (!fp_equal(fp_get(), w->words)) note_wrong(w, name, "called with other floating-point words than the caller's");
    if (w->other) return; /* no call whose sentence could be in the way */
    if (hlm_last_error()[0]) note_wrong(w, name, "called with a sentence of the call that has not ended");
    size_t n;
    if (hlm_tokenize(NULL, "", 0, 0, NULL, 0, &n) != HLM_E_ARG || !hlm_last_error()[0])
        note_wrong(w, name, "a failing call in it did not fail");
    if (!fp_equal(fp_get(), w->words)) note_wrong(w, name, "a call in it changed the words");
}

static void *on_alloc(void *user, size_t size, size_t align)
{
    heard(user, "hlm_allocator.alloc");
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void on_free(void *user, void *p)
{
    heard(user, "hlm_allocator.free");
    free(p);
}

static void on_log(void *user, int32_t level, const char *text)
{
    (void)level, (void)text;
    heard(user, "hlm_log.write");
}

static int32_t on_load(void *user, uint64_t done, uint64_t total)
{
    (void)done, (void)total;
    heard(user, "hlm_model_params.progress");
    return 0;
}

static int32_t on_load_stop(void *user, uint64_t done, uint64_t total)
{
    (void)done, (void)total;
    heard(user, "hlm_model_params.progress");
    return 1;
}

static int32_t on_open(void *user, const char *path, void **file)
{
    struct stat of;
    heard(user, "hlm_vfs.open");
    if (stat(path, &of) != 0) return 1;
    if (S_ISDIR(of.st_mode)) return 2;
    *file = fopen(path, "rb");
    return *file ? 0 : 1;
}

static int32_t on_size(void *user, void *file, uint64_t *size)
{
    heard(user, "hlm_vfs.size");
    fseek(file, 0, SEEK_END);
    *size = (uint64_t)ftell(file);
    return 0;
}

static int32_t on_read_at(void *user, void *file, uint64_t offset, void *out, size_t n)
{
    heard(user, "hlm_vfs.read_at");
    fseek(file, (long)offset, SEEK_SET);
    return fread(out, 1, n, file) == n ? 0 : -1;
}

static int32_t on_map(void *user, void *file, const void **data)
{
    (void)file, (void)data;
    heard(user, "hlm_vfs.map");
    return -1;
}

static void on_close(void *user, void *file)
{
    heard(user, "hlm_vfs.close");
    fclose(file);
}

static int32_t on_parallel_for(void *user, size_t n, hlm_task *task, void *arg)
{
    walk *w = user;
    heard(w, "hlm_executor.parallel_for");
    for (size_t i = n; i-- > 0;) {
        task(arg, i);
        if (!fp_equal(fp_get(), w->words)) note_wrong(w, "hlm_task", "changed the words of its thread");
    }
    return 0;
}

static int32_t on_write(void *user, const void *data, size_t len)
{
    walk *w = user;
    heard(w, "hlm_writer.write");
    memcpy(w->bytes + w->n_bytes, data, len);
    w->n_bytes += len;
    return 0;
}

static int32_t on_read(void *user, void *out, size_t cap, size_t *n)
{
    walk *w = user;
    heard(w, "hlm_reader.read");
    *n = cap < w->n_bytes - w->at ? cap : w->n_bytes - w->at;
    memcpy(out, w->bytes + w->at, *n);
    w->at += *n;
    return 0;
}

static int32_t on_prompt(void *user, size_t done, size_t total)
{
    (void)done, (void)total;
    heard(user, "hlm_generate_params.progress");
    return 0;
}

static int32_t on_token(void *user, int32_t token, const char *text, size_t len)
{
    (void)token, (void)text, (void)len;
    heard(user, "hlm_generate_params.on_token");
    return 0;
}

/* ---- the parts ---- */

static void look(walk *w, const hlm_model_params *mp)
{
    hlm_file *f = NULL;
    hlm_file_info info = {.struct_size = sizeof info};
    hlm_file_key_info key = {.struct_size = sizeof key};
    hlm_file_tensor_info tensor = {.struct_size = sizeof tensor};
    char value[256];
    size_t n = 0;
    CALL(hlm_file_open, (&f, w->model, mp));
    CALL(hlm_file_info_get, (f, &info));
    CALL(hlm_file_key, (f, 0, &key));
    CALL(hlm_file_value, (f, 0, 1, value, sizeof value, &n));
    keep(w, value, n);
    CALL(hlm_file_tensor, (f, 0, &tensor));
    keep(w, tensor.dims, sizeof tensor.dims);
    OTHER((void)hlm_file_part, (f, 0, NULL));
    OTHER((void)hlm_file_problem, (f, 0));
    OTHER(hlm_file_free, (f));
}

static void load(walk *w, const hlm_model_params *mp)
{
    const hlm_vfs vfs = {sizeof vfs, w, on_open, on_size, on_read_at, on_map, on_close};
    hlm_model_params stop = *mp, from = *mp;
    hlm_model *none = NULL;
    stop.progress = on_load_stop;
    from.vfs = &vfs;
    EXPECT(HLM_E_CANCELLED, hlm_model_load, (&none, w->model, &stop));
    if (!strstr(hlm_last_error(), "stopped")) note_wrong(w, "hlm_model_load", "its sentence is another call's");
    CALL(hlm_model_load, (&none, w->model, &from));
    OTHER(hlm_model_retain, (none));
    OTHER(hlm_model_release, (none));
    OTHER(hlm_model_release, (none));
    look(w, mp);
    CALL(hlm_model_load, (&w->m, w->model, mp));
    hlm_model_info info = {.struct_size = sizeof info};
    CALL(hlm_model_info_get, (w->m, &info));
    hlm_weight_info weight = {.struct_size = sizeof weight};
    CALL(hlm_model_weight, (w->m, 0, &weight));
    w->vocab = info.n_labels ? info.n_labels : info.vocab_size;
    w->layers = info.n_layers;
    w->hidden = info.hidden_size;
    const hlm_plan_params pp = {.struct_size = sizeof pp, .n_tokens = 100, .n_threads = 2};
    hlm_memory_plan_info plan = {.struct_size = sizeof plan};
    CALL(hlm_model_plan_memory, (w->m, &pp, &plan));
    keep(w, &plan, sizeof plan);
    OTHER((void)hlm_model_label, (w->m, 0));
    OTHER((void)hlm_model_token_ends, (w->m, 1));
    OTHER((void)hlm_model_hidden_width, (w->m, HLM_HIDDEN_STREAM));
    OTHER((void)hlm_version, ());
    OTHER((void)hlm_abi_version, ());
    OTHER((void)hlm_status_name, (HLM_E_IO));
    OTHER((void)hlm_last_error, ());
}

static void texts(walk *w)
{
    static const char talk[] = "[{\"role\": \"user\", \"content\": \"one 1.5\"}]";
    const hlm_chat_params cp = {.struct_size = sizeof cp,
                                .chat_template = "{% for m in messages %}{{ m.content }} {{ 0.1 + 0.2 }} {{ x / 3 }} "
                                                 "{{ '%.3f' % x }} {{ x | round(1) }}{% endfor %}",
                                .extra_json = "{\"x\": 2.675e-3}"};
    int32_t ids[256];
    char text[512];
    const char *piece = "";
    size_t n = 0, len = 0;
    hlm_text_stream *s = NULL;
    CALL(hlm_tokenize, (w->m, "hello wide world", 16, HLM_TOKENIZE_ADD_SPECIAL, ids, 256, &n));
    keep(w, ids, n * sizeof *ids);
    CALL(hlm_detokenize, (w->m, ids, n, 0, text, sizeof text, &len));
    keep(w, text, len);
    EXPECT(HLM_E_SPACE, hlm_detokenize, (w->m, ids, n, 0, NULL, 0, &len));
    CALL(hlm_text_stream_new, (&s, w->m, 0));
    for (size_t i = 0; i < n; i++) CALL(hlm_text_stream_push, (s, ids[i], &piece, &len));
    CALL(hlm_text_stream_cut, (s, &piece, &len));
    CALL(hlm_text_stream_begin, (s, ids, n));
    for (size_t i = 0; i < n; i++) CALL(hlm_text_stream_push, (s, ids[i], &piece, &len));
    CALL(hlm_text_stream_finish, (s, &piece, &len));
    keep(w, piece, len);
    OTHER(hlm_text_stream_free, (s));
    CALL(hlm_chat_render, (w->m, talk, &cp, text, sizeof text, &len));
    keep(w, text, len);
    CALL(hlm_chat_tokenize, (w->m, talk, &cp, ids, 256, &n));
    keep(w, ids, n * sizeof *ids);
    const hlm_message one = {.role = "user", .content = "one 1.5"};
    CALL(hlm_chat_render_messages, (w->m, &one, 1, &cp, text, sizeof text, &len));
    keep(w, text, len);
    CALL(hlm_chat_tokenize_messages, (w->m, &one, 1, &cp, ids, 256, &n));
    keep(w, ids, n * sizeof *ids);
    CALL(hlm_chat_template_text, (w->m, &cp, text, sizeof text, &len));
    keep(w, text, len);
}

static void tokens_of(const walk *w, int32_t *tokens)
{
    for (int32_t i = 0; i < N; i++) tokens[i] = (i * i * 31 + i * 7 + 3) % (w->vocab < 32 ? w->vocab : 32);
}

static void steps(walk *w)
{
    int32_t tokens[N];
    int32_t done = 0;
    tokens_of(w, tokens);
    float *logits = malloc((size_t)N * (size_t)w->vocab * sizeof *logits);
    hlm_step s = {.struct_size = sizeof s, .cache = w->cache, .tokens = tokens, .n_tokens = N, .logits = logits};
    const hlm_step *const list[] = {&s};
    s.logit_rows = HLM_ROWS_ALL;
    CALL(hlm_decode_step, (w->ctx, list, 1));
    keep(w, logits, (size_t)N * (size_t)w->vocab * sizeof *logits);
    s.n_tokens = 4;
    CALL(hlm_step_begin, (w->ctx, list, 1));
    EXPECT(HLM_E_BUSY, hlm_decode_step, (w->ctx, list, 1));
    CALL(hlm_step_abort, (w->ctx));
    CALL(hlm_step_begin, (w->ctx, list, 1));
    while (!done) CALL(hlm_step_run, (w->ctx, 100000, &done));
    keep(w, logits, 4 * (size_t)w->vocab * sizeof *logits);
    CALL(hlm_cache_logits, (w->ctx, w->cache, logits));
    keep(w, logits, (size_t)w->vocab * sizeof *logits);
    OTHER(hlm_ctx_cancel, (w->ctx));
    EXPECT(HLM_E_CANCELLED, hlm_decode_step, (w->ctx, list, 1));
    OTHER((void)hlm_ctx_error, (w->ctx));
    free(logits);
}

static void states(walk *w)
{
    int32_t tokens[N];
    int64_t pending = 0, marks[64];
    size_t n = 0;
    float *state = malloc(CAP * CAP);
    CALL(hlm_cache_mark, (w->cache));
    CALL(hlm_cache_marks, (w->cache, marks, 64, &n));
    keep(w, marks, n * sizeof *marks);
    for (int32_t l = 0; l < w->layers; l++) {
        CALL(hlm_cache_state, (w->cache, l, HLM_STATE_SCAN, state, CAP * CAP / sizeof *state, &n));
        keep(w, state, n * sizeof *state);
    }
    CALL(hlm_cache_fork, (&w->fork, w->cache, HLM_NOW));
    CALL(hlm_cache_reserve, (w->fork, N + 8));
    CALL(hlm_cache_rewind, (w->fork, N, &pending));
    CALL(hlm_cache_tokens, (w->fork, 0, N, tokens));
    CALL(hlm_cache_unmark, (w->fork, N));
    OTHER((void)hlm_cache_length, (w->fork));
    OTHER((void)hlm_cache_pending, (w->fork));
    EXPECT(HLM_E_ARG, hlm_cache_rewind, (w->fork, 10 * N, NULL));
    free(state);
}

static void snapshots(walk *w)
{
    const hlm_writer writer = {sizeof writer, w, on_write};
    const hlm_reader reader = {sizeof reader, w, on_read};
    hlm_cache *c = NULL;
    char path[1100];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/one", w->folder);
    w->n_bytes = w->at = 0;
    CALL(hlm_cache_save_to, (w->cache, &writer));
    keep(w, w->bytes, w->n_bytes);
    CALL(hlm_cache_load_from, (&c, w->pool, &reader, 0));
    OTHER(hlm_cache_free, (c));
    CALL(hlm_cache_save_memory, (w->cache, w->bytes, WALK_BYTES, &n));
    CALL(hlm_cache_load_memory, (&c, w->pool, w->bytes, n, 0));
    OTHER(hlm_cache_free, (c));
    CALL(hlm_cache_save, (w->cache, path));
    CALL(hlm_cache_load, (&c, w->pool, path, 0));
    OTHER(hlm_cache_free, (c));
    remove(path);
}

static void prefixes(walk *w)
{
    int32_t tokens[N];
    char path[1100], file[1400];
    size_t reused = 0, pending = 0, refused = 0;
    hlm_prefix_info info = {.struct_size = sizeof info};
    tokens_of(w, tokens);
    snprintf(path, sizeof path, "%s/texts", w->folder);
    CALL(hlm_prefix_add, (w->cache));
    CALL(hlm_prefix_save, (w->pool, path));
    CALL(hlm_prefix_clear, (w->pool));
    CALL(hlm_prefix_load, (w->pool, path, 0, &refused));
    const hlm_reuse_params text = {.struct_size = sizeof text, .tokens = tokens, .n_tokens = N};
    CALL(hlm_cache_reuse, (w->fork, &text, &reused, &pending));
    keep(w, &reused, sizeof reused);
    CALL(hlm_prefix_info_get, (w->pool, &info));
    snprintf(file, sizeof file, "rm -rf '%s'", path);
    if (system(file) != 0) note_wrong(w, "rm", "failed");
}

static void sampling(walk *w, const float *logits)
{
    const hlm_logit_bias bias = {.token = 3, .bias = 0.3f};
    const hlm_sampler_params sp = {.struct_size = sizeof sp,
                                   .seed = 5,
                                   .logit_bias = &bias,
                                   .n_logit_bias = 1,
                                   .repetition_penalty = 1.1f,
                                   .frequency_penalty = 0.1f,
                                   .top_k = 20,
                                   .typical_p = 0.95f,
                                   .top_p = 0.9f,
                                   .min_p = 0.01f,
                                   .temperature = 1.3f};
    int32_t tokens[N], out[8], token = 0;
    hlm_sampler *s = NULL, *f = NULL;
    tokens_of(w, tokens);
    CALL(hlm_sampler_new, (&s, w->m, &sp));
    CALL(hlm_sampler_sample, (s, logits, &token));
    CALL(hlm_sampler_accept, (s, token));
    keep(w, &token, sizeof token);
    CALL(hlm_sampler_fork, (&f, s));
    const hlm_generate_params gp = {.struct_size = sizeof gp,
                                    .prompt = tokens,
                                    .n_prompt = 6,
                                    .max_tokens = 8,
                                    .ignore_eos = 1,
                                    .progress = on_prompt,
                                    .on_token = on_token,
                                    .user = w,
                                    .tokens = out,
                                    .tokens_cap = 8};
    hlm_generate_result result = {.struct_size = sizeof result};
    CALL(hlm_generate, (w->ctx, w->fork, f, &gp, &result));
    keep(w, out, sizeof out);
    OTHER(hlm_sampler_free, (s));
    OTHER(hlm_sampler_free, (f));
}

static void scores(walk *w)
{
    int32_t tokens[N];
    float lp[N] = {0}, *rows = malloc((size_t)w->hidden * sizeof *rows);
    float *logits = malloc((size_t)w->vocab * sizeof *logits);
    hlm_score_params text = {.struct_size = sizeof text, .tokens = tokens, .n_tokens = N, .logprobs = lp};
    const hlm_embed_params mean = {.struct_size = sizeof mean, .tokens = tokens, .n_tokens = N, .normalise = 1};
    hlm_score_result result = {.struct_size = sizeof result};
    tokens_of(w, tokens);
    for (int32_t i = 0; i < w->vocab; i++) logits[i] = (float)((i * 37) % 101) * 0.07f;
    sampling(w, logits);
    for (int i = 0; i < 2; i++, text.labels = tokens) {
        CALL(hlm_score, (w->ctx, &text, &result));
        keep(w, lp, (N - 1) * sizeof *lp);
        keep(w, &result.sum, sizeof result.sum);
    }
    CALL(hlm_embed, (w->ctx, &mean, rows));
    keep(w, rows, (size_t)w->hidden * sizeof *rows);
    free(rows);
    free(logits);
}

static void adapters(walk *w, const hlm_model_params *mp)
{
    const hlm_adapter_params ap = {.struct_size = sizeof ap, .scale = 0.7f};
    hlm_adapter *a = NULL, *joint = NULL;
    hlm_model *m = NULL;
    hlm_context *x = NULL;
    hlm_cache *c = NULL;
    hlm_adapter_info info = {.struct_size = sizeof info};
    int32_t tokens[N];
    tokens_of(w, tokens);
    CALL(hlm_model_load, (&m, w->base, mp));
    CALL(hlm_adapter_load, (&a, m, w->adapter_path, &ap));
    if (!m || !a) return;
    const hlm_adapter *const two[] = {a, a};
    CALL(hlm_adapter_join, (&joint, two, 2));
    CALL(hlm_adapter_info_get, (joint, &info));
    CALL(hlm_ctx_new, (&x, m, NULL));
    CALL(hlm_pool_adapt, (hlm_ctx_pool(x), a));
    CALL(hlm_cache_new, (&c, hlm_ctx_pool(x), NULL));
    float *logits = malloc(CAP * sizeof *logits);
    const hlm_step s = {
        .struct_size = sizeof s, .cache = c, .tokens = tokens, .n_tokens = N, .logits = logits, .adapter = joint};
    const hlm_step *const list[] = {&s};
    hlm_model_info of = {.struct_size = sizeof of};
    CALL(hlm_model_info_get, (m, &of));
    CALL(hlm_decode_step, (x, list, 1));
    keep(w, logits, (size_t)of.vocab_size * sizeof *logits);
    free(logits);
    OTHER(hlm_adapter_retain, (a));
    OTHER(hlm_adapter_release, (a));
    OTHER(hlm_adapter_release, (a));
    OTHER(hlm_adapter_release, (joint));
    OTHER(hlm_cache_free, (c));
    OTHER(hlm_ctx_free, (x));
    OTHER(hlm_model_release, (m));
}

bool walk_all(walk *w)
{
    const hlm_allocator mem = {sizeof mem, w, on_alloc, on_free};
    const hlm_log log = {sizeof log, w, on_log};
    const hlm_executor executor = {sizeof executor, w, on_parallel_for};
    const hlm_model_params mp = {
        .struct_size = sizeof mp, .allocator = &mem, .log = &log, .progress = on_load, .progress_user = w};
    hlm_pool_info bytes = {.struct_size = sizeof bytes};
    w->kept = malloc(WALK_BYTES);
    w->bytes = malloc(WALK_BYTES);
    load(w, &mp);
    if (!w->m) return false;
    if (hlm_model_token_ends(w->m, 0) >= 0 && strstr(w->model, "tiny-llama")) texts(w);
    CALL(hlm_pool_new, (&w->pool, w->m, NULL));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 2, .pool = w->pool, .executor = &executor};
    CALL(hlm_ctx_new, (&w->ctx, w->m, &cp));
    OTHER((void)hlm_ctx_pool, (w->ctx));
    CALL(hlm_cache_new, (&w->cache, w->pool, NULL));
    if (!w->ctx || !w->cache) return false;
    steps(w);
    states(w);
    snapshots(w);
    prefixes(w);
    scores(w);
    adapters(w, &mp);
    CALL(hlm_pool_info_get, (w->pool, &bytes));
    OTHER(hlm_cache_free, (w->cache));
    OTHER(hlm_cache_free, (w->fork));
    OTHER(hlm_ctx_free, (w->ctx));
    OTHER(hlm_pool_retain, (w->pool));
    OTHER(hlm_pool_release, (w->pool));
    OTHER(hlm_pool_release, (w->pool));
    OTHER(hlm_model_release, (w->m));
    free(w->bytes);
    return w->n_wrong == 0;
}
