/* Quantised folders that are wrong: whatever is missing, of another shape or type, or a lie, is refused by its name,
 * and nothing outside the tensors is read. */
#include "unit/coded_make.h"

/* ---- good ones, to be changed ---- */

static void make_block_bytes(coded *f, const char *what, const char *config, const char *scale, bool integers)
{
    coded_new(f, what, 40, 64);
    snprintf(f->config, sizeof f->config, "%s", config);
    make_bytes(f, integers, ".weight", scale, "F32", integers ? 1 : 32, integers ? 64 : 32, false);
}

static void make_torchao(coded *f)
{
    coded_new(f, "torchao", 24, 64);
    snprintf(f->config, sizeof f->config, "{\"quantization_config\":{\"quant_method\":\"torchao\"}}");
    make_bytes(f, true, "._weight_qdata", "._weight_scale", "F32", 1, 64, false);
    coded_add(f, "._weight_zero_point", "I8", 24, 1, 1);
}

static void make_bnb8(coded *f)
{
    coded_new(f, "bitsandbytes int8", 16, 32);
    snprintf(f->config, sizeof f->config, "{\"quantization_config\":{\"load_in_8bit\":true}}");
    make_bytes(f, true, ".weight", ".SCB", "F32", 1, 32, true);
    coded_add(f, ".weight_format", "U8", 1, 0, 1);
}

enum { FORMS = 13 };

static void make(coded *f, int form)
{
    static const gptq_form by_gptq = {24, 64, 32, 4, false, true, true};
    static const packed_form with_list = {24, 64, 32, 4, true, true, false},
                             plain = {24, 64, 32, 8, false, false, false};
    coded_seed = 7;
    switch (form) {
    case 0: make_gptq(f, &by_gptq); return;
    case 1: make_awq(f, 24, 64, 32); return;
    case 2: make_packed(f, &with_list); return;
    case 3: make_packed(f, &plain); return;
    case 4:
        make_block_bytes(f, "fp8", "{\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[32,32]}}",
                         ".weight_scale_inv", false);
        return;
    case 5: make_block_bytes(f, "int-quantized", by_int, ".weight_scale", true); return;
    case 6:
    case 7:
    case 8: make_fp4(f, 24, 64, (fp4_form)(form - 6)); return;
    case 9: make_torchao(f); return;
    case 10: make_bnb4(f, 8, 64, 32, true); return;
    case 11: make_bnb4(f, 8, 48, 32, false); return;
    default: make_bnb8(f);
    }
}

/* Opens it in both ways and reads every matrix that is there; the sentence is in hlmi_error. */
static hlm_status use(memfs *fs)
{
    hlm_status st = HLM_OK, first = HLM_OK;
    for (int map = 0; map < 2; map++) {
        hlmi_store *s;
        st = coded_open(&s, fs, map);
        for (size_t i = 0; st == HLM_OK && i < hlmi_store_count(s); i++) st = hlmi_store_usable(s, hlmi_store_at(s, i));
        const hlmi_tensor *t = s ? hlmi_store_find(s, "X.weight") : NULL;
        if (st == HLM_OK && t && t->bytes < 1 << 24) {
            unsigned char *buf = malloc((size_t)t->bytes);
            const uint8_t *p;
            st = hlmi_store_read(s, t, 0, (size_t)t->bytes, buf, &p);
            ck_assert_msg(st == HLM_OK, "%s", hlmi_error());
            free(buf);
        }
        hlmi_store_close(s);
        ck_assert_uint_eq(fs->open, 0);
        if (map == 0) first = st;
    }
    ck_assert_int_eq(st, first);
    return st;
}

/* Refused, with the file, the tensor (or the setting) and `words` in the sentence. */
static void check_refused(const coded *f, const char *named, const char *words, const char *change)
{
    memfs fs = {.n = 0};
    coded_write(f, &fs);
    const hlm_status st = use(&fs);
    ck_assert_msg(st == HLM_E_FORMAT || st == HLM_E_UNSUPPORTED, "%s, %s: status %d", f->what, change, st);
    ck_assert_msg(strncmp(hlmi_error(), "d/", 2) == 0 && strstr(hlmi_error(), named) && strstr(hlmi_error(), words),
                  "%s, %s: '%s' lacks '%s' or '%s'", f->what, change, hlmi_error(), named, words);
    memfs_clear(&fs);
}

/* ---- every form ---- */

static void drop(coded *f, size_t i)
{
    free(f->t[i].data.data);
    f->t[i] = f->t[--f->n];
}

