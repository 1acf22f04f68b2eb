/* The tensor store over folders, and what both containers share: side files, shard names, memory that runs out.
 * test_store FOLDER, by default test/data/hostile. */
#include <stdio.h>

#include "unit/gguf_bytes.h"
#include "unit/memfs.h"
#include "unit/suite.h"
#include "weights/store.h"

static const char *folder = "test/data/hostile";

static hlm_status open_fs(hlmi_store **s, memfs *fs, bool map)
{
    const hlmi_mem mem = hlmi_mem_default();
    const hlmi_vfs vfs = memfs_vfs(fs, map);
    return hlmi_store_open(s, &mem, &vfs, "dir/", HLMI_STORE_MODEL);
}

/* A safetensors file: the header, and n bytes of data that count up. */
static bytes safetensors(const char *header, size_t n)
{
    bytes b = {.n = 0};
    put_string(&b, header);
    for (size_t i = 0; i < n; i++) put_le(&b, i, 1);
    return b;
}

static void add_safetensors(memfs *fs, const char *path, const char *header, size_t n)
{
    bytes b = safetensors(header, n);
    memfs_add(fs, path, b.data, b.n);
    free(b.data);
}

static void add_text(memfs *fs, const char *path, const char *text)
{
    memfs_add(fs, path, text, strlen(text));
}

/* Both modes refuse the folder with that status and `words` in the sentence. Clears fs. */
static void refuse(memfs *fs, hlm_status status, const char *words)
{
    for (int map = 0; map < 2; map++) {
        hlmi_store *s;
        hlm_status st = open_fs(&s, fs, map);
        for (size_t i = 0; st == HLM_OK && i < hlmi_store_count(s); i++) st = hlmi_store_usable(s, hlmi_store_at(s, i));
        if (st != HLM_OK && s) { /* it opened, but has a tensor that can not be used */
            hlmi_store_close(s);
            s = NULL;
        }
        ck_assert_msg(st == status && !s, "expected %d with '%s', status %d", status, words, st);
        ck_assert_msg(strstr(hlmi_error(), words) != NULL, "'%s' lacks '%s'", hlmi_error(), words);
        ck_assert_uint_eq(fs->open, 0);
    }
    memfs_clear(fs);
}

/* ---- one file ---- */

#define ENTRY(name, dtype, shape, range) \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" range "}"
static const char good[] = "{" ENTRY("b", "F16", "[3,2]", "[4,16]") ",\"__metadata__\":{\"format\":\"pt\"}," ENTRY(
    "a", "F32", "[]", "[0,4]") "," ENTRY("none", "I64", "[0,7]", "[16,16]") "}  ";

static void add_good(memfs *fs)
{
    add_text(fs, "dir/config.json", "{\"model_type\": \"x\", \"limit\": Infinity}");
    add_safetensors(fs, "dir/model.safetensors", good, 16);
}

START_TEST(reads_a_single_file)
{
    memfs fs = {.n = 0};
    add_good(&fs);
    for (int map = 0; map < 2; map++) {
        hlmi_store *s;
        unsigned char buf[12];
        const uint8_t *p = NULL;
        ck_assert_msg(open_fs(&s, &fs, map) == HLM_OK, "%s", hlmi_error());
        const hlmi_tensor *a = hlmi_store_find(s, "a"), *b = hlmi_store_find(s, "b"),
                          *none = hlmi_store_find(s, "none");
        ck_assert(a && b && none && hlmi_store_count(s) == 3);
        ck_assert(a->type == HLMI_F32 && a->n_dims == 1 && a->dims[0] == 1 && a->bytes == 4);
        ck_assert(b->type == HLMI_F16 && b->n_dims == 2 && b->dims[0] == 3 && b->dims[1] == 2 && b->bytes == 12);
        ck_assert(none->bytes == 0 && none->dims[0] == 0);
        ck_assert_int_eq(hlmi_store_read(s, b, 0, 12, buf, &p), HLM_OK);
        for (unsigned i = 0; i < 12; i++) ck_assert_uint_eq(p[i], 4 + i);
        ck_assert_int_eq(hlmi_store_mapped(s, b), map);
        ck_assert_str_eq(hlmi_store_path(s), "dir");
        ck_assert_int_eq(hlmi_store_dialect(s), HLMI_HF);
        ck_assert_str_eq(hlmi_json_string(hlmi_store_config(s), "model_type"), "x");
        ck_assert_ptr_null(hlmi_store_kv(s, "general.architecture"));
        hlmi_store_close(s);
    }
    ck_assert_uint_eq(fs.open, 0);
    memfs_clear(&fs);
}
END_TEST

