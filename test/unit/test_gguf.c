/* The tensor store over GGUF files: what it reads, and what it refuses with which words. test_gguf FOLDER, by default
 * test/data/hostile. */
#include <stdio.h>

#include "unit/gguf_bytes.h"
#include "unit/memfs.h"
#include "unit/suite.h"
#include "weights/store.h"

static const char *folder = "test/data/hostile";

static hlm_status open_bytes(hlmi_store **s, memfs *fs, const bytes *b, bool map)
{
    const hlmi_mem mem = hlmi_mem_default();
    memfs_clear(fs);
    memfs_add(fs, "m.gguf", b->data, b->n);
    const hlmi_vfs vfs = memfs_vfs(fs, map);
    return hlmi_store_open(s, &mem, &vfs, "m.gguf", HLMI_STORE_MODEL);
}

/* What asking for the tensors says; a store with one that can not be used is closed. */
static hlm_status ask_for_all(hlmi_store **s, hlm_status st)
{
    for (size_t i = 0; st == HLM_OK && i < hlmi_store_count(*s); i++) st = hlmi_store_usable(*s, hlmi_store_at(*s, i));
    if (st == HLM_OK || !*s) return st;
    hlmi_store_close(*s);
    *s = NULL;
    return st;
}

/* Both modes refuse b with that status and a sentence that has the file's name and `words`. Frees b. */
static void refuse(bytes *b, hlm_status status, const char *words)
{
    memfs fs = {.n = 0};
    for (int map = 0; map < 2; map++) {
        hlmi_store *s;
        const hlm_status st = ask_for_all(&s, open_bytes(&s, &fs, b, map));
        ck_assert_msg(st == status && !s, "expected %d with '%s', status %d", status, words, st);
        ck_assert_msg(strstr(hlmi_error(), "m.gguf") && strstr(hlmi_error(), words), "'%s' lacks '%s'", hlmi_error(),
                      words);
        ck_assert_uint_eq(fs.open, 0);
    }
    memfs_clear(&fs);
    free(b->data);
    *b = (bytes){.n = 0};
}

/* A small right file with a setting of every type; `items` strings make its settings long. */
static bytes sample(uint32_t version, uint32_t alignment, size_t items)
{
    static const uint64_t matrix[] = {32, 3}, vector[] = {5};
    bytes b = {.n = 0};
    put_front(&b, version, 2, 17);
    put_kv(&b, "u8", 0, 200, 1);
    put_kv(&b, "i8", 1, 0x80, 1);
    put_kv(&b, "u16", 2, 65535, 2);
    put_kv(&b, "i16", 3, 0x8000, 2);
    put_kv(&b, "u32", 4, 4000000000u, 4);
    put_kv(&b, "i32", 5, 0xFFFFFFFFu, 4);
    put_kv(&b, "f32", 6, 0x3FC00000u, 4);
    put_kv(&b, "bool", 7, 1, 1);
    put_kv_string(&b, "string", "h\xC3\xA9");
    put_kv(&b, "u64", 10, UINT64_MAX, 8);
    put_kv(&b, "i64", 11, (uint64_t)INT64_MIN, 8);
    put_kv(&b, "f64", 12, 0x4008000000000000u, 8);
    put_kv(&b, "general.alignment", 4, alignment, 4);
    put_kv_array(&b, "floats", 6, 2);
    put_le(&b, 0x3F800000u, 4);
    put_le(&b, 0xC0000000u, 4);
    put_kv_array(&b, "strings", 8, items);
    for (size_t i = 0; i < items; i++) put_string(&b, i % 2 ? "odd" : "");
    put_kv_array(&b, "none", 4, 0);
    put_kv_string(&b, "last", "z");
    put_tensor(&b, "w", 2, matrix, 2, 0);
    put_tensor(&b, "v", 1, vector, 0, (54 + alignment - 1) / alignment * alignment);
    put_padding(&b, alignment);
    for (size_t i = 0; i < 54; i++) put_le(&b, i, 1);
    put_padding(&b, alignment);
    for (size_t i = 0; i < 20; i++) put_le(&b, 100 + i, 1);
    put_padding(&b, alignment);
    return b;
}

