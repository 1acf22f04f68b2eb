/* JSON that is small as a text and large once it is parsed is refused before it is parsed; the largest vocabularies
 * that are made are not. */
#include "base/json.h"

#include <string.h>

#include "base/buf.h"
#include "text/tokenizer.h"
#include "unit/suite.h"

/* {"x":[UNIT,UNIT,...]} of so many bytes. */
static void bomb(hlmi_buf *b, const char *unit, size_t bytes)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf_init(b, &mem);
    hlmi_buf_str(b, "{\"x\":[");
    hlmi_buf_str(b, unit);
    while (b->len < bytes) {
        hlmi_buf_char(b, ',');
        hlmi_buf_str(b, unit);
    }
    hlmi_buf_str(b, "]}");
    ck_assert(!b->failed);
}

static hlm_status parse(hlmi_json_use use, const char *text, size_t len)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_json *v;
    const hlm_status st = hlmi_json_parse(&v, &mem, use, text, len, "a file");
    ck_assert_int_eq(st == HLM_OK, v != NULL);
    hlmi_json_free(v);
    return st;
}

START_TEST(bombs_are_refused)
{
    static const char *const units[] = {"{}",
                                        "[]",
                                        "0",
                                        "\"\"",
                                        "null",
                                        "{\"\":0}",
                                        "[{}]",
                                        "NaN",
                                        "-Infinity",
                                        "[[[]]]",
                                        "{\"a\":{\"b\":{}}}",
                                        "\"\\\"{[,\"",
                                        "true"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        hlmi_buf large, small;
        bomb(&large, units[i], (size_t)72 << 20);
        bomb(&small, units[i], 3000);
        for (int use = HLMI_JSON_SETTINGS; use <= HLMI_JSON_MESSAGES; use++) {
            const hlm_status st = parse((hlmi_json_use)use, large.data, large.len);
            ck_assert_msg(st == HLM_E_LIMIT, "%s, use %d: %d, %s", units[i], use, (int)st, hlmi_error());
            ck_assert_ptr_nonnull(strstr(hlmi_error(), "a file: JSON with"));
            ck_assert_msg(parse((hlmi_json_use)use, small.data, small.len) == HLM_OK, "%s: %s", units[i], hlmi_error());
        }
        hlmi_buf_free(&large);
        hlmi_buf_free(&small);
    }
}
END_TEST

/* 9 MB of empty objects took 692 MB. */
START_TEST(objects_of_nine_megabytes)
{
    hlmi_buf b;
    bomb(&b, "{}", (size_t)9 << 20);
    for (int use = HLMI_JSON_SETTINGS; use <= HLMI_JSON_MESSAGES; use++)
        ck_assert_int_eq(parse((hlmi_json_use)use, b.data, b.len), HLM_E_LIMIT);
    hlmi_buf_free(&b);
}
END_TEST

START_TEST(depth_is_bounded)
{
    static char text[100000];
    for (size_t n = 1; n <= sizeof text / 2; n = n < 140 ? n + 1 : n * 3) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        ck_assert_int_eq(parse(HLMI_JSON_TOKENIZER, text, 2 * n), n <= HLMI_JSON_DEPTH ? HLM_OK : HLM_E_LIMIT);
        ck_assert_int_ne(parse(HLMI_JSON_TOKENIZER, text, n), HLM_OK);
    }
    ck_assert_int_eq(parse(HLMI_JSON_SETTINGS, "\"[[[\\\"\"", 7), HLM_OK);
    ck_assert_int_eq(parse(HLMI_JSON_SETTINGS, "\"\\", 2), HLM_E_FORMAT); /* nothing is read behind the end */
    ck_assert_int_eq(parse(HLMI_JSON_SETTINGS, "", 0), HLM_E_FORMAT);
}
END_TEST

typedef struct cap {
    size_t most, live;
} cap;

static void *cap_alloc(void *user, size_t size, size_t align)
{
    cap *c = user;
    (void)align;
    if (size > c->most - c->live) return NULL;
    return malloc(size);
}

static void cap_free(void *user, void *p)
{
    (void)user;
    free(p);
}