START_TEST(refuses_every_truncation)
{
    static const char *const fields[] = {"header", "tensor"};
    bytes b = safetensors(good, 16);
    const size_t whole = b.n;
    for (b.n = 0; b.n < whole; b.n++) {
        for (int map = 0; map < 2; map++) {
            hlmi_store *s;
            memfs fs = {.n = 0};
            add_text(&fs, "dir/config.json", "{}");
            memfs_add(&fs, "dir/model.safetensors", b.data, b.n);
            if (open_fs(&s, &fs, map) != HLM_E_FORMAT) ck_abort_msg("%zu of %zu bytes were not refused", b.n, whole);
            if (!strstr(hlmi_error(), "dir/model.safetensors: ") ||
                (!strstr(hlmi_error(), fields[0]) && !strstr(hlmi_error(), fields[1])))
                ck_abort_msg("%zu bytes: '%s' names no field", b.n, hlmi_error());
            memfs_clear(&fs);
        }
    }
    free(b.data);
}
END_TEST

START_TEST(refuses_bad_headers)
{
    static const struct {
        const char *header, *words;
        hlm_status status;
    } cases[] = {
        {"[]", "header: not a JSON object", HLM_E_FORMAT},
        {"{ ", "not valid JSON", HLM_E_FORMAT},
        {"{}{}", "not valid JSON", HLM_E_FORMAT},
        {"{}", "tensor data ends at byte 10, the file at byte 26", HLM_E_FORMAT},
        {"{\"__metadata__\":[]}", "__metadata__ is an array", HLM_E_FORMAT},
        {"{\"__metadata__\":{\"a\":1}}", "__metadata__ 'a' is a number", HLM_E_FORMAT},
        {"{\"t\":1}", "tensor 't': its entry is a number", HLM_E_FORMAT},
        {"{\"t\":{}}", "tensor 't': dtype is missing", HLM_E_FORMAT},
        {"{" ENTRY("t", "F8_E8M0", "[16]", "[0,16]") "}", "dtype 'F8_E8M0' is not supported", HLM_E_UNSUPPORTED},
        {"{" ENTRY("t", "f32", "[4]", "[0,16]") "}", "dtype 'f32'", HLM_E_UNSUPPORTED},
        {"{" ENTRY("t", "F32\\u0000", "[4]", "[0,16]") "}", "dtype 'F32\\x00'", HLM_E_UNSUPPORTED},
        {"{" ENTRY("t", "U8", "16", "[0,16]") "}", "shape is a number", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[-16]", "[0,16]") "}", "negative", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[16.0]", "[0,16]") "}", "fraction", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[1,1,1,1,16]", "[0,16]") "}", "5 dimensions", HLM_E_UNSUPPORTED},
        {"{" ENTRY("t", "F64", "[1152921504606846976,2]", "[0,16]") "}", "2^63", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[0,4611686018427387904,4]", "[0,16]") "}", "span 16 bytes, dtype and shape need 0",
         HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[16]", "[0]") "}", "has 1 entries", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[16]", "[0,16,16]") "}", "has 3 entries", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[16]", "{}") "}", "data_offsets is an object", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[16]", "[16,0]") "}", "data_offsets are 16 to 0", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[17]", "[0,17]") "}", "data_offsets are 0 to 17", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[15]", "[0,16]") "}", "span 16 bytes", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[15]", "[0,15]") "}", "tensor data ends", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[15]", "[1,16]") "}", "behind the data before it", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[9]", "[0,9]") "," ENTRY("u", "U8", "[8]", "[8,16]") "}", "'u' begins at byte",
         HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[16]", "[0,16]") "," ENTRY("t", "U8", "[16]", "[0,16]") "}", "duplicate", HLM_E_FORMAT},
        {"{" ENTRY("t", "U8", "[99999999999999999999]", "[0,16]") "}", "not valid JSON", HLM_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memfs fs = {.n = 0};
        add_text(&fs, "dir/config.json", "{}");
        add_safetensors(&fs, "dir/model.safetensors", cases[i].header, 16);
        refuse(&fs, cases[i].status, cases[i].words);
    }
    memfs fs = {.n = 0};
    bytes many = {.n = 0};
    put_le(&many, (1 << 22) + 2, 8);
    put(&many, "[", 1);
    for (size_t i = 0; i < 1 << 21; i++) put(&many, "1,", 2);
    put(&many, "]", 1);
    add_text(&fs, "dir/config.json", "{}");
    memfs_add(&fs, "dir/model.safetensors", many.data, many.n);
    free(many.data);
    refuse(&fs, HLM_E_LIMIT, "header: JSON with 2097154 values; at most 2097152");
    add_text(&fs, "dir/config.json", "{}");
    memfs_add(&fs, "dir/model.safetensors", "\1\0\0\0\0\0\0\0{", 9);
    refuse(&fs, HLM_E_FORMAT, "header length is 1");
    add_text(&fs, "dir/config.json", "{}");
    memfs_add(&fs, "dir/model.safetensors", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10);
    refuse(&fs, HLM_E_FORMAT, "header length is 18446744073709551615");
}
END_TEST

