/* Snapshots: what is loaded goes on, bit for bit, as what was saved; and what may not be loaded is not. test_snapshot
 * FOLDER MODEL..., FOLDER test/data/models, of which some tests have their own. */
#define _GNU_SOURCE 1
#include "snapshot_help.h"

#include "fuzz/snapshot_sums.h"
#include "../calls.h"

static const char *folder;

static char **models; /* names in that folder */

static void same_marks(hlm_cache *c, hlm_cache *d)
{
    int64_t want[TEXT], got[TEXT];
    size_t n = 0, m = 0;
    OK(hlm_cache_marks(c, want, TEXT, &n));
    OK(hlm_cache_marks(d, got, TEXT, &m));
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(want, got, n * sizeof *want);
}

static void same_everywhere(const world *w, hlm_cache *c, const world *v, hlm_cache *d)
{
    static const int64_t at[] = {HLM_NOW, 35, 33, MARKED, 17, 8, 3, 0};
    int32_t want[TEXT], got[TEXT];
    const size_t n = (size_t)hlm_cache_length(c);
    ck_assert_int_eq(hlm_cache_length(c), hlm_cache_length(d));
    OK(hlm_cache_tokens(c, 0, n, want));
    OK(hlm_cache_tokens(d, 0, n, got));
    ck_assert_mem_eq(want, got, n * sizeof *want);
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        if (at[i] <= (int64_t)n) same_at(w, c, v, d, at[i]);
}

