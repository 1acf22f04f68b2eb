/* Hosts that round otherwise, flush denormals, or have exceptions unmasked, and the sentence of the latest call.
 *
 * test_host MODELS ADAPTERS SYMBOLS FOLDER: models and adapters of test/data, test/abi/hybridlm.sym, a folder to write
 * in. */
#define _GNU_SOURCE 1
#include "host_walk.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

static const char *models, *adapter_folder, *symbols, *scratch;

static const struct {
    const char *name;
    fp_words words;
} hosts[] = {{"plain", FP_PLAIN}, {"audio", FP_AUDIO}, {"traps", FP_TRAPS}, {"x87", FP_X87}, {"inexact", FP_INEXACT}};

static const char *const walked[] = {"tiny-llama", "jamba", "hymba-options", "qwen3-next"};

enum { N_HOSTS = sizeof hosts / sizeof *hosts, N_WALKED = sizeof walked / sizeof *walked };

/* What of the words this CPU keeps: many for aarch64 have no traps. */
static fp_words kept(fp_words words)
{
    const fp_words before = fp_get();
    fp_set(words);
    const fp_words after = fp_get();
    fp_set(before);
    return after;
}

static void begin(walk *w, char *paths, const char *model, fp_words words)
{
    char *at[4] = {paths, paths + 1024, paths + 2048, paths + 3072};
    snprintf(at[0], 1024, "%s/%s", models, model);
    snprintf(at[1], 1024, "%s/types", models);
    snprintf(at[2], 1024, "%s/lora", adapter_folder);
    snprintf(at[3], 1024, "%s/host-%s", scratch, model);
    mkdir(at[3], 0777);
    *w = (walk){.model = at[0], .base = at[1], .adapter_path = at[2], .folder = at[3], .words = words};
}

/* Every function of the API under every host: numbers, words and sentences. */
START_TEST(walks)
{
    static char paths[2][4096];
    walk plain, w;
    begin(&plain, paths[0], walked[_i], hosts[0].words);
    ck_assert_msg(walk_all(&plain), "%s: %s", plain.wrong, plain.why);
    for (size_t h = 1; h < N_HOSTS; h++) {
        begin(&w, paths[1], walked[_i], kept(hosts[h].words));
        ck_assert_msg(walk_all(&w), "%s, %s: %s", hosts[h].name, w.wrong, w.why);
        ck_assert_uint_gt(w.n_callbacks, 1000);
        ck_assert_uint_eq(w.n_kept, plain.n_kept);
        ck_assert_msg(memcmp(w.kept, plain.kept, w.n_kept) == 0, "%s: other numbers", hosts[h].name);
        free(w.kept);
    }
    free(plain.kept);
}
END_TEST

/* No function was forgotten. */
START_TEST(every_function_is_walked)
{
    static char paths[4096];
    char line[128];
    walk w;
    size_t n = 0;
    begin(&w, paths, walked[0], hosts[0].words);
    ck_assert_msg(walk_all(&w), "%s: %s", w.wrong, w.why);
    FILE *f = fopen(symbols, "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || !line[0]) continue;
        bool found = false;
        for (size_t i = 0; i < w.n_called && !found; i++) {
            const char *name = w.called[i];
            found = strcmp(strncmp(name, "(void)", 6) == 0 ? name + 6 : name, line) == 0;
        }
        ck_assert_msg(found, "%s: add it to host_walk.c", line);
        n++;
    }
    fclose(f);
    free(w.kept);
    ck_assert_uint_gt(n, 70);
}
END_TEST