/* ---- folders ---- */

static void add_shard(memfs *fs, const char *path, const char *tensor)
{
    char header[128];
    snprintf(header, sizeof header, "{" ENTRY("%s", "U8", "[2]", "[0,2]") "}", tensor);
    add_safetensors(fs, path, header, 2);
}

START_TEST(reads_shards)
{
    memfs fs = {.n = 0};
    hlmi_store *s;
    const uint8_t *p = NULL;
    unsigned char buf[2];
    add_text(&fs, "dir/config.json", "{}");
    add_text(&fs, "dir/model.safetensors.index.json", "{\"weight_map\":{\"b\":\"two\",\"a\":\"one\"}}");
    add_shard(&fs, "dir/one", "a");
    add_shard(&fs, "dir/two", "b");
    ck_assert_msg(open_fs(&s, &fs, true) == HLM_OK, "%s", hlmi_error());
    ck_assert_uint_eq(hlmi_store_count(s), 2);
    ck_assert_uint_ne(hlmi_store_find(s, "a")->source, hlmi_store_find(s, "b")->source);
    ck_assert_int_eq(hlmi_store_read(s, hlmi_store_find(s, "a"), 1, 1, buf, &p), HLM_OK);
    ck_assert_uint_eq(*p, 1);
    ck_assert_uint_eq(hlmi_store_bytes(s), fs.files[2].size + fs.files[3].size);
    hlmi_store_close(s);
    memfs_clear(&fs);
}
END_TEST