/* Without these the matrix is another, whole one. */
static bool may_miss(const char *name)
{
    static const char *const tails[] = {".g_idx", ".weight_g_idx", ".weight_zero_point", "._weight_zero_point",
                                        ".weight_format"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        if (strcmp(name + 1, tails[i]) == 0) return true;
    return false;
}

START_TEST(parts_that_are_missing)
{
    for (int form = 0; form < FORMS; form++) {
        coded f;
        make(&f, form);
        const size_t n = f.n;
        coded_free(&f);
        for (size_t i = 0; i < n; i++) {
            make(&f, form);
            char name[64];
            snprintf(name, sizeof name, "%s", f.t[i].name);
            drop(&f, i);
            memfs fs = {.n = 0};
            coded_write(&f, &fs);
            const hlm_status st = use(&fs);
            memfs_clear(&fs);
            if (may_miss(name)) ck_assert_msg(st == HLM_OK, "%s without %s: %s", f.what, name, hlmi_error());
            else if (i == 0) check_refused(&f, "", "no tensor has codes of that method", name);
            else check_refused(&f, "tensor 'X.", "", name);
            coded_free(&f);
        }
    }
}
END_TEST

/* Another type of the same size. */
static const char *other_type(const char *dtype)
{
    static const char *const pairs[][2] = {{"I32", "F32"}, {"F32", "U32"}, {"F16", "I16"}, {"BF16", "U16"},
                                           {"I64", "F64"}, {"U8", "BOOL"}, {"I8", "BOOL"}, {"F8_E4M3", "F8_E5M2"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(dtype, pairs[i][0]) == 0) return pairs[i][1];
    return "U8";
}

START_TEST(parts_of_other_types_and_shapes)
{
    for (int form = 0; form < FORMS; form++) {
        coded f;
        make(&f, form);
        const size_t n = f.n;
        coded_free(&f);
        for (size_t i = 0; i < 3 * n; i++) {
            make(&f, form);
            coded_tensor *t = &f.t[i / 3];
            const bool code = i / 3 == 0 && strcmp(t->name, "X.weight") == 0;
            size_t rows = 0, cols = 1;
            ck_assert_int_gt(sscanf(t->shape, "[%zu,%zu", &rows, &cols), 0);
            const size_t row = t->data.n / rows;
            if (i % 3 == 0) snprintf(t->dtype, sizeof t->dtype, "%s", other_type(t->dtype));
            if (i % 3 == 1) snprintf(t->shape, sizeof t->shape, "[%zu,%zu,1,1]", rows, cols);
            if (i % 3 == 2) { /* a row less */
                t->data.n -= row;
                snprintf(t->shape, sizeof t->shape, strchr(t->shape, ',') ? "[%zu,%zu]" : "[%zu]", rows - 1, cols);
            }
            if (strstr(t->name, "quant_state") && i % 3 == 1) snprintf(t->shape, sizeof t->shape, "[0]");
            const bool gone = code && i % 3 == 0; /* no codes at all */
            const bool counted = i % 3 == 1 && strstr(f.what, "nf4"); /* of which only the size counts */
            const bool less = i % 3 == 2 && (form == 1 || form == 4); /* a good matrix, of a column or a row less */
            if ((!counted && !less) || i / 3) check_refused(&f, gone ? "" : "'X.", gone ? "codes" : "", t->name);
            coded_free(&f);
        }
    }
}
END_TEST

START_TEST(every_truncation)
{
    for (int form = 0; form < FORMS; form++) {
        coded f;
        memfs fs = {.n = 0};
        make(&f, form);
        coded_write(&f, &fs);
        memfs_file *file = &fs.files[fs.n - 1];
        const size_t whole = file->size;
        unsigned char *all = file->data;
        for (size_t n = 0; n < whole; n += n < 900 ? 1 : 7) {
            file->data = malloc(n + !n);
            memcpy(file->data, all, n);
            file->size = n;
            if (use(&fs) != HLM_E_FORMAT) ck_abort_msg("%s: %zu of %zu bytes were not refused", f.what, n, whole);
            if (!strstr(hlmi_error(), "d/model.safetensors: ")) ck_abort_msg("%s: '%s'", f.what, hlmi_error());
            free(file->data);
        }
        file->data = all;
        memfs_clear(&fs);
        coded_free(&f);
    }
}
END_TEST

/* Settings of one form, tensors of another: refused, or read as what they can be, and never beyond their ends. */
START_TEST(settings_of_another_form)
{
    for (int form = 0; form < FORMS; form++) {
        for (int other = 0; other < FORMS; other++) {
            coded f, g;
            memfs fs = {.n = 0};
            make(&f, form);
            make(&g, other);
            memcpy(f.config, g.config, sizeof f.config);
            memcpy(f.side, g.side, sizeof f.side);
            coded_write(&f, &fs);
            if (use(&fs) != HLM_OK)
                ck_assert_msg(strncmp(hlmi_error(), "d/", 2) == 0, "%s as %s: '%s'", f.what, g.what, hlmi_error());
            else if (form == 0 || form == 1) ck_assert_int_eq(other, form);
            memfs_clear(&fs);
            coded_free(&f);
            coded_free(&g);
        }
    }
}
END_TEST

typedef struct budget {
    size_t left, live;
} budget;

static void *budget_alloc(void *user, size_t size, size_t align)
{
    budget *b = user;
    if (b->left == 0) return NULL;
    b->left--;
    b->live++;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void budget_free(void *user, void *p)
{
    if (p) ((budget *)user)->live--;
    free(p);
}

/* Opening and reading, with 0, 1, 2, ... allocations until it works. */
START_TEST(every_allocation_may_fail)
{
    for (int form = 0; form < FORMS; form++) {
        coded f;
        memfs fs = {.n = 0};
        make(&f, form);
        coded_write(&f, &fs);
        const hlmi_vfs vfs = memfs_vfs(&fs, false);
        hlm_status st = HLM_E_NOMEM;
        for (size_t k = 0; st != HLM_OK; k++) {
            budget b = {.left = k};
            const hlmi_mem mem = {&b, budget_alloc, budget_free};
            hlmi_store *s;
            st = hlmi_store_open(&s, &mem, &vfs, "d", HLMI_STORE_MODEL);
            const hlmi_tensor *t = st == HLM_OK ? hlmi_store_find(s, "X.weight") : NULL;
            unsigned char *buf = malloc(t ? (size_t)t->bytes : 1);
            const uint8_t *p;
            if (t) st = hlmi_store_read(s, t, 0, (size_t)t->bytes, buf, &p);
            ck_assert_msg(st == HLM_OK || st == HLM_E_NOMEM, "%s: %s", f.what, hlmi_error());
            free(buf);
            hlmi_store_close(s);
            ck_assert_uint_eq(b.live, 0);
            ck_assert_uint_eq(fs.open, 0);
        }
        memfs_clear(&fs);
        coded_free(&f);
    }
}
END_TEST

/* ---- lies ---- */

START_TEST(lists_of_groups)
{
    static const int32_t bad[] = {2, -1, INT32_MAX, INT32_MIN};
    for (int form = 0; form < 3; form += 2) {
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            coded f;
            char words[64];
            make(&f, form);
            coded_tensor *t = coded_find(&f, form ? ".weight_g_idx" : ".g_idx");
            memcpy(t->data.data + 4 * 63, &bad[i], 4);
            snprintf(words, sizeof words, "entry 63 is %d, expected 0 to 1", (int)bad[i]);
            check_refused(&f, t->name, words, "g_idx");
            coded_free(&f);
        }
    }
}
END_TEST

START_TEST(shapes_that_are_written_down)
{
    static const int64_t bad[][2] = {
        {0, 64},  {24, -64}, {INT64_MAX, INT64_MAX}, {INT64_MIN, 64}, {23, 64},
        {24, 65}, {64, 24},  {24, 1LL << 40},        {1LL << 31, 1},  {1LL << 32 | 24, 64}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        coded f;
        make(&f, 2);
        memcpy(coded_find(&f, ".weight_shape")->data.data, bad[i], sizeof bad[i]);
        check_refused(&f, "'X.weight_", "", "weight_shape");
        coded_free(&f);
    }
}
END_TEST

START_TEST(states_of_bitsandbytes)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"shape\":[8,64]}",
        "{\"shape\":[8,64],\"blocksize\":0}",
        "{\"shape\":[8,64],\"blocksize\":-32}",
        "{\"shape\":[8,64],\"blocksize\":\"32\"}",
        "{\"shape\":[8,64],\"blocksize\":31}",
        "{\"shape\":[8,64],\"blocksize\":64,\"nested_blocksize\":32}",
        "{\"shape\":[64,8],\"blocksize\":16,\"nested_blocksize\":32}",
        "{\"shape\":[2147483647,2147483647],\"blocksize\":32}",
        "{\"shape\":[512,1],\"blocksize\":32,\"nested_blocksize\":32}",
        "{\"shape\":[8],\"blocksize\":32,\"nested_blocksize\":32}",
        "{\"shape\":[8,64],\"blocksize\":2147483647,\"nested_blocksize\":2147483647}",
        "{\"shape\":[8,64],\"blocksize\":32,\"nested_blocksize\":2}",
        "{\"shape\":[8,64],\"blocksize\":32}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        coded f;
        make(&f, 10);
        coded_tensor *t = coded_find(&f, ".weight.quant_state.bitsandbytes__nf4");
        t->data.n = strlen(bad[i]);
        memcpy(t->data.data, bad[i], t->data.n); /* all are shorter than the good one, or as long */
        snprintf(t->shape, sizeof t->shape, "[%zu]", t->data.n);
        check_refused(&f, "X.weight", "", bad[i]);
        coded_free(&f);
    }
}
END_TEST