START_TEST(goes_on)
{
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    hlm_cache *c = told(&w), *d = NULL;
    const bytes b = saved(c), again = saved(c);
    ck_assert_uint_eq(b.n, again.n);
    ck_assert_mem_eq(b.data, again.data, b.n);
    const uint64_t before = used(&w);
    OK(hlm_cache_load_memory(&d, w.pool, b.data, b.n, 0));
    same_marks(c, d);
    same_everywhere(&w, c, &w, d);
    const bytes third = saved(d);
    ck_assert_uint_eq(b.n, third.n);
    ck_assert_mem_eq(b.data, third.data, b.n);
    hlm_cache_free(d);
    ck_assert_uint_eq(used(&w), before);
    free(b.data);
    free(again.data);
    free(third.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* Pools that lay things out otherwise, or keep less. */
static const hlm_pool_params others[] = {
    {.struct_size = sizeof *others, .page_tokens = 64},
    {.struct_size = sizeof *others, .page_tokens = 1, .mark_stride = -1, .mark_bytes = 1, .undo_tokens = 4},
    {.struct_size = sizeof *others, .page_tokens = 16, .undo_tokens = -1, .mark_bytes = 1 << 20},
    {.struct_size = sizeof *others, .page_tokens = 2, .undo_tokens = 7},
};
enum { N_OTHERS = sizeof others / sizeof *others };

START_TEST(in_other_pools)
{
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    hlm_cache *c = told(&w), *d = NULL;
    const bytes b = saved(c);
    for (size_t i = 0; i < N_OTHERS; i++) {
        world v = other_pool(&w, &others[i]);
        OK(hlm_cache_load_memory(&d, v.pool, b.data, b.n, 0));
        same_everywhere(&w, c, &v, d);
        /* and back */
        const bytes b2 = saved(d);
        hlm_cache *e = NULL;
        OK(hlm_cache_load_memory(&e, w.pool, b2.data, b2.n, 0));
        same_everywhere(&w, c, &w, e);
        hlm_cache_free(e);
        hlm_cache_free(d);
        free(b2.data);
        close_world(&v);
    }
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* After a rewind, in the log and behind it, and before the first token. */
START_TEST(at_any_point)
{
    static const int64_t to[] = {0, 1, 10, MARKED, 30, 34, 36, TEXT};
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    hlm_cache *c = told(&w);
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        hlm_cache *f = NULL, *d = NULL;
        int64_t pending = 0, loaded = 0;
        OK(hlm_cache_fork(&f, c, HLM_NOW));
        OK(hlm_cache_rewind(f, to[i], &pending));
        const bytes b = saved(f);
        OK(hlm_cache_load_memory(&d, w.pool, b.data, b.n, 0));
        OK(hlm_cache_rewind(d, to[i], &loaded));
        ck_assert_int_eq(pending, loaded);
        same_everywhere(&w, f, &w, d);
        hlm_cache_free(f);
        hlm_cache_free(d);
        free(b.data);
    }
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* A loaded sequence is the first thing in a pool that has never run a step. */
START_TEST(in_a_fresh_pool)
{
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp), v = open_world(folder, models[_i], NULL, &pp);
    const hlm_model_params reading = {.struct_size = sizeof reading, .flags = HLM_LOAD_READ};
    world r = open_world(folder, models[_i], &reading, &pp); /* the same model, not mapped */
    hlm_cache *c = told(&w), *d = NULL;
    const bytes b = saved(c);
    OK(hlm_cache_load_memory(&d, v.pool, b.data, b.n, 0));
    OK(hlm_cache_rewind(d, 0, NULL));
    same_at(&w, c, &v, d, 0);
    hlm_cache_free(d);
    OK(hlm_cache_load_memory(&d, r.pool, b.data, b.n, 0));
    same_everywhere(&w, c, &r, d);
    hlm_cache_free(d);
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
    close_world(&v);
    close_world(&r);
}
END_TEST

START_TEST(every_type)
{
    static const int32_t kv[] = {HLM_TYPE_F32, HLM_TYPE_F16, HLM_TYPE_BF16, HLM_TYPE_INT8};
    static const int32_t state[] = {HLM_TYPE_F32, HLM_TYPE_F16, HLM_TYPE_BF16};
    hlm_pool_params pp = small_pool(), wide = small_pool();
    wide.page_tokens = 32;
    world w = open_world(folder, "falcon-h1-options", NULL, &pp);
    bytes last = {0};
    for (size_t i = 0; i < 12; i++) {
        wide.kv_type = pp.kv_type = kv[i % 4];
        wide.state_type = pp.state_type = state[i % 3];
        world v = other_pool(&w, &pp), u = other_pool(&w, &wide);
        hlm_cache *c = told(&v), *d = NULL;
        const bytes b = saved(c);
        OK(hlm_cache_load_memory(&d, v.pool, b.data, b.n, 0));
        same_everywhere(&v, c, &v, d);
        hlm_cache_free(d);
        OK(hlm_cache_load_memory(&d, u.pool, b.data, b.n, 0));
        same_everywhere(&v, c, &u, d);
        hlm_cache_free(d);
        if (last.data) REFUSED(hlm_cache_load_memory(&d, v.pool, last.data, last.n, 0), HLM_E_MISMATCH);
        free(last.data);
        last = b;
        hlm_cache_free(c);
        close_world(&v);
        close_world(&u);
    }
    free(last.data);
    close_world(&w);
}
END_TEST

static void of_another(const bytes *b, const char *name, const hlm_model_params *mp, const char *says)
{
    hlm_pool_params pp = small_pool();
    world v = open_world(folder, name, mp, &pp);
    hlm_cache *d = NULL;
    REFUSED(hlm_cache_load_memory(&d, v.pool, b->data, b->n, 0), HLM_E_MISMATCH);
    ck_assert_msg(strstr(hlm_last_error(), says) != NULL, "%s", hlm_last_error());
    ck_assert_ptr_null(d);
    ck_assert_uint_eq(used(&v), 0);
    close_world(&v);
}

START_TEST(of_other_models)
{
    hlm_pool_params pp = small_pool();
    const hlm_model_params avx2 = {.struct_size = sizeof avx2, .cpu = "avx2"}; /* without products of rounded numbers */
    world w = open_world(folder, "hymba-options", &avx2, &pp);
    hlm_cache *c = told(&w), *d = NULL;
    const bytes b = saved(c);
    const hlm_model_params f32 = {.struct_size = sizeof f32, .cpu = "avx2", .activations = HLM_ACTIVATIONS_F32};
    const hlm_model_params ref = {.struct_size = sizeof ref, .cpu = "ref"};
    const hlm_model_params portable = {.struct_size = sizeof portable, .cpu = "avx2", .flags = HLM_LOAD_PORTABLE};
    const hlm_model_params bare = {.struct_size = sizeof bare, .cpu = "avx2", .flags = HLM_LOAD_NO_MEMORY_TOKENS};
    of_another(&b, "llama3", NULL, "another model");
    of_another(&b, "hymba-options", &bare, "stand before the text");
    hlm_model_info info = {.struct_size = sizeof info}, plain = {.struct_size = sizeof plain};
    OK(hlm_model_info_get(w.model, &info));
    world v = open_world(folder, "hymba-options", &ref, &pp);
    OK(hlm_model_info_get(v.model, &plain));
    if (strcmp(info.kernel_class, plain.kernel_class) != 0) of_another(&b, "hymba-options", &ref, "kernels");
    OK(hlm_cache_load_memory(&d, v.pool, b.data, b.n, HLM_SNAPSHOT_OTHER_KERNELS));
    same_everywhere(&w, c, &v, d); /* avx2 and plain C agree on this model */
    hlm_cache_free(d);
    close_world(&v);
    /* KV rows of f32 by default: the activations have their own sentence */
    hlm_pool_params wide = small_pool();
    wide.kv_type = HLM_TYPE_F32;
    world x = other_pool(&w, &wide);
    hlm_cache *e = told(&x);
    const bytes b2 = saved(e);
    of_another(&b2, "hymba-options", &f32, "HLM_ACTIVATIONS_F32");
    of_another(&b, "hymba-options", &portable, "computed with");
    hlm_cache_free(e);
    free(b2.data);
    close_world(&x);
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* A snapshot as it was before the class of portable models had a name. */
static void rename_class(const bytes *b, const char *name)
{
    hlmi_kernels k;
    char *class = (char *)b->data + offsetof(hlmi_snapshot_head, kernels);
    ck_assert_str_eq(class, "portable");
    memset(class, 0, HLMI_SNAPSHOT_KERNELS);
    memcpy(class, name, strlen(name));
    hlmi_kernels_init(&k, 0, true);
    sums_fix(&k, (uint8_t *)b->data, b->n);
}

/* Models that are portable are of one class: snapshots of any kernels go on with any others, and the bits are the
 * same. */
START_TEST(portable_kernels)
{
    static const char *const cpus[] = {"ref", "avx2", "avx512"};
    enum { N = 3 };
    hlm_pool_params pp = small_pool();
    world w[N];
    hlm_cache *c[N];
    bytes b[N];
    for (size_t i = 0; i < N; i++) {
        const hlm_model_params mp = {.struct_size = sizeof mp, .cpu = cpus[i], .flags = HLM_LOAD_PORTABLE};
        hlm_model_info info = {.struct_size = sizeof info};
        w[i] = open_world(folder, models[_i], &mp, &pp);
        OK(hlm_model_info_get(w[i].model, &info));
        ck_assert_str_eq(info.kernel_class, "portable");
        c[i] = told(&w[i]);
        b[i] = saved(c[i]);
        ck_assert_uint_eq(b[i].n, b[0].n);
        ck_assert_mem_eq(b[i].data, b[0].data, b[0].n); /* all rows and states */
    }
    for (size_t i = 0; i < N; i++) {
        hlm_cache *d = NULL;
        const size_t from = (i + 1) % N;
        OK(hlm_cache_load_memory(&d, w[i].pool, b[from].data, b[from].n, 0));
        same_everywhere(&w[from], c[from], &w[i], d);
        hlm_cache_free(d);
    }
    of_another(&b[0], models[_i], NULL, "HLM_LOAD_PORTABLE");
    static const char *const renamed[] = {"ref", "avx512-vnni", "portable-2"};
    const hlm_model_params ours = {.struct_size = sizeof ours, .flags = HLM_LOAD_PORTABLE};
    for (size_t i = 0; i < N; i++) {
        rename_class(&b[i], renamed[i]);
        of_another(&b[i], models[_i], &ours, renamed[i]);
    }
    for (size_t i = 0; i < N; i++) {
        hlm_cache_free(c[i]);
        free(b[i].data);
        close_world(&w[i]);
    }
}
END_TEST

/* A copy of the model with one byte of a file changed. */
static void other_file(const bytes *b, const char *name, const char *file, size_t at, const char *says)
{
    char path[1200], dir[] = "/tmp/hlm-snapshot-XXXXXX", cmd[2600];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(cmd, sizeof cmd, "cp -r '%s/%s' %s/%s && chmod -R u+w %s", folder, name, dir, name, dir);
    ck_assert_int_eq(system(cmd), 0);
    snprintf(path, sizeof path, "%s/%s/%s", dir, name, file);
    FILE *f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, -(long)at, SEEK_END), 0);
    const int byte = getc(f);
    ck_assert_int_eq(fseek(f, -(long)at, SEEK_END), 0);
    ck_assert_int_eq(putc(byte == ' '        ? '\n'
                              : byte == '\n' ? ' '
                                             : byte ^ 1,
                          f),
                     byte == ' '        ? '\n'
                         : byte == '\n' ? ' '
                                        : byte ^ 1);
    ck_assert_int_eq(fclose(f), 0);
    const char *was = folder;
    folder = dir;
    of_another(b, name, NULL, says);
    folder = was;
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    ck_assert_int_eq(system(cmd), 0);
}

/* One bit of a weight, or one byte of the settings. */
START_TEST(of_changed_models)
{
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, "llama3", NULL, &pp);
    hlm_cache *c = told(&w);
    const bytes b = saved(c);
    for (size_t at = 2; at < 20000; at = at * 3 + 1) other_file(&b, "llama3", "model.safetensors", at, "weights");
    other_file(&b, "llama3", "config.json", 1, "settings");
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* The fingerprint is of the file's rows: the same whatever kernels make of them, mapped or read. */
START_TEST(one_fingerprint)
{
    static const hlm_model_params ways[] = {{.struct_size = sizeof *ways},
                                            {.struct_size = sizeof *ways, .cpu = "ref"},
                                            {.struct_size = sizeof *ways, .cpu = "avx2", .flags = HLM_LOAD_READ},
                                            {.struct_size = sizeof *ways, .flags = HLM_LOAD_PORTABLE},
                                            {.struct_size = sizeof *ways, .activations = HLM_ACTIVATIONS_F32}};
    hlmi_snapshot_head first = {0}, head;
    hlm_pool_params pp = small_pool();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        world w = open_world(folder, models[_i], &ways[i], &pp);
        hlm_cache *c = told(&w);
        const bytes b = saved(c);
        memcpy(&head, b.data, sizeof head);
        if (i == 0) first = head;
        ck_assert_mem_eq(head.model, first.model, sizeof head.model);
        free(b.data);
        hlm_cache_free(c);
        close_world(&w);
    }
}
END_TEST