static void check_numbers(const hlmi_store *s)
{
    static const struct {
        const char *key;
        int64_t value;
    } whole[] = {{"u8", 200}, {"i8", -128}, {"u16", 65535}, {"i16", -32768},   {"u32", 4000000000},
                 {"i32", -1}, {"bool", 1},  {"f64", 3},     {"i64", INT64_MIN}};
    int64_t i = 0;
    double d = 0;
    for (size_t k = 0; k < sizeof whole / sizeof *whole; k++) {
        const hlmi_kv *kv = hlmi_store_kv(s, whole[k].key);
        ck_assert_msg(hlmi_kv_i64(kv, 0, &i) && i == whole[k].value, "%s", whole[k].key);
        ck_assert(hlmi_kv_f64(kv, 0, &d) && d == (double)whole[k].value);
        ck_assert(!hlmi_kv_i64(kv, 1, &i) && !hlmi_kv_f64(kv, 1, &d));
    }
    ck_assert(!hlmi_kv_i64(hlmi_store_kv(s, "u64"), 0, &i));
    ck_assert(hlmi_kv_f64(hlmi_store_kv(s, "u64"), 0, &d) && d == 0x1p64);
    ck_assert(!hlmi_kv_i64(hlmi_store_kv(s, "f32"), 0, &i));
    ck_assert(hlmi_kv_f64(hlmi_store_kv(s, "f32"), 0, &d) && d == 1.5);
    const hlmi_kv *floats = hlmi_store_kv(s, "floats");
    ck_assert(floats->type == HLMI_KV_ARRAY && floats->item == HLMI_KV_F32 && floats->count == 2 && floats->bytes == 8);
    ck_assert(hlmi_kv_f64(floats, 1, &d) && d == -2.0 && hlmi_kv_i64(floats, 1, &i) && i == -2);
    ck_assert(!hlmi_kv_f64(floats, 2, &d));
    ck_assert(!hlmi_kv_i64(hlmi_store_kv(s, "none"), 0, &i));
    ck_assert(!hlmi_kv_i64(hlmi_store_kv(s, "string"), 0, &i) && !hlmi_kv_f64(hlmi_store_kv(s, "strings"), 0, &d));
    ck_assert_ptr_null(hlmi_store_kv(s, "U8"));
    ck_assert(!hlmi_kv_i64(NULL, 0, &i) && !hlmi_kv_f64(NULL, 0, &d));
}

static void check_strings(const hlmi_store *s, size_t items)
{
    const char *text;
    size_t len, at = 0, n = 0;
    ck_assert(hlmi_kv_next_string(hlmi_store_kv(s, "string"), &at, &text, &len) && len == 3 &&
              memcmp(text, "h\xC3\xA9", 3) == 0);
    ck_assert(!hlmi_kv_next_string(hlmi_store_kv(s, "string"), &at, &text, &len));
    for (at = 0; hlmi_kv_next_string(hlmi_store_kv(s, "strings"), &at, &text, &len); n++)
        if (n % 2 ? len != 3 || memcmp(text, "odd", 3) != 0 : len != 0) ck_abort_msg("string %zu", n);
    ck_assert_uint_eq(n, items);
    at = 0;
    ck_assert(!hlmi_kv_next_string(hlmi_store_kv(s, "floats"), &at, &text, &len));
    ck_assert(!hlmi_kv_next_string(NULL, &at, &text, &len));
    ck_assert(hlmi_kv_next_string(hlmi_store_kv(s, "last"), &at, &text, &len) && len == 1 && *text == 'z');
}