START_TEST(refuses_bad_indices)
{
    static const struct {
        const char *index, *words;
        hlm_status status;
    } cases[] = {
        {"[]", "index.json: not a JSON object", HLM_E_FORMAT},
        {"{}", "weight_map", HLM_E_FORMAT},
        {"{\"weight_map\":{}}", "weight_map", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":7}}", "'a' is in no string", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "'/etc/passwd'", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"..\"}}", "'..'", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"../dir/one\"}}", "'../dir/one'", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"x\\\\one\"}}", "'x\\one'", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"C:one\"}}", "'C:one'", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"one\\u0000\"}}", "'one\\x00'", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"\"}}", "is in ''", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"three\"}}", "dir/three: no such file", HLM_E_IO},
        {"{\"weight_map\":{\"a\":\"one\",\"c\":\"one\"}}", "tensor 'c' is not in 'one'", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"two\",\"b\":\"one\"}}", "tensor 'a' is not in 'two'", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"one\",\"b\":\"copy\"}}", "tensor 'a' is there twice", HLM_E_FORMAT},
        {"{\"weight_map\":{\"a\":\"one\",\"a\":\"two\"}}", "duplicate", HLM_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memfs fs = {.n = 0};
        add_text(&fs, "dir/config.json", "{}");
        add_text(&fs, "dir/model.safetensors.index.json", cases[i].index);
        add_shard(&fs, "dir/one", "a");
        add_shard(&fs, "dir/two", "b");
        add_shard(&fs, "dir/copy", "a");
        refuse(&fs, cases[i].status, cases[i].words);
    }
}
END_TEST

START_TEST(refuses_bad_folders)
{
    memfs fs = {.n = 0};
    refuse(&fs, HLM_E_IO, "dir: ");
    add_text(&fs, "dir/config.json", "{}");
    refuse(&fs, HLM_E_IO, "dir: no weights");
    add_text(&fs, "dir/config.json", "[]");
    refuse(&fs, HLM_E_FORMAT, "dir/config.json: not a JSON object");
    add_text(&fs, "dir/config.json", "{\"a\": 1");
    refuse(&fs, HLM_E_FORMAT, "dir/config.json: not valid JSON at line 1");
    add_text(&fs, "dir/config.json", "{} {}");
    refuse(&fs, HLM_E_FORMAT, "dir/config.json: not valid JSON");
    add_text(&fs, "dir/config.json", "");
    refuse(&fs, HLM_E_FORMAT, "dir/config.json: not valid JSON");
    add_text(&fs, "dir", "no GGUF");
    refuse(&fs, HLM_E_FORMAT, "the magic is 'no G'");
}
END_TEST

START_TEST(side_files)
{
    const hlmi_mem mem = hlmi_mem_default();
    memfs fs = {.n = 0};
    hlmi_store *s;
    char *data;
    size_t len;
    add_text(&fs, "dir/config.json", "{}");
    add_text(&fs, "dir/tokenizer.json", "12345");
    const hlmi_vfs vfs = memfs_vfs(&fs, true);
    ck_assert_int_eq(hlmi_store_open(&s, &mem, &vfs, "dir", HLMI_STORE_SIDE_FILES), HLM_OK);
    ck_assert_uint_eq(hlmi_store_count(s), 0);
    ck_assert_int_eq(hlmi_store_side_file(s, "tokenizer.json", 5, &data, &len), HLM_OK);
    ck_assert_uint_eq(len, 5);
    ck_assert_str_eq(data, "12345");
    hlmi_free(&mem, data);
    ck_assert_int_eq(hlmi_store_side_file(s, "tokenizer.json", 4, &data, &len), HLM_E_FORMAT);
    ck_assert(!data && strstr(hlmi_error(), "dir/tokenizer.json: 5 bytes"));
    ck_assert_int_eq(hlmi_store_side_file(s, "merges.txt", 4, &data, &len), HLM_OK);
    ck_assert_ptr_null(data);
    ck_assert_int_eq(hlmi_store_side_file(s, "../dir/tokenizer.json", 9, &data, &len), HLM_E_FORMAT);
    hlmi_store_close(s);
    ck_assert_uint_eq(fs.open, 0);
    memfs_clear(&fs);
}
END_TEST

/* The system's own files, mapped and read. */
START_TEST(reads_from_disk)
{
    static const char *const names[] = {"gguf/ok_base.gguf", "hf/ok_index", "hf/ok_unordered"};
    const hlmi_mem mem = hlmi_mem_default();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (int map = 0; map < 2; map++) {
            char path[512], *buf = malloc(1 << 16);
            hlmi_vfs vfs;
            hlmi_store *s;
            const uint8_t *p;
            snprintf(path, sizeof path, "%s/%s", folder, names[i]);
            ck_assert_int_eq(hlmi_vfs_from(&vfs, NULL, map), HLM_OK);
            ck_assert_msg(hlmi_store_open(&s, &mem, &vfs, path, HLMI_STORE_MODEL) == HLM_OK, "%s", hlmi_error());
            ck_assert_uint_eq(hlmi_store_count(s), 20);
            for (size_t k = 0; k < 20; k++) {
                const hlmi_tensor *t = hlmi_store_at(s, k);
                ck_assert_int_eq(hlmi_store_read(s, t, 0, (size_t)t->bytes, buf, &p), HLM_OK);
                hlmi_store_drop(s, t, 0, t->bytes);
                ck_assert_int_eq(hlmi_store_mapped(s, t), map);
            }
            hlmi_store_close(s);
            free(buf);
        }
    }
}
END_TEST