/* What a parsed text will take is asked of the caller's allocator. */
START_TEST(the_caller_is_asked)
{
    hlmi_buf b;
    bomb(&b, "{}", 30000);
    for (size_t most = 1 << 20; most <= 4 << 20; most *= 4) { /* it takes about 3 MB */
        cap c = {.most = most};
        const hlmi_mem mem = {.user = &c, .alloc = cap_alloc, .free = cap_free};
        hlmi_json *v;
        const hlm_status st = hlmi_json_parse(&v, &mem, HLMI_JSON_SETTINGS, b.data, b.len, "a file");
        ck_assert_int_eq(st, most == 1 << 20 ? HLM_E_NOMEM : HLM_OK);
        hlmi_json_free(v);
    }
    hlmi_buf_free(&b);
}
END_TEST

static hlmi_json *read_json(hlmi_json_use use, const char *text)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_json *v;
    ck_assert_msg(hlmi_json_parse(&v, &mem, use, text, strlen(text), "it") == HLM_OK, "%s: %s", text, hlmi_error());
    return v;
}

/* Of a caller's numbers those that jansson would round or refuse are told by their places; strings keep what JSON can
 * not say. */
START_TEST(numbers_by_their_places)
{
    static const char text[] =
        "[1, -123456789012345678, 1.5,1e999 ,1234567890123456789,NaN,-Infinity, -0, 2E+1, \"1.5 \\\" 2.5\"]";
    static const char *const wide[] = {"1.5", "1e999", "1234567890123456789", "NaN", "-Infinity", "2E+1"};
    hlmi_json *v = read_json(HLMI_JSON_MESSAGES, text);
    size_t found = 0;
    for (hlmi_json_iter i = {0}; hlmi_json_next(v, &i);) {
        if (!hlmi_json_is(i.value, HLMI_JSON_REAL)) continue;
        ck_assert_ptr_eq(text + hlmi_json_place(i.value), strstr(text, wide[found]));
        found++;
    }
    ck_assert_uint_eq(found, sizeof wide / sizeof *wide);
    int64_t n = 0;
    ck_assert(hlmi_json_int(hlmi_json_at(v, 1), INT64_MIN, INT64_MAX, &n) && n == -123456789012345678);
    ck_assert(!hlmi_json_int(hlmi_json_at(v, 0), 2, 9, &n) && n == -123456789012345678);
    ck_assert_str_eq(hlmi_json_str(hlmi_json_at(v, 9)).s, "1.5 \" 2.5");
    hlmi_json_free(v);
}
END_TEST