static void check_tensors(const hlmi_store *s, bool map)
{
    unsigned char buf[54];
    const uint8_t *p = NULL;
    const hlmi_tensor *w = hlmi_store_find(s, "w"), *v = hlmi_store_find(s, "v");
    ck_assert(w && v && !hlmi_store_find(s, "x") && !hlmi_store_find(s, ""));
    ck_assert_uint_eq(hlmi_store_count(s), 2);
    ck_assert_ptr_eq(hlmi_store_at(s, 0), w);
    ck_assert_ptr_null(hlmi_store_at(s, 2));
    ck_assert(w->type == HLMI_Q4_0 && w->n_dims == 2 && w->dims[0] == 3 && w->dims[1] == 32 && w->bytes == 54);
    ck_assert(v->type == HLMI_F32 && v->n_dims == 1 && v->dims[0] == 5 && v->bytes == 20);
    ck_assert_int_eq(hlmi_store_read(s, w, 0, 54, buf, &p), HLM_OK);
    for (unsigned i = 0; i < 54; i++) ck_assert_uint_eq(p[i], i);
    ck_assert_int_eq(hlmi_store_read(s, v, 19, 1, buf, &p), HLM_OK);
    ck_assert_uint_eq(*p, 119);
    ck_assert_int_eq(hlmi_store_read(s, v, 20, 0, buf, &p), HLM_OK);
    ck_assert_int_eq(hlmi_store_read(s, v, 20, 1, buf, &p), HLM_E_ARG);
    ck_assert_int_eq(hlmi_store_read(s, v, UINT64_MAX, 2, buf, &p), HLM_E_ARG);
    ck_assert_int_eq(hlmi_store_mapped(s, w), map);
    hlmi_store_drop(s, w, 0, w->bytes);
    hlmi_store_drop(s, w, 1, UINT64_MAX);
}

START_TEST(reads_what_was_written)
{
    static const uint32_t alignments[] = {1, 8, 32, 4096};
    static const size_t items[] = {0, 3, 20000};
    memfs fs = {.n = 0};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 3; j++) {
            for (int map = 0; map < 2; map++) {
                bytes b = sample(2 + i % 2, alignments[i], items[j]);
                hlmi_store *s;
                ck_assert_msg(open_bytes(&s, &fs, &b, map) == HLM_OK, "%s", hlmi_error());
                ck_assert_int_eq(hlmi_store_dialect(s), HLMI_GGUF);
                ck_assert_str_eq(hlmi_store_path(s), "m.gguf");
                ck_assert_uint_eq(hlmi_store_bytes(s), b.n);
                ck_assert_ptr_null(hlmi_store_config(s));
                check_numbers(s);
                check_strings(s, items[j]);
                check_tensors(s, map);
                hlmi_store_close(s);
                free(b.data);
            }
        }
    }
    ck_assert_uint_eq(fs.open, 0);
    memfs_clear(&fs);
}
END_TEST

static bytes load(const char *name)
{
    char path[512];
    bytes b = {.n = 0};
    snprintf(path, sizeof path, "%s/gguf/%s.gguf", folder, name);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s is missing", path);
    for (int c; (c = getc(f)) != EOF;) put_le(&b, (unsigned)c, 1);
    fclose(f);
    return b;
}

/* Every length short of the whole is refused, and the sentence names a field. */
static void check_truncations(bytes *b)
{
    static const char *const fields[] = {"magic",    "version", "number of", "key of a setting",
                                         "value of", "tensor",  "data"};
    memfs fs = {.n = 0};
    const size_t whole = b->n;
    for (b->n = 0; b->n < whole; b->n++) {
        for (int map = 0; map < 2; map++) {
            hlmi_store *s;
            bool named = false;
            if (open_bytes(&s, &fs, b, map) != HLM_E_FORMAT)
                ck_abort_msg("%zu of %zu bytes were not refused", b->n, whole);
            for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
                named |= strstr(hlmi_error(), fields[i]) != NULL;
            if (!named || !strstr(hlmi_error(), "m.gguf: "))
                ck_abort_msg("%zu bytes: '%s' names no field", b->n, hlmi_error());
        }
    }
    ck_assert_uint_eq(fs.open, 0);
    memfs_clear(&fs);
    free(b->data);
}