/* Logits of a model that was loaded and run with these words. */
static float *run_model(const char *path, int32_t activations, fp_words words, size_t *n)
{
    enum { N = 40 };
    const fp_words plain = FP_PLAIN;
    const hlm_model_params mp = {.struct_size = sizeof mp, .activations = activations};
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 2};
    const hlm_cache_params kp = {.struct_size = sizeof kp, .max_tokens = N};
    hlm_model *m = NULL;
    hlm_context *x = NULL;
    hlm_cache *c = NULL;
    hlm_model_info info = {.struct_size = sizeof info};
    int32_t tokens[N];
    fp_set(words);
    hlm_status st = hlm_model_load(&m, path, &mp);
    if (st == HLM_OK) st = hlm_model_info_get(m, &info);
    if (st == HLM_OK) st = hlm_ctx_new(&x, m, &cp);
    if (st == HLM_OK) st = hlm_cache_new(&c, hlm_ctx_pool(x), &kp);
    fp_set(plain);
    ck_assert_msg(st == HLM_OK, "%s: %s", path, hlm_last_error());
    const size_t width = (size_t)(info.n_labels ? info.n_labels : info.vocab_size);
    float *logits = malloc(N * width * sizeof *logits);
    for (int32_t i = 0; i < N; i++) tokens[i] = (i * 37) % info.vocab_size;
    const hlm_step s = {.struct_size = sizeof s,
                        .cache = c,
                        .tokens = tokens,
                        .n_tokens = N,
                        .logits = logits,
                        .logit_rows = HLM_ROWS_ALL};
    const hlm_step *const list[] = {&s};
    fp_set(words);
    st = hlm_decode_step(x, list, 1);
    fp_set(plain);
    ck_assert_msg(st == HLM_OK, "%s: %s", path, hlm_last_error());
    hlm_cache_free(c);
    hlm_ctx_free(x);
    hlm_model_release(m);
    *n = N * width * sizeof *logits;
    return logits;
}

START_TEST(every_model)
{
    DIR *d = opendir(models);
    size_t count = 0;
    for (struct dirent *e; (e = readdir(d));) {
        char path[2048];
        size_t n = 0;
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s/model.gguf", models, e->d_name);
        FILE *f = fopen(path, "rb");
        if (f) fclose(f);
        else snprintf(path, sizeof path, "%s/%s", models, e->d_name);
        float *want = run_model(path, HLM_ACTIVATIONS_DEFAULT, hosts[0].words, &n);
        for (size_t h = 1; h < N_HOSTS; h++) {
            float *got = run_model(path, HLM_ACTIVATIONS_DEFAULT, hosts[h].words, &n);
            ck_assert_msg(memcmp(got, want, n) == 0, "%s, %s: other logits", path, hosts[h].name);
            free(got);
        }
        free(want);
        count++;
    }
    closedir(d);
    ck_assert_uint_gt(count, 20);
}
END_TEST

/* What a call that does nothing costs; generous, for busy machines and sanitizers. */
START_TEST(cost)
{
    enum { CALLS = 200000 };
    const fp_words plain = FP_PLAIN;
    char path[2048];
    hlm_model *m = NULL;
    hlm_model_info info = {.struct_size = sizeof info};
    snprintf(path, sizeof path, "%s/%s", models, walked[0]);
    ck_assert_int_eq(hlm_model_load(&m, path, NULL), HLM_OK);
    fp_set(hosts[_i].words);
    struct timespec a, b;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    hlm_status st = HLM_OK;
    for (int i = 0; i < CALLS && st == HLM_OK; i++) st = hlm_model_info_get(m, &info);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    fp_set(plain);
    const double ns = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / CALLS;
    hlm_model_release(m);
    ck_assert_int_eq(st, HLM_OK);
    printf("hlm_model_info_get, %s: %.0f ns\n", hosts[_i].name, ns);
    ck_assert(ns < 20000);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc < 5) return 2;
    models = argv[1];
    adapter_folder = argv[2];
    symbols = argv[3];
    scratch = argv[4];
    mkdir(scratch, 0777);
    TCase *t = tcase_create("hosts");
    tcase_set_timeout(t, 0);
    tcase_add_loop_test(t, walks, 0, N_WALKED);
    tcase_add_test(t, every_function_is_walked);
    tcase_add_test(t, every_model);
    tcase_add_loop_test(t, cost, 0, N_HOSTS);
    Suite *suite = suite_create("host");
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    const int run = srunner_ntests_run(r), failed = srunner_ntests_failed(r);
    srunner_free(r);
    printf("%d passed, %d failed\n", run - failed, failed);
    return failed != 0 || run == 0;
}
