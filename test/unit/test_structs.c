/* struct_size: every struct of the API, of every size from 0 to some bytes more than it has, at the end of a block of
 * memory, so that a sanitizer sees a byte too many. What no version of it had is refused.
 *
 * test_structs DATA RECORD: test/data, bindings/hybridlm.json. */
#define _GNU_SOURCE 1
#include "api_help.h"

#include <jansson.h>

#include "base/structs.h"

static const char *data_folder, *record;

/* ---- what the structs are for ---- */

typedef struct world {
    hlm_model *model, *base;
    hlm_pool *pool;
    hlm_context *ctx;
    hlm_cache *cache;
    hlm_adapter *adapter;
    hlm_file *file;
    char path[1024], lora[1024];
} world;

static const int32_t ids[] = {1, 2, 3, 4};
static float numbers[4096];

static void *mem_alloc(void *user, size_t size, size_t align)
{
    (void)user;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void mem_free(void *user, void *p)
{
    (void)user;
    free(p);
}

static void log_write(void *user, int32_t level, const char *text)
{
    (void)user, (void)level, (void)text;
}

static int32_t run_for(void *user, size_t n, hlm_task *task, void *arg)
{
    (void)user;
    for (size_t i = 0; i < n; i++) task(arg, i);
    return 0;
}

static int32_t file_open(void *user, const char *path, void **file)
{
    (void)user;
    *file = fopen(path, "rb");
    return *file ? 0 : 1;
}

static int32_t file_size(void *user, void *file, uint64_t *size)
{
    (void)user;
    fseek(file, 0, SEEK_END);
    *size = (uint64_t)ftell(file);
    return 0;
}

static int32_t file_read(void *user, void *file, uint64_t offset, void *out, size_t n)
{
    (void)user;
    fseek(file, (long)offset, SEEK_SET);
    return fread(out, 1, n, file) == n ? 0 : 1;
}

static void file_close(void *user, void *file)
{
    (void)user;
    fclose(file);
}

static char snapshot[1 << 20];
static size_t snapshot_n, snapshot_at;

static int32_t bytes_write(void *user, const void *data, size_t len)
{
    (void)user;
    memcpy(snapshot + snapshot_n, data, len);
    snapshot_n += len;
    return 0;
}

static int32_t bytes_read(void *user, void *out, size_t cap, size_t *n)
{
    (void)user;
    *n = cap < snapshot_n - snapshot_at ? cap : snapshot_n - snapshot_at;
    memcpy(out, snapshot + snapshot_at, *n);
    snapshot_at += *n;
    return 0;
}

static hlm_status load(world *w, const hlm_model_params *p)
{
    hlm_model *m = NULL;
    const hlm_status st = hlm_model_load(&m, w->path, p);
    hlm_model_release(m);
    return st;
}

static hlm_status try_allocator(world *w, const void *p)
{
    return load(w, &(hlm_model_params){.struct_size = sizeof(hlm_model_params), .allocator = p});
}

static hlm_status try_log(world *w, const void *p)
{
    return load(w, &(hlm_model_params){.struct_size = sizeof(hlm_model_params), .log = p});
}

static hlm_status try_model_params(world *w, const void *p)
{
    return load(w, p);
}

static hlm_status try_vfs(world *w, const void *p)
{
    hlm_model *m = NULL;
    char file[1100];
    snprintf(file, sizeof file, "%s.gguf", w->path);
    const hlm_status st =
        hlm_model_load(&m, file, &(hlm_model_params){.struct_size = sizeof(hlm_model_params), .vfs = p});
    hlm_model_release(m);
    return st;
}

static hlm_status new_ctx(world *w, const hlm_ctx_params *p)
{
    hlm_context *x = NULL;
    const hlm_status st = hlm_ctx_new(&x, w->model, p);
    hlm_ctx_free(x);
    return st;
}

static hlm_status try_executor(world *w, const void *p)
{
    return new_ctx(w, &(hlm_ctx_params){.struct_size = sizeof(hlm_ctx_params), .n_threads = 1, .executor = p});
}

static hlm_status try_ctx_params(world *w, const void *p)
{
    return new_ctx(w, p);
}

static hlm_status try_adapter_params(world *w, const void *p)
{
    hlm_adapter *a = NULL;
    const hlm_status st = hlm_adapter_load(&a, w->base, w->lora, p);
    hlm_adapter_release(a);
    return st;
}

static hlm_status try_adapter_info(world *w, const void *p)
{
    return hlm_adapter_info_get(w->adapter, (void *)(uintptr_t)p);
}

static hlm_status try_model_info(world *w, const void *p)
{
    return hlm_model_info_get(w->model, (void *)(uintptr_t)p);
}

static hlm_status try_weight_info(world *w, const void *p)
{
    return hlm_model_weight(w->model, 0, (void *)(uintptr_t)p);
}

static hlm_status try_file_info(world *w, const void *p)
{
    return hlm_file_info_get(w->file, (void *)(uintptr_t)p);
}

static hlm_status try_file_key_info(world *w, const void *p)
{
    return hlm_file_key(w->file, 0, (void *)(uintptr_t)p);
}

static hlm_status try_file_tensor_info(world *w, const void *p)
{
    return hlm_file_tensor(w->file, 0, (void *)(uintptr_t)p);
}

static hlm_status try_plan_params(world *w, const void *p)
{
    hlm_memory_plan_info info = {.struct_size = sizeof info};
    return hlm_model_plan_memory(w->model, p, &info);
}

static hlm_status try_memory_plan_info(world *w, const void *p)
{
    return hlm_model_plan_memory(w->model, NULL, (void *)(uintptr_t)p);
}

static hlm_status try_pool_params(world *w, const void *p)
{
    hlm_pool *pool = NULL;
    const hlm_status st = hlm_pool_new(&pool, w->model, p);
    hlm_pool_release(pool);
    return st;
}

static hlm_status try_cache_params(world *w, const void *p)
{
    hlm_cache *c = NULL;
    const hlm_status st = hlm_cache_new(&c, w->pool, p);
    hlm_cache_free(c);
    return st;
}

static hlm_status try_pool_info(world *w, const void *p)
{
    return hlm_pool_info_get(w->pool, (void *)(uintptr_t)p);
}

static hlm_status try_reuse_params(world *w, const void *p)
{
    hlm_cache *c = NULL;
    OK(hlm_cache_new(&c, w->pool, NULL));
    const hlm_status st = hlm_cache_reuse(c, p, NULL, NULL);
    hlm_cache_free(c);
    return st;
}

static hlm_status try_score_params(world *w, const void *p)
{
    return hlm_score(w->ctx, p, NULL);
}

static hlm_status try_score_result(world *w, const void *p)
{
    const hlm_score_params sp = {.struct_size = sizeof sp, .tokens = ids, .n_tokens = 4};
    return hlm_score(w->ctx, &sp, (void *)(uintptr_t)p);
}

static hlm_status try_embed_params(world *w, const void *p)
{
    return hlm_embed(w->ctx, p, numbers);
}

static hlm_status try_prefix_info(world *w, const void *p)
{
    return hlm_prefix_info_get(w->pool, (void *)(uintptr_t)p);
}

static hlm_status try_writer(world *w, const void *p)
{
    snapshot_n = 0;
    return hlm_cache_save_to(w->cache, p);
}

static hlm_status try_reader(world *w, const void *p)
{
    hlm_cache *c = NULL;
    size_t n = 0;
    snapshot_at = 0;
    OK(hlm_cache_save_memory(w->cache, snapshot, sizeof snapshot, &n));
    snapshot_n = n;
    const hlm_status st = hlm_cache_load_from(&c, w->pool, p, 0);
    hlm_cache_free(c);
    return st;
}

/* Takes what it adds back. */
static hlm_status step(world *w, const hlm_step *s)
{
    const hlm_step *const list[] = {s};
    const int64_t length = hlm_cache_length(w->cache);
    const hlm_status st = hlm_decode_step(w->ctx, list, 1);
    if (st == HLM_OK) OK(hlm_cache_rewind(w->cache, length, NULL));
    return st;
}

static hlm_step one(world *w)
{
    return (hlm_step){.struct_size = sizeof(hlm_step), .cache = w->cache, .tokens = ids, .n_tokens = 4};
}

static hlm_status try_step(world *w, const void *p)
{
    return step(w, p);
}

static hlm_status try_hidden(world *w, const void *p)
{
    const hlm_hidden *const list[] = {p};
    hlm_step s = one(w);
    s.hidden = list;
    s.n_hidden = 1;
    return step(w, &s);
}

static hlm_status try_attention(world *w, const void *p)
{
    const hlm_attention *const list[] = {p};
    hlm_step s = one(w);
    s.attention = list;
    s.n_attention = 1;
    return step(w, &s);
}

static hlm_status try_chat_params(world *w, const void *p)
{
    char text[200];
    size_t n;
    return hlm_chat_render(w->model, "[]", p, text, sizeof text, &n);
}

static hlm_status try_sampler_params(world *w, const void *p)
{
    hlm_sampler *s = NULL;
    const hlm_status st = hlm_sampler_new(&s, w->model, p);
    hlm_sampler_free(s);
    return st;
}

static hlm_status generate(world *w, const hlm_generate_params *p, hlm_generate_result *result)
{
    hlm_cache *c = NULL;
    OK(hlm_cache_new(&c, w->pool, &(hlm_cache_params){.struct_size = sizeof(hlm_cache_params), .max_tokens = 6}));
    const hlm_status st = hlm_generate(w->ctx, c, NULL, p, result);
    hlm_cache_free(c);
    return st;
}

static hlm_generate_params prompt(void)
{
    return (hlm_generate_params){
        .struct_size = sizeof(hlm_generate_params), .prompt = ids, .n_prompt = 4, .max_tokens = 1};
}

static hlm_status try_speculation(world *w, const void *p)
{
    hlm_generate_params gp = prompt();
    gp.speculation = p;
    return generate(w, &gp, NULL);
}

static hlm_status try_generate_params(world *w, const void *p)
{
    return generate(w, p, NULL);
}

static hlm_status try_generate_result(world *w, const void *p)
{
    const hlm_generate_params gp = prompt();
    return generate(w, &gp, (void *)(uintptr_t)p);
}

/* ---- every size ---- */

static world w;

static const struct {
    const char *name;
    hlm_status (*use)(world *w, const void *p);
} uses[] = {
    {"hlm_allocator", try_allocator},
    {"hlm_log", try_log},
    {"hlm_executor", try_executor},
    {"hlm_vfs", try_vfs},
    {"hlm_model_params", try_model_params},
    {"hlm_adapter_params", try_adapter_params},
    {"hlm_adapter_info", try_adapter_info},
    {"hlm_model_info", try_model_info},
    {"hlm_weight_info", try_weight_info},
    {"hlm_file_info", try_file_info},
    {"hlm_file_key_info", try_file_key_info},
    {"hlm_file_tensor_info", try_file_tensor_info},
    {"hlm_plan_params", try_plan_params},
    {"hlm_memory_plan_info", try_memory_plan_info},
    {"hlm_pool_params", try_pool_params},
    {"hlm_ctx_params", try_ctx_params},
    {"hlm_cache_params", try_cache_params},
    {"hlm_pool_info", try_pool_info},
    {"hlm_prefix_info", try_prefix_info},
    {"hlm_reuse_params", try_reuse_params},
    {"hlm_score_params", try_score_params},
    {"hlm_score_result", try_score_result},
    {"hlm_embed_params", try_embed_params},
    {"hlm_writer", try_writer},
    {"hlm_reader", try_reader},
    {"hlm_hidden", try_hidden},
    {"hlm_attention", try_attention},
    {"hlm_step", try_step},
    {"hlm_chat_params", try_chat_params},
    {"hlm_sampler_params", try_sampler_params},
    {"hlm_speculation", try_speculation},
    {"hlm_generate_params", try_generate_params},
    {"hlm_generate_result", try_generate_result},
};
enum { N_USES = sizeof uses / sizeof *uses };

/* A whole struct of this name in `full`, zeros where nothing is needed. */
static void fill(const char *name, void *full)
{
#define FILL(type, ...) \
  if (strcmp(name, #type) == 0) memcpy(full, &(const type){__VA_ARGS__}, sizeof(type))
    FILL(hlm_allocator, .alloc = mem_alloc, .free = mem_free);
    FILL(hlm_log, .write = log_write);
    FILL(hlm_executor, .parallel_for = run_for);
    FILL(hlm_vfs, .open = file_open, .size = file_size, .read_at = file_read, .close = file_close);
    FILL(hlm_ctx_params, .n_threads = 1, .pool = w.pool);
    FILL(hlm_reuse_params, .tokens = ids, .n_tokens = 4);
    FILL(hlm_score_params, .tokens = ids, .n_tokens = 4);
    FILL(hlm_embed_params, .tokens = ids, .n_tokens = 4);
    FILL(hlm_writer, .write = bytes_write);
    FILL(hlm_reader, .read = bytes_read);
    FILL(hlm_hidden, .out = numbers);
    FILL(hlm_attention, .out = numbers);
    FILL(hlm_step, .cache = w.cache, .tokens = ids, .n_tokens = 4);
    FILL(hlm_chat_params, .chat_template = "x");
    FILL(hlm_generate_params, .prompt = ids, .n_prompt = 4, .max_tokens = 1);
#undef FILL
}

/* `n` bytes of the struct at the end of a block, as a caller of that size gives them. */
static hlm_status with_size(size_t i, size_t n)
{
    const size_t room = n < sizeof n ? sizeof n : n;
    unsigned char full[512] = {0}, *block = calloc(1, room);
    fill(uses[i].name, full);
    memcpy(full, &n, sizeof n);
    memcpy(block, full, room < sizeof full ? room : sizeof full);
    const hlm_status st = uses[i].use(&w, block);
    free(block);
    return st;
}

/* Today's size. */
static size_t known_size(const char *name)
{
    const hlmi_struct *s = hlmi_structs;
    size_t last = 0;
    while (s->name && strcmp(s->name, name) != 0) s++;
    for (size_t i = 0; i < HLMI_VERSIONS_MAX && s->sizes[i]; i++) last = s->sizes[i];
    return last;
}

START_TEST(every_size)
{
    const size_t now = known_size(uses[_i].name);
    ck_assert_uint_ge(now, 2 * sizeof now);
    for (size_t n = 0; n <= now + 16; n++) {
        const hlm_status st = with_size((size_t)_i, n),
                         want = n > now || hlmi_struct_had(uses[_i].name, n) ? HLM_OK : HLM_E_ARG;
        ck_assert_msg(st == want, "%s of %zu bytes: %s (%s)", uses[_i].name, n, hlm_status_name(st), hlm_last_error());
        if (st != HLM_OK) ck_assert_ptr_nonnull(strstr(hlm_last_error(), uses[_i].name));
    }
    ck_assert_int_eq(with_size((size_t)_i, 17000), HLM_E_ARG);
}
END_TEST

/* ---- the table against the record ---- */

static const json_t *struct_of(const json_t *root, const char *name)
{
    size_t i;
    json_t *s;
    json_array_foreach(json_object_get(root, "structs"), i,
                       s) if (strcmp(json_string_value(json_object_get(s, "name")), name) == 0) return s;
    return NULL;
}

/* Does a field of the struct end there, with nothing behind it in the same eight bytes? */
static bool field_ends(const json_t *s, size_t at)
{
    size_t i;
    json_t *f;
    json_array_foreach(json_object_get(s, "fields"), i,
                       f) if ((size_t)json_integer_value(json_object_get(f, "offset")) == at) return true;
    return (size_t)json_integer_value(json_object_get(s, "size")) == at;
}

START_TEST(as_recorded)
{
    json_t *root = json_load_file(record, 0, NULL), *s;
    size_t i, n = 0;
    ck_assert_ptr_nonnull(root);
    json_array_foreach(json_object_get(root, "structs"), i, s)
    {
        const char *name = json_string_value(json_object_get(s, "name"));
        const json_t *first = json_array_get(json_object_get(s, "fields"), 0);
        if (!first || strcmp(json_string_value(json_object_get(first, "name")), "struct_size") != 0) continue;
        const size_t size = (size_t)json_integer_value(json_object_get(s, "size"));
        ck_assert_msg(known_size(name) == size,
                      "%s has %zu bytes; lib/base/structs.c says %zu: add its former end there", name, size,
                      known_size(name));
        bool used = false;
        for (size_t k = 0; k < N_USES; k++) used = used || strcmp(uses[k].name, name) == 0;
        ck_assert_msg(used, "%s is not tried in test_structs.c", name);
        n++;
    }
    ck_assert_uint_eq(n, N_USES);
    for (const hlmi_struct *t = hlmi_structs; t->name; t++) {
        const json_t *of = struct_of(root, t->name);
        ck_assert_msg(of != NULL, "%s is not in the API", t->name);
        for (size_t k = 0; k < HLMI_VERSIONS_MAX && t->sizes[k]; k++) {
            ck_assert_msg(field_ends(of, t->sizes[k]), "%s: no field ends at %zu", t->name, t->sizes[k]);
            ck_assert(k == 0 || t->sizes[k] > t->sizes[k - 1]);
        }
    }
    json_decref(root);
}
END_TEST

/* The sizes that structs had in the oldest kept header (test/abi/old). */
START_TEST(as_in_the_oldest_header)
{
    static const struct {
        const char *name;
        size_t size;
    } old[] = {
        {"hlm_adapter_info", 32}, {"hlm_adapter_params", 24},   {"hlm_allocator", 32},       {"hlm_attention", 24},
        {"hlm_cache_params", 16}, {"hlm_chat_params", 56},      {"hlm_ctx_params", 40},      {"hlm_embed_params", 32},
        {"hlm_executor", 24},     {"hlm_generate_params", 136}, {"hlm_generate_result", 88}, {"hlm_hidden", 24},
        {"hlm_log", 24},          {"hlm_memory_plan_info", 64}, {"hlm_model_info", 144},     {"hlm_model_params", 64},
        {"hlm_plan_params", 64},  {"hlm_pool_info", 24},        {"hlm_pool_params", 72},     {"hlm_prefix_info", 104},
        {"hlm_reader", 24},       {"hlm_reuse_params", 32},     {"hlm_sampler_params", 72},  {"hlm_score_params", 40},
        {"hlm_score_result", 24}, {"hlm_speculation", 40},      {"hlm_step", 112},           {"hlm_vfs", 56},
        {"hlm_writer", 24},
    };
    for (size_t i = 0; i < sizeof old / sizeof *old && sizeof(void *) == 8; i++)
        ck_assert_msg(hlmi_struct_had(old[i].name, old[i].size), "%s", old[i].name);
}
END_TEST

static void open_world(void)
{
    char base[1024];
    snprintf(w.path, sizeof w.path, "%s/models/tiny-llama", data_folder);
    snprintf(base, sizeof base, "%s/models/types", data_folder);
    snprintf(w.lora, sizeof w.lora, "%s/adapters/lora", data_folder);
    OK(hlm_model_load(&w.model, w.path, NULL));
    OK(hlm_model_load(&w.base, base, NULL));
    OK(hlm_adapter_load(&w.adapter, w.base, w.lora, NULL));
    OK(hlm_file_open(&w.file, w.path, NULL));
    OK(hlm_pool_new(&w.pool, w.model, NULL));
    OK(hlm_ctx_new(&w.ctx, w.model,
                   &(hlm_ctx_params){.struct_size = sizeof(hlm_ctx_params), .n_threads = 1, .pool = w.pool}));
    OK(hlm_cache_new(&w.cache, w.pool, NULL));
    const hlm_step s = one(&w);
    const hlm_step *const list[] = {&s};
    OK(hlm_decode_step(w.ctx, list, 1));
}

static void close_world(void)
{
    hlm_cache_free(w.cache);
    hlm_ctx_free(w.ctx);
    hlm_pool_release(w.pool);
    hlm_file_free(w.file);
    hlm_adapter_release(w.adapter);
    hlm_model_release(w.base);
    hlm_model_release(w.model);
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    data_folder = argv[1];
    record = argv[2];
    TCase *t = tcase_create("struct_size");
    tcase_add_checked_fixture(t, open_world, close_world);
    tcase_add_loop_test(t, every_size, 0, N_USES);
    tcase_add_test(t, as_recorded);
    tcase_add_test(t, as_in_the_oldest_header);
    return api_main("structs", t);
}