START_TEST(refuses_every_truncation)
{
    bytes b = sample(3, 32, 3), c = load("ok_base");
    check_truncations(&b);
    check_truncations(&c);
}
END_TEST

START_TEST(refuses_hostile_files)
{
    static const struct {
        const char *name, *words;
        hlm_status status;
    } cases[] = {
        {"align_type", "general.alignment", HLM_E_FORMAT},
        {"align_zero", "general.alignment is 0", HLM_E_FORMAT},
        {"cut_1", "'blk.1.ffn_down.weight'", HLM_E_FORMAT},
        {"h_n_tensors_max", "number of tensors", HLM_E_FORMAT},
        {"h_n_tensors_plus1", "name of a tensor", HLM_E_FORMAT},
        {"h_version1", "version 1", HLM_E_UNSUPPORTED},
        {"kv_arr_len_1g", "value of 'x'", HLM_E_FORMAT},
        {"kv_arr_nested_6000", "array of arrays", HLM_E_UNSUPPORTED},
        {"kv_key_dup", "'general.architecture'", HLM_E_FORMAT},
        {"kv_str_len_4g", "value of 'x'", HLM_E_FORMAT},
        {"t_block_remainder", "multiple of 32", HLM_E_FORMAT},
        {"t_dim_wrap", "'blk.0.attn_q.weight'", HLM_E_FORMAT},
        {"t_off_unaligned", "alignment 32", HLM_E_FORMAT},
        {"t_off_wrap", "offset 18446744073709551584", HLM_E_FORMAT},
        {"t_size_pad_wrap", "'output_norm.weight'", HLM_E_FORMAT},
        {"t_type_removed", "q4_2", HLM_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes b = load(cases[i].name);
        refuse(&b, cases[i].status, cases[i].words);
    }
    hlmi_store *s;
    memfs fs = {.n = 0};
    bytes b = load("ok_tensors_reversed");
    ck_assert_msg(open_bytes(&s, &fs, &b, true) == HLM_OK, "%s", hlmi_error());
    hlmi_store_close(s);
    memfs_clear(&fs);
    free(b.data);
}
END_TEST

/* One tensor of that type with one row of 256; the file is long enough for any. */
static bytes one_tensor(const char *name, uint32_t n_dims, const uint64_t *dims, uint32_t type, uint64_t offset)
{
    bytes b = {.n = 0};
    put_front(&b, 3, 1, 0);
    put_tensor(&b, name, n_dims, dims, type, offset);
    put_padding(&b, 32);
    for (size_t i = 0; i < 4096; i++) put_le(&b, 0, 1);
    return b;
}

START_TEST(refuses_types_by_name)
{
    static const struct {
        uint32_t number;
        const char *name;
    } types[] = {{4, "q4_2"},      {5, "q4_3"},        {31, "q4_0_4_4"},      {33, "q4_0_8_8"},
                 {36, "iq4_nl_4"}, {38, "iq4_nl_8_8"}, {43, "no known name"}, {UINT32_MAX, "4294967295"}};
    const uint64_t dims[] = {256};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        bytes b = one_tensor("t", 1, dims, types[i].number, 0);
        refuse(&b, HLM_E_UNSUPPORTED, types[i].name);
    }
}
END_TEST

