/* Texts and files that are small and ask for much: each way of growing ends at a bound that holds for the whole text,
 * and the work for a text grows with its length, counted, never timed. */
#include <string.h>

#include "base/buf.h"
#include "text/tokenizer_impl.h"
#include "unit/suite.h"

#define MODEL "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"aa\":3},\"merges\":[\"a b\",\"a a\"]}"
#define DOUBLE "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aa\"}"

/* A tokenizer whose normalizers and decoders double each "a" so many times. */
static hlm_status open_doubling(hlmi_tokenizer **t, int norms, int decoders, const char *added)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf b;
    hlmi_buf_init(&b, &mem);
    hlmi_buf_printf(&b, "{\"added_tokens\":[%s],\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[", added);
    for (int i = 0; i < norms; i++) hlmi_buf_printf(&b, "%s" DOUBLE, i ? "," : "");
    hlmi_buf_str(&b, "]},\"decoder\":{\"type\":\"Sequence\",\"decoders\":[");
    for (int i = 0; i < decoders; i++) hlmi_buf_printf(&b, "%s" DOUBLE, i ? "," : "");
    hlmi_buf_str(&b, "]}," MODEL "}");
    const hlm_status st = hlmi_tokenizer_from_json(t, &mem, b.data, b.len, NULL, 0);
    hlmi_buf_free(&b);
    return st;
}

#define MARK "{\"id\":4,\"content\":\"<x>\",\"special\":true}"

/* n stretches of "a", cut by added tokens. */
static hlm_status encode_sections(const hlmi_tokenizer *t, size_t n)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf text;
    hlmi_ids ids;
    hlmi_buf_init(&text, &mem);
    hlmi_ids_init(&ids, &mem);
    for (size_t i = 0; i < n; i++) hlmi_buf_str(&text, "a<x>");
    const hlm_status st = hlmi_tokenizer_encode(t, text.data, text.len, 3, &ids);
    hlmi_buf_free(&text);
    hlmi_ids_free(&ids);
    return st;
}

/* A stretch becomes 1 MB: 16 of them are as much as a text may grow by, whatever stands between them. */
START_TEST(sections_share_a_bound)
{
    hlmi_tokenizer *t;
    ck_assert_int_eq(open_doubling(&t, 20, 0, MARK), HLM_OK);
    ck_assert_int_eq(encode_sections(t, 1), HLM_OK);
    ck_assert_msg(encode_sections(t, 16) == HLM_OK, "%s", hlmi_error());
    ck_assert_int_eq(encode_sections(t, 17), HLM_E_LIMIT);
    ck_assert_int_eq(encode_sections(t, 100000), HLM_E_LIMIT);
    hlmi_tokenizer_free(t);
}
END_TEST

/* What grows and shrinks again counts, too. */
START_TEST(steps_between_count)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tokenizer *t;
    hlmi_buf b;
    hlmi_buf_init(&b, &mem);
    hlmi_buf_str(&b, "{\"added_tokens\":[" MARK "],\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[");
    for (int i = 0; i < 20; i++) hlmi_buf_str(&b, DOUBLE ",");
    hlmi_buf_str(&b, "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"\"}]}," MODEL "}");
    ck_assert_int_eq(hlmi_tokenizer_from_json(&t, &mem, b.data, b.len, NULL, 0), HLM_OK);
    ck_assert_int_eq(encode_sections(t, 16), HLM_OK);
    ck_assert_int_eq(encode_sections(t, 17), HLM_E_LIMIT);
    hlmi_tokenizer_free(t);
    hlmi_buf_free(&b);
}
END_TEST

/* The text of an added token is normalized when a file is read. */
START_TEST(added_tokens_grow_little)
{
    hlmi_tokenizer *t;
    ck_assert_int_eq(open_doubling(&t, 10, 0, "{\"id\":4,\"content\":\"a\",\"normalized\":true}"), HLM_OK);
    hlmi_tokenizer_free(t);
    ck_assert_int_eq(open_doubling(&t, 11, 0, "{\"id\":4,\"content\":\"a\",\"normalized\":true}"), HLM_E_LIMIT);
}
END_TEST

static hlm_status decode_n(const hlmi_tokenizer *t, size_t n, bool stream)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlm_status st = HLM_OK;
    hlmi_buf out;
    hlmi_tstream *s = NULL;
    int32_t *ids = calloc(n, sizeof *ids);
    const char *piece;
    size_t len;
    hlmi_buf_init(&out, &mem);
    if (stream) st = hlmi_tstream_new(&s, &mem, t, 0);
    else st = hlmi_tokenizer_decode(t, ids, n, 0, &out);
    for (size_t i = 0; stream && i < n && st == HLM_OK; i++) st = hlmi_tstream_push(s, ids[i], &piece, &len);
    hlmi_tstream_free(s);
    hlmi_buf_free(&out);
    free(ids);
    return st;
}

START_TEST(decoders_share_a_bound)
{
    hlmi_tokenizer *t;
    ck_assert_int_eq(open_doubling(&t, 0, 20, MARK), HLM_OK);
    for (int stream = 0; stream < 2; stream++) {
        ck_assert_msg(decode_n(t, 16, stream) == HLM_OK, "%s", hlmi_error());
        ck_assert_int_eq(decode_n(t, 17, stream), HLM_E_LIMIT);
    }
    hlmi_tokenizer_free(t);
    ck_assert_int_eq(open_doubling(&t, 0, 60, MARK), HLM_OK);
    ck_assert_int_eq(decode_n(t, 1, false), HLM_E_LIMIT);
    hlmi_tokenizer_free(t);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {sections_share_a_bound, steps_between_count, added_tokens_grow_little,
                                  decoders_share_a_bound};
    return suite_run("text_limits", tests, sizeof tests / sizeof *tests);
}
