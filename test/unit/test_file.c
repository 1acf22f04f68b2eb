/* What lies in files that may be refused (hlm_file_open): containers that are damaged, cut off at every byte, unknown,
 * and memory that runs out. test_file FOLDER, by default test/data/models. */
#define _POSIX_C_SOURCE 200809L
#include "unit/api_help.h"
#include "unit/gguf_bytes.h"
#include "unit/memfs.h"
#include "unit/suite.h"

static const char *folder = "test/data/models";

/* ---- files in memory ---- */

static memfs fs;

static hlm_status open_memory(hlm_file **f, const char *path, uint32_t flags, const hlm_allocator *allocator)
{
    const hlm_vfs vfs = {sizeof vfs, &fs, memfs_open, memfs_size, memfs_read, memfs_map, memfs_close};
    const hlm_model_params p = {.struct_size = sizeof p, .flags = flags, .vfs = &vfs, .allocator = allocator};
    return hlm_file_open(f, path, &p);
}

static hlm_file_info info_of(const hlm_file *f)
{
    hlm_file_info info = {.struct_size = sizeof info};
    OK(hlm_file_info_get(f, &info));
    return info;
}

/* Asks for everything that is there. */
static void ask_all(const hlm_file *f)
{
    static char value[1 << 20];
    const hlm_file_info info = info_of(f);
    for (size_t i = 0; i < info.n_keys; i++) {
        hlm_file_key_info key = {.struct_size = sizeof key};
        size_t n = 0, again = 0;
        OK(hlm_file_key(f, i, &key));
        OK(hlm_file_value(f, i, 0, value, sizeof value, &n));
        for (size_t k = 0; k < n; k++) ck_assert_msg(value[k] >= 0x20 && value[k] < 0x7F, "%s: %d", key.name, value[k]);
        if (n) REFUSED(hlm_file_value(f, i, 0, value, n - 1, &again), HLM_E_SPACE);
        if (n) ck_assert_uint_eq(again, n);
    }
    for (size_t i = 0; i < info.n_tensors; i++) {
        hlm_file_tensor_info t = {.struct_size = sizeof t};
        OK(hlm_file_tensor(f, i, &t));
        ck_assert(t.n_dims >= 1 && t.n_dims <= 4 && *t.type && t.part);
    }
    for (size_t i = 0; i < info.n_parts; i++) ck_assert_ptr_nonnull(hlm_file_part(f, i, NULL));
    for (size_t i = 0; i < info.n_problems; i++) ck_assert(*hlm_file_problem(f, i));
    ck_assert_ptr_null(hlm_file_problem(f, info.n_problems));
    ck_assert_ptr_null(hlm_file_part(f, info.n_parts, NULL));
}

/* Two settings that need escapes, an unknown architecture, a tensor of a type that nobody knows. */
static bytes strange(void)
{
    const uint64_t dims[] = {32, 2};
    bytes b = {.n = 0};
    put_front(&b, 3, 2, 4);
    put_kv_string(&b, "general.architecture", "mar\x1bs");
    put_kv_string(&b, "a\x1b[1mkey", "\"\xff\n\xf0\x9f\x98\x80");
    put_kv(&b, "most", 10, UINT64_MAX, 8);
    put_kv_array(&b, "list", 6, 3);
    put_le(&b, 0x3FC00000, 4);
    put_le(&b, 0x7FC00000, 4);
    put_le(&b, 0xFF800000, 4);
    put_tensor(&b, "known", 2, dims, 0, 0);
    put_tensor(&b, "odd", 2, dims, 99, 256);
    put_padding(&b, 32);
    for (size_t i = 0; i < 256; i++) put_le(&b, 0, 1);
    return b;
}

static void check_value(const hlm_file *f, size_t i, size_t max_items, const char *expected)
{
    char value[256];
    size_t n;
    OK(hlm_file_value(f, i, max_items, value, sizeof value - 1, &n));
    value[n] = '\0';
    ck_assert_str_eq(value, expected);
}

START_TEST(what_nobody_knows)
{
    bytes b = strange();
    hlm_file *f;
    memfs_add(&fs, "m.gguf", b.data, b.n);
    OK(open_memory(&f, "m.gguf", 0, NULL));
    const hlm_file_info info = info_of(f);
    ck_assert_str_eq(info.container, "GGUF");
    ck_assert_str_eq(info.arch, "mar\x1bs");
    ck_assert(info.version == 3 && info.n_keys == 4 && info.n_tensors == 2 && info.n_problems == 2);
    ck_assert_ptr_nonnull(strstr(hlm_file_problem(f, 0), "not known to this version"));
    ck_assert_ptr_nonnull(strstr(hlm_file_problem(f, 1), "type 99, of no known name"));
    check_value(f, 1, 0, "\"\\\"\\ufffd\\n\\ud83d\\ude00\"");
    check_value(f, 2, 0, "18446744073709551615");
    check_value(f, 3, 0, "[1.5,\"NaN\",\"-Infinity\"]");
    check_value(f, 3, 1, "[1.5]");
    hlm_file_tensor_info t = {.struct_size = sizeof t};
    OK(hlm_file_tensor(f, 1, &t));
    ck_assert_str_eq(t.type, "type 99");
    ck_assert(t.dims[0] == 2 && t.dims[1] == 32 && *t.unfit);
    REFUSED(hlm_file_tensor(f, 2, &t), HLM_E_ARG);
    hlm_file_free(f);
    memfs_clear(&fs);
    free(b.data);
}
END_TEST