/* The cap holds, and nothing is left of what did not fit. */
START_TEST(under_a_cap)
{
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, "jamba", NULL, &pp);
    hlm_cache *c = told(&w), *d = NULL;
    const bytes b = saved(c);
    uint64_t held = 0, full = 0;
    OK(call_usage(w.pool, &full, &held));
    int refused = 0;
    for (uint64_t cap = 1 << 12; cap < 4 * held; cap += held / 16) {
        pp.max_bytes = cap;
        hlm_pool *pool = NULL;
        if (hlm_pool_new(&pool, w.model, &pp) != HLM_OK) continue;
        uint64_t now = 0, most = 0;
        const hlm_status st = hlm_cache_load_memory(&d, pool, b.data, b.n, 0);
        if (st != HLM_OK) {
            REFUSED(st, HLM_E_NOMEM);
            ck_assert_ptr_null(d);
            refused++;
        }
        OK(call_usage(pool, &now, &most));
        ck_assert_uint_le(most, cap);
        if (st != HLM_OK) ck_assert_uint_eq(now, 0);
        hlm_cache_free(d);
        OK(call_usage(pool, &now, NULL));
        ck_assert_uint_eq(now, 0);
        hlm_pool_release(pool);
    }
    ck_assert_int_gt(refused, 0);
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* Embeddings have no ids, and are known as such afterwards. */
START_TEST(with_embeddings)
{
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, "jamba", NULL, &pp);
    hlm_model_info info = {.struct_size = sizeof info};
    OK(hlm_model_info_get(w.model, &info));
    float *rows = calloc(5 * (size_t)info.hidden_size, sizeof *rows);
    for (size_t i = 0; i < 5 * (size_t)info.hidden_size; i++) rows[i] = (float)(i % 17) * 0.01f;
    hlm_cache *c = NULL, *d = NULL;
    OK(hlm_cache_new(&c, w.pool, NULL));
    add(&w, c, 9, NULL);
    hlm_step s = one_step(c, NULL, 5, NULL);
    s.embeddings = rows;
    OK(run_step(w.ctx, &s));
    add(&w, c, 1, NULL);
    const bytes b = saved(c);
    OK(hlm_cache_load_memory(&d, w.pool, b.data, b.n, 0));
    int32_t ids[15];
    OK(hlm_cache_tokens(d, 0, 15, ids));
    for (int i = 9; i < 14; i++) ck_assert_int_eq(ids[i], HLM_TOKEN_NONE);
    same_at(&w, c, &w, d, HLM_NOW);
    free(b.data);
    free(rows);
    hlm_cache_free(c);
    hlm_cache_free(d);
    close_world(&w);
}
END_TEST

