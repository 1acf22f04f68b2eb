/* What torch.save writes, opened as a folder's weights: tensors in zip files and in old ones, and everything about them
 * that is refused. */
#include <stdio.h>

#include "unit/memfs.h"
#include "unit/suite.h"
#include "unit/torch_bytes.h"
#include "weights/store.h"

static hlm_status open_fs(hlmi_store **s, memfs *fs, const hlmi_mem *mem, bool map)
{
    const hlmi_vfs vfs = memfs_vfs(fs, map);
    return hlmi_store_open(s, mem, &vfs, "d", HLMI_STORE_MODEL);
}

static void add_weights(memfs *fs, const bytes *b)
{
    memfs_add(fs, "d/config.json", "{}", 2);
    memfs_add(fs, "d/pytorch_model.bin", b->data, b->n);
}

/* Both modes refuse the file, which becomes empty, with that status, its name and `words`. */
static void refuse(bytes *b, hlm_status status, const char *words)
{
    const hlmi_mem mem = hlmi_mem_default();
    memfs fs = {.n = 0};
    add_weights(&fs, b);
    for (int map = 0; map < 2; map++) {
        hlmi_store *s;
        hlm_status st = open_fs(&s, &fs, &mem, map);
        for (size_t i = 0; st == HLM_OK && i < hlmi_store_count(s); i++) st = hlmi_store_usable(s, hlmi_store_at(s, i));
        hlmi_store_close(s);
        ck_assert_msg(st == status, "expected %d with '%s', status %d: %s", status, words, st, hlmi_error());
        ck_assert_msg(strstr(hlmi_error(), words) && strstr(hlmi_error(), "d/pytorch_model.bin: "), "'%s' lacks '%s'",
                      hlmi_error(), words);
        ck_assert_uint_eq(fs.open, 0);
    }
    memfs_clear(&fs);
    free(b->data);
    *b = (bytes){.n = 0};
}

/* ---- what is read ---- */

static const uint8_t numbers[24] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};
static const view a = {"FloatStorage", "0", 6, 0, 2, {2, 3}, {3, 1}};
static const view tied = {"FloatStorage", "0", 6, 0, 2, {2, 3}, {3, 1}};
static const view part = {"FloatStorage", "0", 6, 2, 3, {1, 3, 1}, {99, 1, 7}};
static const view half = {"HalfStorage", "h/x", 2, 1, 0, {0}, {0}};
static const view none = {"LongStorage", "e", 0, 0, 2, {0, 5}, {5, 1}};

/* A dict of these tensors, with attributes, inside another, as a training leaves them. */
static void put_state(bytes *b)
{
    PUT(b, "\x80\x02}q\0(");
    put_unicode(b, "epoch");
    PUT(b, "K\3");
    put_unicode(b, "lr");
    PUT(b, "G?\xF0\0\0\0\0\0\0");
    put_unicode(b, "hooks");
    PUT(b, "N");
    put_unicode(b, "done");
    PUT(b, "\x88");
    put_unicode(b, "list");
    PUT(b, "](J\xFF\xFF\xFF\xFFM\0\1e");
    put_unicode(b, "model");
    PUT(b, "ccollections\nOrderedDict\nq\1)Rq\2(");
    put_unicode(b, "a");
    put_view(b, &a);
    put_unicode(b, "tied");
    PUT(b, "ctorch._utils\n_rebuild_parameter\n");
    put_view(b, &tied);
    PUT(b, "\x88h\1)R\x87R");
    put_unicode(b, "part");
    put_view(b, &part);
    put_unicode(b, "half");
    put_view(b, &half);
    put_unicode(b, "none");
    put_view(b, &none);
    PUT(b, "u}");
    put_unicode(b, "_metadata");
    PUT(b, "h\1)Rsbu.");
}