START_TEST(settings_that_lie)
{
    static const struct {
        int form;
        const char *config, *words;
    } cases[] = {
        {0, "\"quant_method\":\"gptq\",\"bits\":5,\"group_size\":32", "bits"},
        {0, "\"quant_method\":\"gptq\",\"bits\":8,\"group_size\":32", "'X."},
        {0, "\"quant_method\":\"gptq\",\"bits\":0,\"group_size\":32", "bits"},
        {0, "\"quant_method\":\"gptq\",\"bits\":9223372036854775807", "bits"},
        {0, "\"quant_method\":\"gptq\",\"bits\":4,\"group_size\":16", "scales are 2"},
        {0, "\"quant_method\":\"gptq\",\"bits\":4,\"group_size\":2147483647", "scales are 2"},
        {0, "\"quant_method\":\"gptq\",\"bits\":4,\"checkpoint_format\":\"marlin\"", "'gptq'"},
        {1, "\"quant_method\":\"awq\",\"bits\":4,\"group_size\":64", "scales are 2"},
        {1, "\"quant_method\":\"awq\",\"bits\":3,\"group_size\":32", "3 bits"},
        {1, "\"quant_method\":\"awq\",\"bits\":4,\"version\":\"gemv\"", "'awq'"},
        {2, "\"quant_method\":\"compressed-tensors\",\"format\":\"marlin-24\"", "'marlin-24'"},
        {2, "\"quant_method\":\"compressed-tensors\",\"config_groups\":{\"a\":{\"weights\":{\"num_bits\":5}}}",
         "5 bits"},
        {2, "\"quant_method\":\"compressed-tensors\",\"sparsity_config\":{\"format\":\"sparse-24-bitmask\"}",
         "compressed-tensors"},
        {4, "\"quant_method\":\"fp8\"", "whose size the settings do not say"},
        {4, "\"quant_method\":\"fp8\",\"weight_block_size\":[0,32]", "whose size"},
        {4, "\"quant_method\":\"fp8\",\"weight_block_size\":[16,32]", "'X.weight_scale_inv'"},
        {4, "\"quant_method\":\"fp8\",\"weight_block_size\":[32,64]", "scales are 2"},
        {4, "\"quant_method\":\"fp8\",\"fmt\":\"e5m2\"", "'fp8'"},
        {7, "\"quant_method\":\"modelopt\",\"quant_algo\":\"W4A16_AWQ\"", "'modelopt'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        coded f;
        make(&f, cases[i].form);
        f.side[0] = '\0';
        snprintf(f.config, sizeof f.config, "{\"quantization_config\":{%s}}", cases[i].config);
        check_refused(&f, "", cases[i].words, cases[i].config);
        coded_free(&f);
    }
}
END_TEST

/* What takes the place of one number for all, and of the order of bytes. */
START_TEST(single_numbers)
{
    static const float bad[] = {0, -1, NAN, INFINITY};
    for (size_t i = 0; i < 2 * (sizeof bad / sizeof *bad); i++) {
        coded f;
        make(&f, i % 2 ? 6 : 7);
        coded_tensor *t = coded_find(&f, i % 2 ? ".weight_global_scale" : ".weight_scale_2");
        memcpy(t->data.data, &bad[i / 2], 4);
        check_refused(&f, t->name, "no number above 0", "the scale of all");
        coded_free(&f);
    }
    coded f;
    make(&f, 12);
    coded_find(&f, ".weight_format")->data.data[0] = 1;
    check_refused(&f, "'X.weight_format'", "is not 0", "order");
    coded_free(&f);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {parts_that_are_missing,
                                  parts_of_other_types_and_shapes,
                                  every_truncation,
                                  settings_of_another_form,
                                  every_allocation_may_fail,
                                  lists_of_groups,
                                  shapes_that_are_written_down,
                                  states_of_bitsandbytes,
                                  settings_that_lie,
                                  single_numbers};
    return suite_run("quantised_hostile", tests, sizeof tests / sizeof *tests);
}