/* Sound containers that say nothing: a GGUF file without settings, a folder whose settings are {}. */
START_TEST(nothing_in_them)
{
    static const char *const paths[] = {"m.gguf", "m"};
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    bytes empty = {.n = 0}, weights = {.n = 0};
    put_front(&empty, 3, 0, 0);
    put_le(&weights, sizeof header - 1, 8);
    put(&weights, header, sizeof header - 1);
    put_le(&weights, 0, 4);
    memfs_add(&fs, "m.gguf", empty.data, empty.n);
    memfs_add(&fs, "m/config.json", "{}", 2);
    memfs_add(&fs, "m/model.safetensors", weights.data, weights.n);
    for (size_t i = 0; i < 2; i++) {
        hlm_file *f;
        OK(open_memory(&f, paths[i], 0, NULL));
        ck_assert_uint_eq(info_of(f).n_problems, 1);
        ck_assert_ptr_nonnull(strstr(hlm_file_problem(f, 0), i ? "model_type" : "general.architecture"));
        hlm_file_free(f);
    }
    memfs_clear(&fs);
    free(empty.data);
    free(weights.data);
}
END_TEST

START_TEST(cut_off_at_every_byte)
{
    bytes b = strange();
    size_t keys = 0;
    for (size_t n = 4; n < b.n; n++) {
        for (uint32_t read = 0; read < 2; read++) {
            hlm_file *f;
            memfs_add(&fs, "m.gguf", b.data, n);
            OK(open_memory(&f, "m.gguf", read ? (uint32_t)HLM_LOAD_READ : 0, NULL));
            ask_all(f);
            const hlm_file_info info = info_of(f);
            ck_assert_msg(info.n_problems > 0 && info.n_keys >= keys, "at byte %zu", n);
            keys = info.n_keys;
            hlm_file_free(f);
            memfs_clear(&fs);
        }
    }
    ck_assert_uint_eq(keys, 4);
    free(b.data);
}
END_TEST

START_TEST(many_alike)
{
    bytes b = {.n = 0};
    hlm_file *f;
    const uint64_t dims[] = {32};
    put_front(&b, 3, 40, 1);
    put_kv_string(&b, "general.architecture", "mars");
    for (uint32_t i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%u", i);
        put_tensor(&b, name, 1, dims, 100 + i, 0);
    }
    put_padding(&b, 32);
    memfs_add(&fs, "m.gguf", b.data, b.n);
    OK(open_memory(&f, "m.gguf", 0, NULL));
    ck_assert_uint_eq(info_of(f).n_problems, 16);
    ck_assert_str_eq(hlm_file_problem(f, 15), "and 26 more of the kind");
    hlm_file_free(f);
    memfs_clear(&fs);
    free(b.data);
}
END_TEST

/* ---- files of models ---- */

START_TEST(models_have_no_problem)
{
    static const char *const names[] = {"tiny-llama.gguf", "tiny-llama", "jamba", "qwen3_5-options", "gguf-qwen2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[1024];
        hlm_file *f;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        OK(hlm_file_open(&f, path, NULL));
        const char *problem = hlm_file_problem(f, 0);
        ck_assert_msg(!problem, "%s: %s", path, problem);
        ask_all(f);
        hlm_file_free(f);
    }
}
END_TEST

START_TEST(what_is_none)
{
    hlm_file *f;
    memfs_add(&fs, "text", "hello", 5);
    REFUSED(open_memory(&f, "text", 0, NULL), HLM_E_FORMAT);
    ck_assert_ptr_null(f);
    REFUSED(open_memory(&f, "nothing", 0, NULL), HLM_E_IO);
    REFUSED(open_memory(&f, "", 0, NULL), HLM_E_ARG);
    REFUSED(hlm_file_open(NULL, "text", NULL), HLM_E_ARG);
    hlm_file_free(NULL);
    memfs_clear(&fs);
}
END_TEST

/* ---- memory that runs out ---- */

static size_t left;

static void *few_alloc(void *user, size_t size, size_t align)
{
    (void)user;
    if (!left) return NULL;
    left--;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void few_free(void *user, void *p)
{
    (void)user;
    free(p);
}

START_TEST(memory_that_runs_out)
{
    const hlm_allocator few = {.struct_size = sizeof few, .alloc = few_alloc, .free = few_free};
    bytes b = strange();
    hlm_file *f = NULL;
    memfs_add(&fs, "m.gguf", b.data, b.n);
    for (size_t n = 0; !f; n++) {
        left = n;
        const hlm_status st = open_memory(&f, "m.gguf", HLM_LOAD_READ, &few);
        ck_assert_msg(st == HLM_E_NOMEM || f, "%zu allocations: %d", n, (int)st);
        ck_assert_uint_lt(n, 1000);
    }
    ck_assert_uint_eq(info_of(f).n_problems, 2);
    hlm_file_free(f);
    memfs_clear(&fs);
    free(b.data);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc > 1) folder = argv[1];
    const TTest *const tests[] = {what_nobody_knows,      nothing_in_them, cut_off_at_every_byte, many_alike,
                                  models_have_no_problem, what_is_none,    memory_that_runs_out};
    return suite_run("file", tests, sizeof tests / sizeof *tests);
}