static void put_archive(bytes *b, const bytes *pickle, unsigned how)
{
    const member members[] = {{"m/data.pkl", pickle->data, pickle->n},
                              {"m/byteorder", "little", 6},
                              {"m/data/0", numbers, 24},
                              {"m/data/h/x", numbers, 4},
                              {"m/data/e", numbers, 0},
                              {"m/version", "3\n", 2}};
    put_zip(b, members, sizeof members / sizeof *members, how);
}

static const char front[] = "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\x02M\xE9\x03.";

static void put_old(bytes *b, const bytes *pickle)
{
    PUT(b, front);
    PUT(b, "\x80\x02}q\0(U\x0Dlittle_endianq\1\x88X\4\0\0\0sizeK\1u.");
    put(b, pickle->data, pickle->n);
    PUT(b,
        "\x80\x02]q\0(U\1"
        "0U\1eU\3h/xe.");
    put_le(b, 6, 8);
    put(b, numbers, 24);
    put_le(b, 0, 8);
    put_le(b, 2, 8);
    put(b, numbers, 4);
}

static void check_tensor(const hlmi_store *s, const char *name, const hlmi_tensor *want, const uint8_t *data)
{
    uint8_t buf[24];
    const uint8_t *p = NULL;
    const hlmi_tensor *t = hlmi_store_find(s, name);
    ck_assert_msg(t != NULL, "%s", name);
    ck_assert_int_eq(hlmi_store_usable(s, t), HLM_OK);
    ck_assert(t->type == want->type && t->n_dims == want->n_dims && t->bytes == want->bytes);
    for (uint32_t i = 0; i < t->n_dims; i++) ck_assert_uint_eq(t->dims[i], want->dims[i]);
    ck_assert_int_eq(hlmi_store_read(s, t, 0, (size_t)t->bytes, buf, &p), HLM_OK);
    ck_assert_mem_eq(p, data, t->bytes);
}

static void check_state(const bytes *b)
{
    const hlmi_mem mem = hlmi_mem_default();
    memfs fs = {.n = 0};
    add_weights(&fs, b);
    for (int map = 0; map < 2; map++) {
        hlmi_store *s;
        ck_assert_msg(open_fs(&s, &fs, &mem, map) == HLM_OK, "%s", hlmi_error());
        ck_assert_uint_eq(hlmi_store_count(s), 5);
        check_tensor(s, "a", &(hlmi_tensor){.type = HLMI_F32, .n_dims = 2, .dims = {2, 3}, .bytes = 24}, numbers);
        check_tensor(s, "tied", &(hlmi_tensor){.type = HLMI_F32, .n_dims = 2, .dims = {2, 3}, .bytes = 24}, numbers);
        check_tensor(s, "part", &(hlmi_tensor){.type = HLMI_F32, .n_dims = 3, .dims = {1, 3, 1}, .bytes = 12},
                     numbers + 8);
        check_tensor(s, "half", &(hlmi_tensor){.type = HLMI_F16, .n_dims = 1, .dims = {1}, .bytes = 2}, numbers + 2);
        check_tensor(s, "none", &(hlmi_tensor){.type = HLMI_I64, .n_dims = 2, .dims = {0, 5}}, numbers);
        hlmi_store_close(s);
        ck_assert_uint_eq(fs.open, 0);
    }
    memfs_clear(&fs);
}

START_TEST(reads_what_torch_saves)
{
    static const unsigned ways[] = {0, ZIP64, COMMENT, ODD, ZIP64 | COMMENT | ODD};
    bytes pickle = {.n = 0}, b = {.n = 0};
    put_state(&pickle);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        b.n = 0;
        put_archive(&b, &pickle, ways[i]);
        check_state(&b);
    }
    b.n = 0;
    put_old(&b, &pickle);
    check_state(&b);
    free(pickle.data);
    free(b.data);
}
END_TEST

