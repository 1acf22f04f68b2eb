/* Folders as people have them: tensors that no text needs, models without heads, other names, settings left out, types of numbers.
 * test_folders FOLDER, by default test/data/models. */
#include "unit/memmodel.h"
#include "unit/suite.h"

static const char *folder = "test/data/models";

static mm_folder *read_folder(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return mm_folder_read(path);
}

/* Loads what the folder is now; the sentence is in hlm_last_error. */
static hlm_status load(const mm_folder *f, hlm_model **m)
{
    mm fs = {.n = 0};
    *m = NULL;
    mm_folder_write(f, &fs);
    const hlm_status st = mm_load(m, &fs, "m", 0);
    mm_clear(&fs);
    return st;
}

static float *logits_of(const mm_folder *f, size_t *n)
{
    hlm_model *m = NULL;
    ck_assert_msg(load(f, &m) == HLM_OK, "%s", hlm_last_error());
    float *out = mm_logits(m, n);
    ck_assert_msg(out != NULL, "%s", hlm_last_error());
    hlm_model_release(m);
    return out;
}

static void check_same(const mm_folder *f, const float *want, size_t n, const char *what)
{
    size_t found = 0;
    float *got = logits_of(f, &found);
    ck_assert_msg(found == n && memcmp(got, want, n * sizeof *got) == 0, "%s: other logits", what);
    free(got);
}

static void check_refused(const mm_folder *f, hlm_status status, const char *words)
{
    hlm_model *m = NULL;
    const hlm_status st = load(f, &m);
    ck_assert_msg(st == status && strstr(hlm_last_error(), words), "'%s' lacks '%s', status %d", hlm_last_error(),
                  words, st);
}

/* ---- tensors that are left out ---- */

/* Forms that no weight of this version has. */
static const struct {
    const char *dtype, *shape;
    size_t bytes;
    const char *words;
} odd_forms[] = {
    {"BF16", "[4,3,2,2,2]", 192, "5 dimensions"},
    {"F32", "[1,1,1,1,1,1,1,1,1,2]", 8, "10 dimensions"},
    {"F8_E4M3", "[16]", 16, "F8_E4M3"},
    {"F8_E8M0", "[4,4]", 16, "F8_E8M0"},
    {"F4", "[8,2]", 8, "F4"},
    {"C64", "[2]", 16, "C64"},
    {"XYZ", "[]", 4, "XYZ"},
    {"F32", "[3,3]", 16, "span 16 bytes"},
    {"I4", "[0]", 0, "I4"},
    {"F8_E5M2", "[2,2,2,2,2]", 32, "F8_E5M2"},
    {"I64", "[2]", 16, NULL},
    {"BOOL", "[3]", 3, NULL},
};
enum { ODD_FORMS = sizeof odd_forms / sizeof *odd_forms };

static void add_odd(mm_folder *f, const char *name, size_t i)
{
    mm_add(f, name, odd_forms[i].dtype, json_loads(odd_forms[i].shape, 0, NULL), NULL, odd_forms[i].bytes);
}

START_TEST(tensors_that_are_left_out_may_be_anything)
{
    static const struct {
        const char *model, *names[6];
    } cases[] = {
        {"qwen3_5-options",
         {"model.visual.patch_embed.proj.weight", "visual.blocks.0.attn.qkv.weight", "mtp.fc.weight"}},
        {"qwen3-next", {"mtp.layers.0.mlp.experts.0.up_proj.weight"}},
        {"nemotron-h-moe", {"mtp.layers.0.norm.weight"}},
        {"llama3",
         {"model.layers.0.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq", "rotary_emb.inv_freq"}},
        {"zamba2-options", {"model.layers.1.shared_transformer.self_attn.rotary_emb.inv_freq"}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        mm_folder *f = read_folder(cases[k].model);
        size_t n = 0, added = 0;
        float *want = logits_of(f, &n);
        for (size_t j = 0; cases[k].names[j]; j++) {
            for (size_t i = 0; i < ODD_FORMS; i++) {
                char name[128];
                add_odd(f, cases[k].names[j], i);
                check_same(f, want, n, cases[k].names[j]);
                snprintf(name, sizeof name,
                         strstr(cases[k].names[j], "inv_freq") ? "%.20s.%zu.rotary_emb.inv_freq" : "%.40s.%zu",
                         cases[k].names[j], i);
                strcpy(mm_find(f, cases[k].names[j])->name, name);
                added++;
            }
        }
        ck_assert_uint_ge(added, ODD_FORMS);
        check_same(f, want, n, "all together");
        free(want);
        mm_folder_free(f);
    }
}
END_TEST

/* What is asked for, or stands where nothing is left out, is refused by its name and form. */
START_TEST(other_tensors_must_be_right)
{
    mm_folder *f = read_folder("qwen3_5-options");
    for (size_t i = 0; i < ODD_FORMS; i++) {
        add_odd(f, "model.extra.weight", i);
        const int known = odd_forms[i].words == NULL;
        check_refused(f, known || strstr(odd_forms[i].words, "span") ? HLM_E_FORMAT : HLM_E_UNSUPPORTED,
                      known ? "model.extra.weight" : odd_forms[i].words);
        ck_assert_ptr_nonnull(strstr(hlm_last_error(), "model.extra.weight"));
        mm_drop(f, "model.extra.weight");
        mm_tensor *norm = mm_find(f, "model.norm.weight");
        mm_tensor kept = *norm;
        strcpy(norm->dtype, odd_forms[i].dtype);
        norm->shape = json_loads(odd_forms[i].shape, 0, NULL);
        norm->data = calloc(odd_forms[i].bytes + 1, 1);
        norm->bytes = odd_forms[i].bytes;
        check_refused(f, known || strstr(odd_forms[i].words, "span") ? HLM_E_FORMAT : HLM_E_UNSUPPORTED,
                      "model.norm.weight");
        json_decref(norm->shape);
        free(norm->data);
        *norm = kept;
    }
    mm_folder_free(f);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {tensors_that_are_left_out_may_be_anything, other_tensors_must_be_right};
    if (argc > 1) folder = argv[1];
    return suite_run("folders", tests, sizeof tests / sizeof *tests);
}