START_TEST(bad_calls)
{
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, "tiny-llama", NULL, &pp);
    hlm_cache *c = told(&w), *d = c;
    bytes b = saved(c);
    size_t n = 0;
    const hlm_writer no_write = {.struct_size = sizeof no_write};
    const hlm_reader no_read = {.struct_size = sizeof no_read};
    REFUSED(hlm_cache_save(NULL, "x"), HLM_E_ARG);
    REFUSED(hlm_cache_save(c, NULL), HLM_E_ARG);
    REFUSED(hlm_cache_save_to(c, NULL), HLM_E_ARG);
    REFUSED(hlm_cache_save_to(c, &no_write), HLM_E_ARG);
    REFUSED(hlm_cache_save_memory(c, NULL, 1, &n), HLM_E_ARG);
    REFUSED(hlm_cache_save_memory(c, NULL, 0, NULL), HLM_E_ARG);
    REFUSED(hlm_cache_save_memory(c, b.data, b.n - 1, &n), HLM_E_SPACE);
    ck_assert_uint_eq(n, b.n);
    REFUSED(hlm_cache_load_memory(NULL, w.pool, b.data, b.n, 0), HLM_E_ARG);
    REFUSED(hlm_cache_load_memory(&d, NULL, b.data, b.n, 0), HLM_E_ARG);
    ck_assert_ptr_null(d);
    REFUSED(hlm_cache_load_memory(&d, w.pool, NULL, b.n, 0), HLM_E_ARG);
    REFUSED(hlm_cache_load_memory(&d, w.pool, b.data, b.n, 2), HLM_E_UNSUPPORTED);
    REFUSED(hlm_cache_load(&d, w.pool, NULL, 0), HLM_E_ARG);
    REFUSED(hlm_cache_load_from(&d, w.pool, NULL, 0), HLM_E_ARG);
    REFUSED(hlm_cache_load_from(&d, w.pool, &no_read, 0), HLM_E_ARG);
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    folder = argv[1];
    models = argv + 2;
    const int n = argc - 2;
    TCase *t = tcase_create("snapshot");
    tcase_add_loop_test(t, goes_on, 0, n);
    tcase_add_loop_test(t, in_other_pools, 0, n);
    tcase_add_loop_test(t, at_any_point, 0, n);
    tcase_add_loop_test(t, in_a_fresh_pool, 0, n);
    tcase_add_loop_test(t, portable_kernels, 0, n);
    tcase_add_loop_test(t, one_fingerprint, 0, n);
    tcase_add_test(t, every_type);
    tcase_add_test(t, of_other_models);
    tcase_add_test(t, of_changed_models);
    tcase_add_test(t, under_a_cap);
    tcase_add_test(t, with_embeddings);
    tcase_add_test(t, bad_calls);
    return api_main("snapshot", t);
}