/* Protocol 4: a frame, short strings, names from the stack, the memo without numbers. */
START_TEST(reads_protocol_4)
{
    bytes pickle = {.n = 0}, b = {.n = 0};
    const hlmi_mem mem = hlmi_mem_default();
    memfs fs = {.n = 0};
    hlmi_store *s;
    PUT(&pickle,
        "\x80\x04\x95\x10\0\0\0\0\0\0\0\x8C\x0B"
        "collections\x94\x8C\x0BOrderedDict\x94\x93\x94)R\x94\x8D\1\0\0\0\0\0\0\0a\x94");
    put_view(&pickle, &a);
    PUT(&pickle, "s.");
    put_archive(&b, &pickle, 0);
    add_weights(&fs, &b);
    ck_assert_msg(open_fs(&s, &fs, &mem, true) == HLM_OK, "%s", hlmi_error());
    ck_assert(hlmi_store_count(s) == 1 && hlmi_store_find(s, "a")->bytes == 24);
    hlmi_store_close(s);
    memfs_clear(&fs);
    free(pickle.data);
    free(b.data);
}
END_TEST

START_TEST(reads_shards)
{
    static const char *const names[] = {"d/pytorch_model-00001-of-00002.bin", "d/pytorch_model-00002-of-00002.bin"};
    const hlmi_mem mem = hlmi_mem_default();
    memfs fs = {.n = 0};
    hlmi_store *s;
    static const char index[] = "{\"weight_map\":{\"a\":\"pytorch_model-00001-of-00002.bin\","
                                "\"b\":\"pytorch_model-00002-of-00002.bin\"}}";
    memfs_add(&fs, "d/config.json", "{}", 2);
    memfs_add(&fs, "d/pytorch_model.bin.index.json", index, sizeof index - 1);
    for (size_t i = 0; i < 2; i++) {
        bytes pickle = {.n = 0}, b = {.n = 0};
        PUT(&pickle, "\x80\x02}");
        put_unicode(&pickle, i ? "b" : "a");
        put_view(&pickle, &a);
        PUT(&pickle, "s.");
        put_archive(&b, &pickle, 0);
        memfs_add(&fs, names[i], b.data, b.n);
        free(pickle.data);
        free(b.data);
    }
    ck_assert_msg(open_fs(&s, &fs, &mem, true) == HLM_OK, "%s", hlmi_error());
    ck_assert(hlmi_store_find(s, "a")->source == 0 && hlmi_store_find(s, "b")->source == 1);
    hlmi_store_close(s);
    memfs_clear(&fs);
}
END_TEST

/* ---- what is refused ---- */

/* Cut off anywhere, the file and the pickle in it. */
START_TEST(refuses_every_truncation)
{
    bytes pickle = {.n = 0}, whole[2] = {{.n = 0}, {.n = 0}};
    put_state(&pickle);
    put_archive(&whole[0], &pickle, 0);
    put_old(&whole[1], &pickle);
    for (size_t k = 0; k < 2; k++) {
        for (size_t n = 0; n < whole[k].n; n++) {
            bytes b = {.n = 0};
            put(&b, whole[k].data, n);
            refuse(&b, HLM_E_FORMAT, "");
        }
        free(whole[k].data);
    }
    for (size_t n = pickle.n; n-- > 0;) {
        bytes b = {.n = 0};
        pickle.n = n;
        put_archive(&b, &pickle, 0);
        refuse(&b, HLM_E_FORMAT, n && n != 1 ? "whole" : "pickle");
    }
    free(pickle.data);
}
END_TEST

/* A pickle as the data.pkl of an archive, where it begins at byte 47. */
static void refuse_pickle(const void *p, size_t n, hlm_status status, const char *words)
{
    bytes pickle = {.n = 0}, b = {.n = 0};
    put(&pickle, p, n);
    put_archive(&b, &pickle, 0);
    refuse(&b, status, words);
    free(pickle.data);
}

#define CASE(pickle, status, words)           \
  {                                           \
    pickle, sizeof(pickle) - 1, status, words \
  }