START_TEST(refuses_bad_tensors)
{
    static const uint64_t row[] = {32}, none[] = {0}, huge[] = {1, UINT64_MAX}, wrap[] = {32, 1ull << 58, 2, 2},
                          five[] = {1, 1, 1, 1, 2};
    bytes b = one_tensor("t", 0, row, 0, 0);
    refuse(&b, HLM_E_FORMAT, "'t': 0 dimensions");
    b = one_tensor("t", 5, five, 0, 0);
    refuse(&b, HLM_E_FORMAT, "'t': 5 dimensions");
    b = one_tensor("t", 1, none, 0, 0);
    refuse(&b, HLM_E_FORMAT, "'t': a dimension is 0");
    b = one_tensor("t", 2, huge, 0, 0);
    refuse(&b, HLM_E_FORMAT, "'t': a dimension is 18446744073709551615");
    b = one_tensor("t", 4, wrap, 0, 0);
    refuse(&b, HLM_E_FORMAT, "more bytes than the file");
    b = one_tensor("", 1, row, 0, 0);
    refuse(&b, HLM_E_FORMAT, "name of a tensor");
    b = one_tensor("a\nb", 1, row, 0, 4096 - 96);
    refuse(&b, HLM_E_FORMAT, "'a\\x0Ab'");
    put_front(&b, 3, 2, 0);
    put_tensor(&b, "t", 1, row, 0, 0);
    put_tensor(&b, "t", 1, row, 0, 128);
    put_padding(&b, 32);
    for (size_t i = 0; i < 256; i++) put_le(&b, 0, 1);
    refuse(&b, HLM_E_FORMAT, "'t' is there twice");
    put_front(&b, 3, 2, 0);
    put_tensor(&b, "t", 1, row, 0, 0);
    put_tensor(&b, "u", 1, row, 0, 96);
    put_padding(&b, 32);
    for (size_t i = 0; i < 256; i++) put_le(&b, 0, 1);
    refuse(&b, HLM_E_FORMAT, "'u' begins at byte");
}
END_TEST