/* ---- memory ---- */

typedef struct budget {
    size_t left, live;
} budget;

static void *budget_alloc(void *user, size_t size, size_t align)
{
    budget *b = user;
    if (b->left == 0) return NULL;
    void *p = aligned_alloc(align, (size + align - 1) / align * align);
    b->left--;
    b->live++;
    return p;
}

static void budget_free(void *user, void *p)
{
    ((budget *)user)->live--;
    free(p);
}

/* Opens with 0, 1, 2, ... allocations until it works; each failure is HLM_E_NOMEM and gives all back. */
static void starve(memfs *fs, const char *path, bool map)
{
    for (size_t k = 0;; k++) {
        budget b = {.left = k};
        const hlmi_mem mem = {&b, budget_alloc, budget_free};
        const hlmi_vfs vfs = memfs_vfs(fs, map);
        hlmi_store *s;
        const hlm_status st = hlmi_store_open(&s, &mem, &vfs, path, HLMI_STORE_MODEL);
        if (st == HLM_OK) hlmi_store_close(s);
        else
            ck_assert_msg(st == HLM_E_NOMEM && strstr(hlmi_error(), "out of memory"), "%zu allocations: %d %s", k, st,
                          hlmi_error());
        ck_assert_uint_eq(b.live, 0);
        ck_assert_uint_eq(fs->open, 0);
        if (st == HLM_OK) break;
    }
}

START_TEST(every_allocation_may_fail)
{
    static const uint64_t dims[] = {4, 4};
    memfs fs = {.n = 0};
    bytes b = {.n = 0};
    put_front(&b, 3, 1, 1);
    put_kv_string(&b, "k", "v");
    put_tensor(&b, "t", 2, dims, 0, 0);
    put_padding(&b, 32);
    for (size_t i = 0; i < 64; i++) put_le(&b, 0, 1);
    memfs_add(&fs, "m.gguf", b.data, b.n);
    add_text(&fs, "dir/config.json", "{\"limit\": Infinity}");
    add_text(&fs, "dir/model.safetensors.index.json", "{\"weight_map\":{\"b\":\"two\",\"a\":\"one\"}}");
    add_shard(&fs, "dir/one", "a");
    add_shard(&fs, "dir/two", "b");
    for (int map = 0; map < 2; map++) {
        starve(&fs, "m.gguf", map);
        starve(&fs, "dir", map);
    }
    memfs_clear(&fs);
    free(b.data);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {reads_a_single_file, refuses_every_truncation, refuses_bad_headers,
                                  reads_shards,        refuses_bad_indices,      refuses_bad_folders,
                                  side_files,          reads_from_disk,          every_allocation_may_fail};
    if (argc > 1) folder = argv[1];
    return suite_run("store", tests, sizeof tests / sizeof *tests);
}
