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
    json_t *v;
    const hlm_status st = hlmi_json_parse_for(use, &mem, text, len, false, "a file", &v);
    ck_assert_int_eq(st == HLM_OK, v != NULL);
    json_decref(v);
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
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        for (int use = HLMI_JSON_SETTINGS; use <= HLMI_JSON_TOKENIZER; use++) {
            hlmi_buf b;
            bomb(&b, units[i], (size_t)72 << 20);
            const hlm_status st = parse((hlmi_json_use)use, b.data, b.len);
            ck_assert_msg(st == HLM_E_LIMIT, "%s, use %d: %d, %s", units[i], use, (int)st, hlmi_error());
            ck_assert_ptr_nonnull(strstr(hlmi_error(), "a file: JSON with"));
            hlmi_buf_free(&b);
            bomb(&b, units[i], 3000);
            ck_assert_msg(parse((hlmi_json_use)use, b.data, b.len) == HLM_OK, "%s: %s", units[i], hlmi_error());
            hlmi_buf_free(&b);
        }
}
END_TEST

/* 9 MB of empty objects took 692 MB. */
START_TEST(objects_of_nine_megabytes)
{
    hlmi_buf b;
    bomb(&b, "{}", (size_t)9 << 20);
    for (int use = HLMI_JSON_SETTINGS; use <= HLMI_JSON_TOKENIZER; use++)
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
        json_t *v;
        const hlm_status st = hlmi_json_parse(&mem, b.data, b.len, false, "a file", &v);
        ck_assert_int_eq(st, most == 1 << 20 ? HLM_E_NOMEM : HLM_OK);
        json_decref(v);
    }
    hlmi_buf_free(&b);
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
    const TTest *const tests[] = {bombs_are_refused, objects_of_nine_megabytes, depth_is_bounded, the_caller_is_asked,
                                  large_vocabularies_load};
    return suite_run("json", tests, sizeof tests / sizeof *tests);
}