/* Dimensions of one behind the others are none: 2 stay, so that a matrix of one row is one. */
START_TEST(drops_dimensions_of_one)
{
    static const struct {
        uint32_t n;
        uint64_t dims[16];
        uint32_t kept;
        uint64_t rows, cols;
    } cases[] = {{1, {32}, 1, 0, 32},
                 {2, {32, 1}, 2, 1, 32},
                 {3, {32, 1, 1}, 2, 1, 32},
                 {3, {32, 3, 1}, 2, 3, 32},
                 {4, {32, 3, 1, 1}, 2, 3, 32},
                 {6, {32, 3, 1, 1, 1, 1}, 2, 3, 32},
                 {4, {1, 1, 1, 1}, 2, 1, 1},
                 {3, {1, 1, 5}, 3, 1, 1},
                 {16, {7, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 2, 2, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memfs fs = {.n = 0};
        hlmi_store *s;
        bytes b = one_tensor("t", cases[i].n, cases[i].dims, 0, 0);
        ck_assert_msg(open_bytes(&s, &fs, &b, true) == HLM_OK, "%s", hlmi_error());
        const hlmi_tensor *t = hlmi_store_at(s, 0);
        ck_assert_int_eq(hlmi_store_usable(s, t), HLM_OK);
        ck_assert_uint_eq(t->n_dims, cases[i].kept);
        ck_assert_uint_eq(t->dims[t->n_dims - 1], cases[i].cols);
        if (t->n_dims > 1) ck_assert_uint_eq(t->dims[t->n_dims - 2], cases[i].rows);
        hlmi_store_close(s);
        memfs_clear(&fs);
        free(b.data);
    }
    uint64_t many[17];
    for (size_t i = 0; i < 17; i++) many[i] = 1;
    bytes b = one_tensor("t", 17, many, 0, 0);
    refuse(&b, HLM_E_FORMAT, "'t': 17 dimensions");
}
END_TEST

/* A file without tensors, and with nothing behind its settings: nothing is read or added up that is not there
 * (UBSan). */
START_TEST(opens_without_tensors)
{
    for (int padded = 0; padded < 2; padded++) {
        memfs fs = {.n = 0};
        hlmi_store *s;
        bytes b = {.n = 0};
        put_front(&b, 3, 0, 0);
        if (padded) put_padding(&b, 32);
        for (int map = 0; map < 2; map++) {
            ck_assert_msg(open_bytes(&s, &fs, &b, map) == HLM_OK, "%s", hlmi_error());
            ck_assert_uint_eq(hlmi_store_count(s), 0);
            ck_assert_ptr_null(hlmi_store_find(s, "t"));
            ck_assert_ptr_null(hlmi_store_at(s, 0));
            ck_assert_ptr_null(hlmi_store_kv(s, "k"));
            ck_assert_ptr_null(hlmi_store_kv_at(s, 0));
            hlmi_store_close(s);
        }
        memfs_clear(&fs);
        free(b.data);
    }
}
END_TEST

/* ---- split files ---- */

typedef struct part_kvs {
    int64_t no, count, tensors; /* -1: the setting is not there */
    const char *extra; /* another setting, or NULL */
} part_kvs;

/* One part: its settings, and tensors [32] with those names, filled with the first letter. */
static void add_part(memfs *fs, const char *path, part_kvs k, const char *const *names, size_t n)
{
    static const uint64_t dims[] = {8};
    bytes b = {.n = 0};
    put_front(&b, 3, n, (uint64_t)((k.no >= 0) + (k.count >= 0) + (k.tensors >= 0) + (k.extra != NULL)));
    if (k.no >= 0) put_kv(&b, "split.no", 2, (uint64_t)k.no, 2);
    if (k.count >= 0) put_kv(&b, "split.count", 2, (uint64_t)k.count, 2);
    if (k.tensors >= 0) put_kv(&b, "split.tensors.count", 5, (uint64_t)k.tensors, 4);
    if (k.extra) put_kv_string(&b, "x", k.extra);
    for (size_t i = 0; i < n; i++) put_tensor(&b, names[i], 1, dims, 0, 32 * i);
    put_padding(&b, 32);
    for (size_t i = 0; i < 32 * n; i++) put_le(&b, (unsigned char)names[i / 32][0], 1);
    memfs_add(fs, path, b.data, b.n);
    free(b.data);
}

static const char *const part_names[3][2] = {{"a", "b"}, {"c", NULL}, {"d", "e"}};
static const size_t part_sizes[3] = {2, 1, 2};

/* d/m-00001-of-00003.gguf and its like; `wrong` [3] in place of what part i says. */
static void add_split(memfs *fs, const part_kvs *wrong)
{
    for (int i = 0; i < 3; i++) {
        char path[40];
        const part_kvs right = {i, 3, 5, i ? NULL : "s"};
        snprintf(path, sizeof path, "d/m-%05d-of-00003.gguf", i + 1);
        add_part(fs, path, wrong ? wrong[i] : right, part_names[i], part_sizes[i]);
    }
}

static hlm_status open_split(hlmi_store **s, memfs *fs, const char *path, bool map, hlmi_content content)
{
    const hlmi_mem mem = hlmi_mem_default();
    const hlmi_vfs vfs = memfs_vfs(fs, map);
    return hlmi_store_open(s, &mem, &vfs, path, content);
}

START_TEST(joins_the_parts_of_a_split_file)
{
    static const char *const paths[] = {"d/m-00001-of-00003.gguf", "d/m-00002-of-00003.gguf",
                                        "d/m-00003-of-00003.gguf"};
    memfs fs = {.n = 0};
    hlmi_store *s;
    add_split(&fs, NULL);
    for (int k = 0; k < 6; k++) {
        const char *text;
        size_t len, at = 0;
        ck_assert_msg(open_split(&s, &fs, paths[k % 3], k < 3, HLMI_STORE_MODEL) == HLM_OK, "%s", hlmi_error());
        ck_assert_uint_eq(fs.open, 3);
        ck_assert_uint_eq(hlmi_store_count(s), 5);
        ck_assert_uint_eq(hlmi_store_bytes(s), fs.files[0].size + fs.files[1].size + fs.files[2].size);
        ck_assert(hlmi_kv_next_string(hlmi_store_kv(s, "x"), &at, &text, &len) && len == 1 && *text == 's');
        for (size_t q = 0; q < 5; q++) {
            const char *name = (const char *const[]){"a", "b", "c", "d", "e"}[q];
            unsigned char buf[32];
            const uint8_t *p;
            const hlmi_tensor *t = hlmi_store_find(s, name);
            ck_assert_msg(t && t->bytes == 32, "%s", name);
            ck_assert_int_eq(hlmi_store_read(s, t, 0, 32, buf, &p), HLM_OK);
            for (int i = 0; i < 32; i++) ck_assert_int_eq(p[i], *name);
        }
        hlmi_store_close(s);
        ck_assert_uint_eq(fs.open, 0);
        ck_assert_int_eq(open_split(&s, &fs, paths[k % 3], k < 3, HLMI_STORE_SIDE_FILES), HLM_OK);
        ck_assert_ptr_nonnull(hlmi_store_kv(s, "x"));
        hlmi_store_close(s);
    }
    memfs_clear(&fs);
}
END_TEST

/* The split is refused, from whichever part it is opened, with `words` in the sentence. Clears fs. */
static void refuse_split(memfs *fs, const char *const *paths, size_t n, hlm_status status, const char *words)
{
    hlmi_store *s;
    for (size_t k = 0; k < n; k++) {
        const hlm_status st = open_split(&s, fs, paths[k], k % 2, HLMI_STORE_MODEL);
        ck_assert_msg(st == status && strstr(hlmi_error(), words), "%s: '%s' lacks '%s', status %d", paths[k],
                      hlmi_error(), words, st);
        ck_assert_uint_eq(fs->open, 0);
    }
    memfs_clear(fs);
}

START_TEST(refuses_wrong_parts)
{
    static const char *const paths[] = {"d/m-00001-of-00003.gguf", "d/m-00002-of-00003.gguf",
                                        "d/m-00003-of-00003.gguf"};
    static const struct {
        part_kvs k[3];
        const char *words;
    } cases[] = {
        {{{0, 3, 5, "s"}, {2, 3, 5, NULL}, {2, 3, 5, NULL}}, "split.no"},
        {{{0, 3, 5, "s"}, {1, 4, 5, NULL}, {2, 3, 5, NULL}}, "split.count"},
        {{{0, 3, 5, "s"}, {1, 3, 5, NULL}, {2, 3, 6, NULL}}, "split.tensors.count"},
        {{{0, 3, 6, "s"}, {1, 3, 6, NULL}, {2, 3, 6, NULL}}, "split.tensors.count is 6, the 3 parts have 5"},
        {{{0, 3, -1, "s"}, {1, 3, 5, NULL}, {2, 3, 5, NULL}}, "split.tensors.count is missing"},
        {{{0, 3, 5, "s"}, {1, 3, 5, "t"}, {2, 3, 5, NULL}}, "setting 'x'"},
        {{{0, 3, 5, "s"}, {-1, 3, 5, NULL}, {2, 3, 5, NULL}}, "split.no"},
        {{{3, 3, 5, "s"}, {1, 3, 5, NULL}, {2, 3, 5, NULL}}, "split.no is 3"},
        {{{0, 9999, 5, "s"}, {1, 3, 5, NULL}, {2, 3, 5, NULL}}, "split.count is 9999"},
    };
    memfs fs = {.n = 0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        add_split(&fs, cases[i].k);
        refuse_split(&fs, paths, 1, HLM_E_FORMAT, cases[i].words);
    }
    add_split(&fs, NULL); /* a part that is not there is named */
    fs.files[1].path[0] = 'X';
    refuse_split(&fs, paths, 1, HLM_E_IO, "part 2 of 3: d/m-00002-of-00003.gguf");
    add_split(&fs, NULL);
    fs.files[0].path[0] = 'X';
    refuse_split(&fs, paths + 1, 2, HLM_E_IO, "part 1 of 3: d/m-00001-of-00003.gguf");
    add_split(&fs, NULL); /* a tensor that two parts have */
    fs.n = 2;
    free(fs.files[2].data);
    const part_kvs third = {2, 3, 5, NULL};
    static const char *const again[] = {"d", "a"};
    add_part(&fs, paths[2], third, again, 2);
    refuse_split(&fs, paths, 3, HLM_E_FORMAT, "'a' is there twice");
    add_split(&fs, NULL); /* a name by which no others can be found */
    strcpy(fs.files[0].path, "d/first.gguf");
    static const char *const renamed[] = {"d/first.gguf"};
    refuse_split(&fs, renamed, 1, HLM_E_UNSUPPORTED, "-00001-of-00003.gguf");
    add_split(&fs, NULL); /* and one of another split */
    strcpy(fs.files[0].path, "d/m-00001-of-00002.gguf");
    static const char *const other[] = {"d/m-00001-of-00002.gguf"};
    refuse_split(&fs, other, 1, HLM_E_UNSUPPORTED, "split.count is 3");
    add_split(&fs, NULL);
    memcpy(fs.files[1].data, "GGML", 4);
    refuse_split(&fs, paths, 1, HLM_E_FORMAT, "magic");
}
END_TEST

START_TEST(refuses_bad_fronts)
{
    bytes b = {.n = 0};
    put_front(&b, 0, 0, 0);
    refuse(&b, HLM_E_UNSUPPORTED, "version 0");
    put_front(&b, 4, 0, 0);
    refuse(&b, HLM_E_UNSUPPORTED, "version 4");
    put_front(&b, 0x03000000, 0, 0);
    refuse(&b, HLM_E_UNSUPPORTED, "big-endian");
    put_front(&b, 3, 0, UINT64_MAX);
    refuse(&b, HLM_E_FORMAT, "number of settings is 18446744073709551615");
    put_front(&b, 3, 0, 1);
    put_kv(&b, "k", 13, 0, 8);
    refuse(&b, HLM_E_FORMAT, "value of 'k' has the unknown type 13");
    put_front(&b, 3, 0, 1);
    put_kv_array(&b, "k", 13, 0);
    refuse(&b, HLM_E_FORMAT, "value of 'k' is an array of the unknown type 13");
    put_front(&b, 3, 0, 1);
    put_kv_array(&b, "k", 12, UINT64_MAX / 8 + 2);
    refuse(&b, HLM_E_FORMAT, "value of 'k' has 2305843009213693953 items");
    put_front(&b, 3, 0, 1);
    put_kv(&b, "general.alignment", 4, 48, 4);
    refuse(&b, HLM_E_FORMAT, "general.alignment is 48");
    put_front(&b, 3, 0, 1);
    put_le(&b, 3, 8);
    put(&b, "a\0b", 3);
    put_le(&b, 0, 16);
    refuse(&b, HLM_E_FORMAT, "zero byte: 'a\\x00b'");
    put_front(&b, 3, 0, 1);
    put_kv(&b, "split.count", 2, 3, 2);
    refuse(&b, HLM_E_FORMAT, "split.count is 3, split.no is missing");
    put(&b, "GGML", 4);
    refuse(&b, HLM_E_FORMAT, "magic");
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {reads_what_was_written,  refuses_every_truncation, refuses_hostile_files,
                                  refuses_types_by_name,   refuses_bad_tensors,      refuses_bad_fronts,
                                  drops_dimensions_of_one, opens_without_tensors,    joins_the_parts_of_a_split_file,
                                  refuses_wrong_parts};
    if (argc > 1) folder = argv[1];
    return suite_run("gguf", tests, sizeof tests / sizeof *tests);
}