START_TEST(runs_nothing)
{
    static const struct {
        const char *p;
        size_t n;
        hlm_status status;
        const char *words;
    } cases[] = {
        CASE("\x80\x02"
             "cos\nsystem\nX\2\0\0\0ls\x85R.",
             HLM_E_UNSUPPORTED, "opcode GLOBAL at byte 49, in a pickle, asks for 'system' of 'os'"),
        CASE("\x80\x04\x8C\2os\x8C\6system\x93", HLM_E_UNSUPPORTED,
             "opcode STACK_GLOBAL at byte 61, in a pickle, asks for"),
        CASE("ctorch\nload\n", HLM_E_UNSUPPORTED, "'load' of 'torch'"),
        CASE("ccollections\nOrderedDictx\n", HLM_E_UNSUPPORTED, "'OrderedDictx'"),
        CASE("c\n\n", HLM_E_UNSUPPORTED, "'' of ''"),
        CASE("(ios\nsystem\n.", HLM_E_UNSUPPORTED, "opcode INST at byte 48"),
        CASE("(o", HLM_E_UNSUPPORTED, "opcode OBJ at byte 48"),
        CASE(")\x81", HLM_E_UNSUPPORTED, "opcode NEWOBJ at byte 48"),
        CASE("\x92", HLM_E_UNSUPPORTED, "opcode NEWOBJ_EX"),
        CASE("\x82\1", HLM_E_UNSUPPORTED, "opcode EXT1"),
        CASE("\x83\1\1", HLM_E_UNSUPPORTED, "opcode EXT2"),
        CASE("\x84\1\1\1\1", HLM_E_UNSUPPORTED, "opcode EXT4"),
        CASE("Pid\n", HLM_E_UNSUPPORTED, "opcode PERSID"),
        CASE("I1\n", HLM_E_UNSUPPORTED, "opcode INT at"),
        CASE("\xFF", HLM_E_FORMAT, "0xFF, which is no opcode"),
        CASE("\x80\x06", HLM_E_FORMAT, "opcode PROTO at byte 47, in a pickle: only protocols 2 to 5"),
        CASE("\x80\x01", HLM_E_FORMAT, "protocols"),
        CASE("\x95\xFF\0\0\0\0\0\0\0", HLM_E_FORMAT, "opcode FRAME"),
        CASE(".", HLM_E_FORMAT, "opcode STOP at byte 47"),
        CASE("NN.", HLM_E_FORMAT, "opcode STOP at byte 49"),
        CASE("(.", HLM_E_FORMAT, "opcode STOP"),
        CASE("N.", HLM_E_FORMAT, "its pickle is None, expected a dict"),
        CASE("}NNs.", HLM_E_FORMAT, "a key of its dict is None"),
        CASE("}X\1\0\0\0aNs.", HLM_E_UNSUPPORTED, "tensor 'a': None, expected a tensor"),
        CASE("}X\1\0\0\0a]s.", HLM_E_UNSUPPORTED, "a list, expected a tensor"),
        CASE("}X\2\0\0\0a\0]s.", HLM_E_FORMAT, "zero byte"),
        CASE("h\0", HLM_E_FORMAT, "opcode BINGET at byte 47, in a pickle: the memo has no"),
        CASE("}q\1.", HLM_E_FORMAT, "opcode BINPUT at byte 48"),
        CASE("}r\xFF\xFF\xFF\xFF.", HLM_E_FORMAT, "opcode LONG_BINPUT"),
        CASE("}j\xFF\xFF\xFF\xFF.", HLM_E_FORMAT, "opcode LONG_BINGET"),
        CASE("q\0", HLM_E_FORMAT, "no value on the stack"),
        CASE("(q\0", HLM_E_FORMAT, "no value on the stack"),
        CASE("a", HLM_E_FORMAT, "opcode APPEND at"),
        CASE("}Na", HLM_E_FORMAT, "opcode APPEND at"),
        CASE("](a", HLM_E_FORMAT, "opcode APPEND at"),
        CASE("]Ne", HLM_E_FORMAT, "opcode APPENDS at"),
        CASE("(Ne", HLM_E_FORMAT, "opcode APPENDS at"),
        CASE("}(Nu", HLM_E_FORMAT, "opcode SETITEMS"),
        CASE("](NNu", HLM_E_FORMAT, "opcode SETITEMS"),
        CASE("}(Ns", HLM_E_FORMAT, "opcode SETITEM at"),
        CASE("}Ns", HLM_E_FORMAT, "opcode SETITEM at"),
        CASE("Nt", HLM_E_FORMAT, "opcode TUPLE at"),
        CASE("N\x86", HLM_E_FORMAT, "opcode TUPLE2"),
        CASE("(N\x86", HLM_E_FORMAT, "opcode TUPLE2"),
        CASE("\x8A\x09\0\0\0\0\0\0\0\0\0", HLM_E_FORMAT, "opcode LONG1 at byte 47, in a pickle: an integer of more"),
        CASE("X\xFF\xFF\xFF\xFFq", HLM_E_FORMAT, "opcode BINUNICODE at byte 47, in a pickle: what belongs to it"),
        CASE("\x8D\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFq", HLM_E_FORMAT, "opcode BINUNICODE8"),
        CASE("N\x93", HLM_E_FORMAT, "opcode STACK_GLOBAL"),
        CASE("NNR", HLM_E_FORMAT, "opcode REDUCE at byte 49"),
        CASE(")R", HLM_E_FORMAT, "opcode REDUCE"),
        CASE("ccollections\nOrderedDict\n(NtR", HLM_E_FORMAT, "opcode REDUCE at byte 75, in a pickle: the arguments"),
        CASE("ctorch\nFloatStorage\n)R", HLM_E_FORMAT, "a storage's class is called"),
        CASE("ctorch._utils\n_rebuild_tensor_v2\n)R", HLM_E_FORMAT, "the arguments"),
        CASE("ctorch._utils\n_rebuild_parameter\n(N\x89}tR", HLM_E_FORMAT, "the arguments"),
        CASE("ctorch\nSize\n(NtR", HLM_E_FORMAT, "the arguments"),
        CASE("NQ", HLM_E_FORMAT, "opcode BINPERSID"),
        CASE("(X\7\0\0\0storageccollections\nOrderedDict\nX\1\0\0\0"
             "0X\3\0\0\0cpuK\1tQ",
             HLM_E_FORMAT, "no storage's"),
        CASE("(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"
             "0X\3\0\0\0cpuK\1)tQ",
             HLM_E_FORMAT, "inside another"),
        CASE("}}b", HLM_E_FORMAT, "opcode BUILD at byte 49, in a pickle: attributes of something else"),
        CASE("ccollections\nOrderedDict\n}b", HLM_E_FORMAT, "opcode BUILD"),
        CASE("ccollections\nOrderedDict\n)RNb", HLM_E_FORMAT, "opcode BUILD"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_pickle(cases[i].p, cases[i].n, cases[i].status, cases[i].words);
}
END_TEST

/* What contains itself, and what is nested deeply or used often, takes no more than its bytes. */
START_TEST(depth_and_the_memo_are_harmless)
{
    bytes b = {.n = 0};
    refuse_pickle("]q\0h\0a.", 7, HLM_E_FORMAT, "its pickle is a list");
    refuse_pickle("}q\0X\5\0\0\0modelh\0s.", 17, HLM_E_UNSUPPORTED, "tensor 'model': a dict");
    for (size_t i = 0; i < 100000; i++) PUT(&b, "]");
    for (size_t i = 1; i < 100000; i++) PUT(&b, "a");
    PUT(&b, ".");
    refuse_pickle(b.data, b.n, HLM_E_FORMAT, "its pickle is a list");
    b.n = 0;
    PUT(&b, "]q\0");
    for (size_t i = 0; i < 100; i++) PUT(&b, "](h\0h\0h\0h\0eq\0");
    PUT(&b, "0");
    refuse_pickle(b.data, b.n, HLM_E_UNSUPPORTED, "opcode POP ");
    b.n = 0;
    for (size_t i = 0; i <= 1 << 21; i++) PUT(&b, "N");
    refuse_pickle(b.data, b.n, HLM_E_FORMAT, "a pickle of more than 2097152 values");
    free(b.data);
}
END_TEST

START_TEST(refuses_bad_tensors)
{
    static const struct {
        view v;
        hlm_status status;
        const char *words;
    } cases[] = {
        {{"FloatStorage", "0", 6, 0, 2, {3, 2}, {1, 3}}, HLM_E_UNSUPPORTED, "a view that is transposed"},
        {{"FloatStorage", "0", 6, 0, 2, {2, 3}, {0, 1}}, HLM_E_UNSUPPORTED, "a view that is expanded"},
        {{"FloatStorage", "0", 6, 0, 1, {3}, {2}}, HLM_E_UNSUPPORTED, "cut out of another"},
        {{"FloatStorage", "0", 6, 0, 5, {1, 1, 1, 2, 3}, {6, 6, 6, 3, 1}}, HLM_E_UNSUPPORTED, "5 dimensions"},
        {{"FloatStorage", "0", 6, 1, 2, {2, 3}, {3, 1}},
         HLM_E_FORMAT,
         "24 bytes from element 1 on of storage '0', which has 6"},
        {{"FloatStorage", "0", 6, 7, 1, {0}, {1}}, HLM_E_FORMAT, "from element 7 on"},
        {{"FloatStorage", "0", 6, -1, 1, {1}, {1}}, HLM_E_FORMAT, "from element -1 on"},
        {{"FloatStorage", "0", 6, INT64_MIN, 1, {1}, {1}}, HLM_E_FORMAT, "from element -9"},
        {{"FloatStorage", "0", 6, 0, 1, {-1}, {1}}, HLM_E_FORMAT, "size -1 of its shape"},
        {{"FloatStorage", "0", 6, 0, 2, {INT64_MAX, 2}, {2, 1}}, HLM_E_FORMAT, "size 9223372036854775807 of its shape"},
        {{"FloatStorage", "0", 6, 0, 3, {0, INT64_MAX, 4}, {1, 4, 1}}, HLM_E_FORMAT, ""},
        {{"FloatStorage", "0", 5, 0, 1, {1}, {1}},
         HLM_E_FORMAT,
         "its storage '0' is of 24 bytes, expected 5 elements of f32"},
        {{"FloatStorage", "0", -6, 0, 1, {1}, {1}}, HLM_E_FORMAT, "expected -6 elements"},
        {{"FloatStorage", "0", INT64_MAX, 0, 1, {1}, {1}}, HLM_E_FORMAT, "expected 9223372036854775807 elements"},
        {{"HalfStorage", "0", 6, 0, 1, {1}, {1}}, HLM_E_FORMAT, "its storage '0' is of 24 bytes"},
        {{"FloatStorage", "1", 6, 0, 1, {1}, {1}}, HLM_E_FORMAT, "its storage '1' is not in the file"},
        {{"FloatStorage", "../m/data/0", 6, 0, 1, {1}, {1}}, HLM_E_FORMAT, "is not in the file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes p = {.n = 0};
        if (!*cases[i].words) continue;
        PUT(&p, "\x80\x02}");
        put_unicode(&p, "t");
        put_view(&p, &cases[i].v);
        PUT(&p, "s.");
        refuse_pickle(p.data, p.n, cases[i].status, cases[i].words);
        free(p.data);
    }
    bytes p = {.n = 0};
    PUT(&p, "}(");
    for (size_t i = 0; i < 2; i++) put_unicode(&p, "t"), put_view(&p, &a);
    PUT(&p, "u.");
    bytes b = {.n = 0};
    put_archive(&b, &p, 0);
    memfs fs = {.n = 0};
    hlmi_store *s;
    const hlmi_mem mem = hlmi_mem_default();
    add_weights(&fs, &b);
    ck_assert_int_eq(open_fs(&s, &fs, &mem, true), HLM_E_FORMAT);
    ck_assert_ptr_nonnull(strstr(hlmi_error(), "tensor 't' is there twice"));
    memfs_clear(&fs);
    free(p.data);
    free(b.data);
}
END_TEST

/* What stands in front of `word` is changed, at `offset` from it. */
static void refuse_changed(const char *word, size_t offset, uint64_t to, size_t n, hlm_status status, const char *words)
{
    bytes pickle = {.n = 0}, b = {.n = 0};
    put_state(&pickle);
    put_archive(&b, &pickle, 0);
    size_t at = b.n - 4;
    while (at > 0 && memcmp(b.data + at, word, 4) != 0) at--;
    for (size_t i = 0; i < n; i++) b.data[at + offset + i] = (unsigned char)(to >> 8 * i);
    refuse(&b, status, words);
    free(pickle.data);
}

START_TEST(refuses_bad_zips)
{
    bytes pickle = {.n = 0}, b = {.n = 0};
    put_state(&pickle);
    put_archive(&b, &pickle, PACKED);
    refuse(&b, HLM_E_UNSUPPORTED, "member 'm/data.pkl' is compressed or encrypted");
    put_archive(&b, &pickle, TWICE);
    refuse(&b, HLM_E_FORMAT, "member 'm/version' is there twice");
    const member big[] = {{"m/data.pkl", pickle.data, pickle.n}, {"m/byteorder", "big", 3}};
    put_zip(&b, big, 2, 0);
    refuse(&b, HLM_E_UNSUPPORTED, "byteorder is not little");
    const member other[] = {{"m/readme", "x", 1}, {"n/data.pkl", pickle.data, pickle.n}};
    put_zip(&b, other, 2, 0);
    refuse(&b, HLM_E_FORMAT, "not PyTorch's");
    const member flat[] = {{"data.pkl", pickle.data, pickle.n}};
    put_zip(&b, flat, 1, 0);
    refuse(&b, HLM_E_FORMAT, "not PyTorch's");
    refuse_changed("PK\5\6", 10, 7, 2, HLM_E_FORMAT, "its directory is cut short");
    refuse_changed("PK\5\6", 10, 0xFFF0, 2, HLM_E_FORMAT, "its directory is of 65520 members");
    refuse_changed("PK\5\6", 10, 0xFFFF, 2, HLM_E_FORMAT, "its directory of 64 bits is not there");
    refuse_changed("PK\5\6", 12, 0x7FFFFFFF, 4, HLM_E_FORMAT, "its directory is of 6 members in 2147483647 bytes");
    refuse_changed("PK\5\6", 16, 0x7FFFFFFF, 4, HLM_E_FORMAT, "from byte 2147483647 on");
    refuse_changed("PK\5\6", 16, 1, 4, HLM_E_FORMAT, "its directory is cut short");
    refuse_changed("PK\1\2", 8, 1, 2, HLM_E_UNSUPPORTED, "member 'm/version' is compressed or encrypted");
    refuse_changed("PK\1\2", 20, 0x7FFFFFFF, 4, HLM_E_UNSUPPORTED, "compressed");
    refuse_changed("PK\1\2", 20, 0x7FFFFFFF7FFFFFFF, 8, HLM_E_FORMAT, "member 'm/version' is of 2147483647 bytes");
    refuse_changed("PK\1\2", 20, UINT64_MAX, 8, HLM_E_FORMAT, "its sizes of 64 bits are not there");
    refuse_changed("PK\1\2", 28, 0xFFFF, 2, HLM_E_FORMAT, "its directory is cut short");
    refuse_changed("PK\1\2", 42, 1, 4, HLM_E_FORMAT, "member 'm/version': no header at byte 1");
    refuse_changed("PK\1\2", 42, 0x7FFFFFFF, 4, HLM_E_FORMAT, "begins at byte 2147483647, behind the members");
    refuse_changed("PK\3\4", 26, 0xFFFF, 2, HLM_E_FORMAT, "the members end at byte");
    free(pickle.data);
    PUT(&b, "<html>");
    refuse(&b, HLM_E_FORMAT, "not a file of torch.save");
    PUT(&b, "\x80\x04}.");
    refuse(&b, HLM_E_FORMAT, "not a file of torch.save");
}
END_TEST

START_TEST(refuses_bad_old_files)
{
    static const struct {
        const char *p;
        size_t n;
        hlm_status status;
        const char *words;
    } cases[] = {
        CASE("\x80\x02}X\x0D\0\0\0little_endian\x89s.}.].", HLM_E_UNSUPPORTED, "little_endian is not True"),
        CASE("N.}.].", HLM_E_UNSUPPORTED, "little_endian is not True"),
        CASE("}X\x0D\0\0\0little_endian\x88s.}.}.", HLM_E_FORMAT, "the keys of the storages are a dict"),
        CASE("}X\x0D\0\0\0little_endian\x88s.}.]Na.", HLM_E_FORMAT, "the key of a storage is None"),
        CASE("}X\x0D\0\0\0little_endian\x88s.}.]U\1"
             "0a.",
             HLM_E_FORMAT, "storage '0' is no tensor's"),
        CASE("}X\x0D\0\0\0little_endian\x88s.}.](U\1"
             "0U\1"
             "0e.",
             HLM_E_FORMAT, "storage '0' is there twice"),
    };
    bytes b = {.n = 0}, pickle = {.n = 0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        PUT(&b, front);
        put(&b, cases[i].p, cases[i].n);
        refuse(&b, cases[i].status, cases[i].words);
    }
    PUT(&b, front);
    b.data[18] = 1;
    refuse(&b, HLM_E_UNSUPPORTED, "another version than 1001");
    put_state(&pickle);
    put_old(&b, &pickle);
    memset(b.data + b.n - 20 - 32, 0xFF, 8);
    refuse(&b, HLM_E_FORMAT, "storage '0' has 18446744073709551615 elements");
    free(pickle.data);
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
    b->left--;
    b->live++;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void budget_free(void *user, void *p)
{
    ((budget *)user)->live--;
    free(p);
}

START_TEST(every_allocation_may_fail)
{
    bytes pickle = {.n = 0};
    put_state(&pickle);
    for (int form = 0; form < 4; form++) {
        bytes b = {.n = 0};
        memfs fs = {.n = 0};
        if (form < 2) put_archive(&b, &pickle, 0);
        else put_old(&b, &pickle);
        add_weights(&fs, &b);
        hlm_status st = HLM_E_NOMEM;
        for (size_t k = 0; st != HLM_OK; k++) {
            budget left = {.left = k};
            const hlmi_mem mem = {&left, budget_alloc, budget_free};
            hlmi_store *s;
            st = open_fs(&s, &fs, &mem, form % 2);
            hlmi_store_close(s);
            ck_assert_msg(st == HLM_OK || st == HLM_E_NOMEM, "%zu allocations: %d %s", k, st, hlmi_error());
            ck_assert(left.live == 0 && fs.open == 0);
        }
        memfs_clear(&fs);
        free(b.data);
    }
    free(pickle.data);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_what_torch_saves,   reads_protocol_4, reads_shards,
                                  refuses_every_truncation, runs_nothing,     depth_and_the_memo_are_harmless,
                                  refuses_bad_tensors,      refuses_bad_zips, refuses_bad_old_files,
                                  every_allocation_may_fail};
    return suite_run("torch", tests, sizeof tests / sizeof *tests);
}