START_TEST(halves_of_pairs)
{
    static const struct {
        const char *text, *value;
    } cases[] = {{"\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80"},
                 {"\"a\\uD83Db\"",
                  "a\xEF\xBF\xBD"
                  "b"},
                 {"\"\\udE00\\ud83d\"", "\xEF\xBF\xBD\xEF\xBF\xBD"},
                 {"\"\\ud83d\\ud83d\\ude00\"", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
                 {"\"\\\\ud83d\\u00e9\"", "\\ud83d\xC3\xA9"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hlmi_json *v = read_json(HLMI_JSON_MESSAGES, cases[i].text);
        ck_assert_str_eq(hlmi_json_str(v).s, cases[i].value);
        hlmi_json_free(v);
    }
    ck_assert_int_eq(parse(HLMI_JSON_SETTINGS, "\"\\ud83d\"", 8), HLM_E_FORMAT);
}
END_TEST

/* What is refused, and where: in the text as it was given. */
START_TEST(places_of_errors)
{
    static const struct {
        hlmi_json_use use;
        const char *text, *words;
    } cases[] = {{HLMI_JSON_SETTINGS, "{\"a\":1,\n \"a\":2,}", "line 2, column 8: string or '}' expected near '}'"},
                 {HLMI_JSON_SETTINGS, "[NaN, NaN,\nNaN 7]", "line 2, column 5: ']' expected"},
                 {HLMI_JSON_TENSORS, "{\"a\":1,\"a\":2}", "duplicate object key"},
                 {HLMI_JSON_IDS, "{\"a\":1,\"a\":2}", "duplicate object key"},
                 {HLMI_JSON_MESSAGES, "[1.25, 2.5 3]", "line 1, column 12: ']' expected"},
                 {HLMI_JSON_MESSAGES, "[1NaN]", "']' expected"},
                 {HLMI_JSON_MESSAGES, "[1.5.5]", "column 5: ']' expected"},
                 {HLMI_JSON_MESSAGES, "[01]", "column 2: invalid token near '0'"},
                 {HLMI_JSON_MESSAGES, "[-01.5]", "invalid token"},
                 {HLMI_JSON_MESSAGES, "[1.]", "invalid token"},
                 {HLMI_JSON_MESSAGES, "[-NaN]", "invalid token"},
                 {HLMI_JSON_MESSAGES, "[\"\\ud8zz\"]", "invalid escape"},
                 {HLMI_JSON_MESSAGES, "<html>", "a file: not valid JSON at line 1, column 1: invalid token near '<'"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(parse(cases[i].use, cases[i].text, strlen(cases[i].text)), HLM_E_FORMAT);
        ck_assert_msg(strstr(hlmi_error(), cases[i].words), "%s: %s", cases[i].text, hlmi_error());
    }
    hlmi_json *v = read_json(HLMI_JSON_MESSAGES, "{\"b\":1,\"a\":2,\"b\":3}");
    hlmi_json_iter i = {0};
    int64_t n = 0;
    ck_assert(hlmi_json_next(v, &i) && strcmp(i.key.s, "b") == 0 && hlmi_json_int(i.value, 3, 3, &n) && i.n == 1);
    ck_assert(hlmi_json_next(v, &i) && strcmp(i.key.s, "a") == 0 && hlmi_json_int(i.value, 2, 2, &n) && i.n == 2);
    ck_assert(!hlmi_json_next(v, &i) && !hlmi_json_next(NULL, &(hlmi_json_iter){0}));
    hlmi_json_free(v);
}
END_TEST

/* 256 000 tokens and 500 000 merges, as lists, as the largest vocabularies have them. */
START_TEST(large_vocabularies_load)
{
    enum { LETTERS = 600, TOKENS = 256000, MERGES = 500000 };
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf b;
    hlmi_tokenizer *t;
    hlmi_buf_init(&b, &mem);
    hlmi_buf_str(&b, "{\"model\":{\"type\":\"BPE\",\"vocab\":{");
    for (int i = 0; i < TOKENS; i++) {
        const uint32_t first = 0x4E00u + (uint32_t)(i % LETTERS), second = 0x4E00u + (uint32_t)(i / LETTERS - 1);
        hlmi_buf_str(&b, i ? ",\"" : "\"");
        if (i >= LETTERS) hlmi_buf_utf8(&b, second);
        hlmi_buf_utf8(&b, first);
        hlmi_buf_printf(&b, "\":%d", i);
    }
    hlmi_buf_str(&b, "},\"merges\":[");
    for (int i = 0; i < MERGES; i++) {
        const int k = LETTERS + i % (TOKENS - LETTERS);
        hlmi_buf_str(&b, i ? ",[\"" : "[\"");
        hlmi_buf_utf8(&b, 0x4E00u + (uint32_t)(k / LETTERS - 1));
        hlmi_buf_str(&b, "\",\"");
        hlmi_buf_utf8(&b, 0x4E00u + (uint32_t)(k % LETTERS));
        hlmi_buf_str(&b, "\"]");
    }
    hlmi_buf_str(&b, "]}}");
    ck_assert(!b.failed);
    ck_assert_msg(hlmi_tokenizer_from_json(&t, &mem, b.data, b.len, NULL) == HLM_OK, "%s", hlmi_error());
    ck_assert_int_eq(hlmi_tokenizer_size(t), TOKENS);
    hlmi_tokenizer_free(t);
    hlmi_buf_free(&b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {bombs_are_refused,   objects_of_nine_megabytes, depth_is_bounded,
                                  the_caller_is_asked, numbers_by_their_places,   halves_of_pairs,
                                  places_of_errors,    large_vocabularies_load};
    return suite_run("json", tests, sizeof tests / sizeof *tests);
}
