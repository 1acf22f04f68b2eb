/* GGUF files of hybrid architectures, small ones as llama.cpp's converter wrote them: whatever a number of theirs is
 * made, the file is refused by name or runs; and the same file in other forms is the same. test_gguf_archs FOLDER, by
 * default test/data/formats. */
#include "unit/memmodel.h"
#include "unit/suite.h"

static const char *folder = "test/data/formats";

static const char *const models[] = {"gguf-bamba",  "gguf-falcon-h1-q8_0",      "gguf-lfm2-q4_0",
                                     "gguf-mamba2", "gguf-nemotron-h-moe-q5_1", "gguf-qwen3next-mxfp4"};
enum { MODELS = sizeof models / sizeof *models };

static mm_gguf *read_model(size_t i)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s/model.gguf", folder, models[i]);
    return mm_gguf_read(path);
}

/* Loads and runs what it is now; the caller frees the logits. NULL: refused, see hlm_last_error. */
static float *run(const mm_gguf *g, size_t *n)
{
    mm fs = {.n = 0};
    hlm_model *m = NULL;
    mm_gguf_write(g, &fs, "m.gguf", 1, 0, g->n, NULL, 0);
    const hlm_status st = mm_load(&m, &fs, "m.gguf", 0);
    float *out = st == HLM_OK ? mm_logits(m, n) : NULL;
    ck_assert_msg(st == HLM_OK || (strncmp(hlm_last_error(), "m.gguf: ", 8) == 0 && st != HLM_E_NOMEM), "status %d: %s",
                  st, hlm_last_error());
    hlm_model_release(m);
    mm_clear(&fs);
    return out;
}

static void set_u32(mm_kv *kv, uint64_t v)
{
    kv->type = 4;
    kv->value.n = 0;
    put_le(&kv->value, v, 4);
}

/* A copy of a setting, to put back. */
static mm_kv keep(const mm_kv *kv)
{
    mm_kv out = *kv;
    out.value = (bytes){.n = 0};
    put(&out.value, kv->value.data, kv->value.n);
    return out;
}

static void put_back(mm_kv *kv, mm_kv *kept)
{
    free(kv->value.data);
    *kv = *kept;
}

static int is_size(const mm_kv *kv)
{
    return strncmp(kv->key, "general.", 8) != 0 && strncmp(kv->key, "tokenizer.", 10) != 0 &&
        (kv->type == 4 || kv->type == 5);
}

START_TEST(sizes_that_are_wrong)
{
    static const uint64_t bad[] = {0, 1, 2, 3, 7, 4096, INT32_MAX, UINT32_MAX};
    size_t refused = 0;
    for (size_t k = 0; k < MODELS; k++) {
        mm_gguf *g = read_model(k);
        for (size_t i = 0; i < g->n_kvs; i++) {
            if (!is_size(&g->kv[i])) continue;
            for (size_t j = 0; j < sizeof bad / sizeof *bad; j++) {
                mm_kv kept = keep(&g->kv[i]);
                size_t n = 0;
                set_u32(&g->kv[i], bad[j]);
                float *out = run(g, &n);
                refused += out == NULL;
                free(out);
                put_back(&g->kv[i], &kept);
            }
        }
        mm_gguf_free(g);
    }
    ck_assert_uint_gt(refused, 300);
}
END_TEST

/* An array of each layer that is an item short, or long. */
START_TEST(arrays_of_other_lengths)
{
    size_t tried = 0;
    for (size_t k = 0; k < MODELS; k++) {
        mm_gguf *g = read_model(k);
        for (size_t i = 0; i < g->n_kvs; i++) {
            mm_kv *kv = &g->kv[i];
            if (kv->type != 9 || strncmp(kv->key, "tokenizer.", 10) == 0 || strstr(kv->key, "rope.")) continue;
            for (int by = -1; by < 2; by += 2) {
                mm_kv kept = keep(kv);
                const unsigned char *p = kv->value.data;
                const uint32_t item = (uint32_t)mm_le(&p, 4);
                const uint64_t count = mm_le(&p, 8) + (uint64_t)by;
                size_t n = 0;
                if (!mm_width(item)) {
                    free(kept.value.data);
                    continue;
                }
                memcpy(kv->value.data + 4, &count, 8);
                if (by < 0) kv->value.n -= mm_width(item);
                else put_le(&kv->value, 1, mm_width(item));
                float *out = run(g, &n);
                ck_assert_msg(!out && strstr(hlm_last_error(), kv->key), "%s: %s of %d: %s", models[k], kv->key,
                              (int)count, out ? "read" : hlm_last_error());
                put_back(kv, &kept);
                tried++;
            }
        }
        mm_gguf_free(g);
    }
    ck_assert_uint_gt(tried, 3);
}
END_TEST

/* Without any one tensor the file is refused by the tensor's name, or has another form. */
START_TEST(tensors_that_are_missing)
{
    for (size_t k = 0; k < MODELS; k++) {
        mm_gguf *g = read_model(k);
        for (size_t i = 0; i < g->n; i++) {
            const mm_gguf whole = *g;
            size_t n = 0;
            g->t[i] = g->t[--g->n];
            free(run(g, &n));
            *g = whole;
        }
        mm_gguf_free(g);
    }
}
END_TEST

/* Version 2 differs in the number alone; version 1, whose counts have 32 bits, is refused by it. */
START_TEST(versions)
{
    for (size_t k = 0; k < MODELS; k++) {
        mm_gguf *g = read_model(k);
        mm fs = {.n = 0};
        hlm_model *m = NULL;
        size_t n = 0, n2 = 0;
        float *want = run(g, &n);
        ck_assert_msg(want != NULL, "%s: %s", models[k], hlm_last_error());
        mm_gguf_write(g, &fs, "m.gguf", 1, 0, g->n, NULL, 0);
        fs.files[0].data[4] = 2;
        ck_assert_msg(mm_load(&m, &fs, "m.gguf", 0) == HLM_OK, "%s", hlm_last_error());
        float *got = mm_logits(m, &n2);
        ck_assert(n == n2 && memcmp(want, got, n * sizeof *got) == 0);
        hlm_model_release(m);
        fs.files[0].data[4] = 1;
        ck_assert_int_eq(mm_load(&m, &fs, "m.gguf", 0), HLM_E_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(hlm_last_error(), "m.gguf: GGUF version 1 "));
        mm_clear(&fs);
        free(want);
        free(got);
        mm_gguf_free(g);
    }
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {versions, sizes_that_are_wrong, arrays_of_other_lengths, tensors_that_are_missing};
    if (argc > 1) folder = argv[1];
    return suite_run("gguf_archs", tests, sizeof tests / sizeof *tests);
}
