/* Texts and files that are small and ask for much: each way of growing ends at a bound that holds for the whole text,
 * and the work for a text grows with its length, counted, never timed. */
#include <string.h>
#include <utf8proc.h>

#include "base/buf.h"
#include "base/find.h"
#include "text/normal_form.h"
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
    const hlm_status st = hlmi_tokenizer_from_json(t, &mem, b.data, b.len, NULL);
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
    ck_assert_int_eq(hlmi_tokenizer_from_json(&t, &mem, b.data, b.len, NULL), HLM_OK);
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

/* ---- normal forms ---- */

static const unsigned forms[4] = {UTF8PROC_COMPOSE, UTF8PROC_DECOMPOSE, UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
                                  UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT};

static uint64_t seed = 19;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

/* Marks of many classes, letters that take them, Hangul, compatibility characters, anything. */
static uint32_t random_point(void)
{
    static const uint32_t some[] = {'a',    'e',    0xE9,   0x1EAF, 0x1E69, 0x323,  0x301,   0x345,  0x5B0,   0x64B,
                                    0x94D,  0x9BE,  0xDDF,  0xF71,  0xF72,  0xF73,  0x302A,  0x3099, 0x1D165, 0x1D16D,
                                    0xAC00, 0x1100, 0x1161, 0x11A8, 0xFDFA, 0xFB03, 0x1F82,  0x2126, 0x212B,  0xF900,
                                    0x2F8A, 0x3C9,  0x313,  0x342,  0x3B1,  0x344,  0x11131, 0x1133E};
    switch (random_below(4)) {
    case 0: return some[random_below(sizeof some / sizeof *some)];
    case 1: return 0x300 + random_below(0x70);
    case 2: return 0x591 + random_below(0x400);
    default: break;
    }
    const uint32_t c = random_below(0x30000);
    return c < 0xD800 || c > 0xDFFF ? c : 'x';
}

/* Whole runs of marks that stay marks, so that orders of every length come up. */
static void random_text(hlmi_buf *b)
{
    const size_t n = 1 + random_below(40), marks = random_below(3) ? random_below(20) : random_below(300);
    hlmi_buf_clear(b);
    for (size_t i = 0; i < n; i++) hlmi_buf_utf8(b, random_point());
    for (size_t i = 0; i < marks; i++) hlmi_buf_utf8(b, 0x300 + random_below(0x70));
    for (size_t i = 0; i < n; i++) hlmi_buf_utf8(b, random_point());
}

/* utf8proc's own answer. */
START_TEST(forms_equal_utf8proc)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf text, got;
    hlmi_buf_init(&text, &mem);
    hlmi_buf_init(&got, &mem);
    for (int i = 0; i < 5000; i++) {
        random_text(&text);
        for (int form = 0; form < 4; form++) {
            utf8proc_uint8_t *want = NULL;
            const utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text.data, (utf8proc_ssize_t)text.len,
                                                    &want, (utf8proc_option_t)(forms[form] | UTF8PROC_STABLE));
            hlmi_buf_clear(&got);
            ck_assert_int_eq(hlmi_normal_form((hlmi_form)form, text.data, text.len, &got, NULL), HLM_OK);
            ck_assert_msg(n == (utf8proc_ssize_t)got.len && memcmp(want, got.data, got.len) == 0,
                          "text %d, form %d: %zd bytes, %zu", i, form, n, got.len);
            free(want);
        }
    }
    hlmi_buf_free(&text);
    hlmi_buf_free(&got);
}
END_TEST

static size_t form_work(hlmi_form form, const uint32_t *cycle, size_t n_cycle, size_t n, bool blocks)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf text, out;
    size_t work = 0;
    hlmi_buf_init(&text, &mem);
    hlmi_buf_init(&out, &mem);
    hlmi_buf_char(&text, 'a');
    for (size_t i = 0; i < n; i++) hlmi_buf_utf8(&text, cycle[blocks ? i * n_cycle / n : i % n_cycle]);
    ck_assert_int_eq(hlmi_normal_form(form, text.data, text.len, &out, &work), HLM_OK);
    ck_assert(!text.failed && !out.failed);
    hlmi_buf_free(&text);
    hlmi_buf_free(&out);
    return work;
}

/* Twice the marks, twice the work, however they stand. */
START_TEST(forms_are_linear)
{
    static const uint32_t cycles[][4] = {{0x301, 0x323, 0x301, 0x323}, /* 230 220 */
                                         {0x345, 0x301, 0x323, 0x334}, /* 240 230 220 1 */
                                         {0x334, 0x323, 0x301, 0x345},
                                         {0x301, 0x301, 0x301, 0x323},
                                         {0xF73, 0x344, 0x1D165, 0x323}};
    for (int form = 0; form < 4; form++)
        for (size_t c = 0; c < sizeof cycles / sizeof *cycles; c++)
            for (int blocks = 0; blocks < 2; blocks++) {
                size_t before = form_work((hlmi_form)form, cycles[c], 4, 4096, blocks);
                for (size_t n = 8192; n <= 1 << 16; n *= 2) {
                    const size_t work = form_work((hlmi_form)form, cycles[c], 4, n, blocks);
                    ck_assert_msg(work < 21 * before / 10 && work > n, "form %d, cycle %zu: %zu marks, %zu", form, c, n,
                                  work);
                    before = work;
                }
            }
}
END_TEST

/* ---- searching ---- */

static size_t plain_find(const char *s, size_t n, const char *part, size_t m, bool last)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; m <= n && i <= n - m; i++) {
        if (m && memcmp(s + i, part, m) != 0) continue;
        if (!last) return i;
        found = i;
    }
    return found;
}

/* Texts of few letters, parts that are in them or nearly; long ones, so that every way of searching is taken. */
START_TEST(searches_equal_a_plain_one)
{
    static char text[3000], part[1500];
    for (int round = 0; round < 20000; round++) {
        const uint32_t letters = 1 + random_below(3), period = 1 + random_below(9);
        const size_t n = random_below(round % 4 ? 60 : 3000);
        for (size_t i = 0; i < n; i++)
            text[i] = i >= period && random_below(50) ? text[i - period] : (char)('a' + random_below(letters));
        const size_t m = random_below((uint32_t)(n / (1 + random_below(4)) + 2)) % sizeof part;
        const size_t from = n > m ? random_below((uint32_t)(n - m)) : 0;
        for (size_t i = 0; i < m; i++) part[i] = from + i < n ? text[from + i] : 'a';
        if (m && random_below(2)) part[random_below((uint32_t)m)] = (char)('a' + random_below(letters));
        for (int last = 0; last < 2; last++) {
            const size_t want = plain_find(text, n, part, m, last), got = hlmi_find(text, n, part, m, last, NULL);
            ck_assert_msg(want == got, "round %d, last %d: %zu of %zu in %zu, got %zu", round, last, want, m, n, got);
        }
    }
}
END_TEST

/* However text and part repeat themselves, each byte is looked at a few times. */
START_TEST(searches_are_linear)
{
    const size_t n = 1 << 20;
    char *text = malloc(n), *part = malloc(n);
    for (size_t period = 1; period <= 4096; period *= 3) {
        for (size_t i = 0; i < n; i++) text[i] = i % period == period - 1 ? 'b' : 'a';
        for (size_t m = 1; m <= n; m = m * 2 + 1) {
            for (int kind = 0; kind < 4; kind++) {
                memcpy(part, text, m);
                part[kind == 0 ? m - 1 : kind == 1 ? 0 : kind == 2 ? m / 2 : 0] = kind == 3 ? 'a' : 'c';
                for (int last = 0; last < 2; last++) {
                    size_t work = 0, at = 0, hits = 0;
                    for (size_t hit; !last && (hit = hlmi_find(text + at, n - at, part, m, false, &work)) != SIZE_MAX;
                         at += hit + m)
                        hits++; /* as counting does it */
                    if (last) hlmi_find(text, n, part, m, true, &work);
                    ck_assert_msg(work <= 8 * (n + m), "period %zu, %zu bytes, kind %d, last %d: %zu looks, %zu hits",
                                  period, m, kind, last, work, hits);
                }
            }
        }
    }
    free(text);
    free(part);
}
END_TEST

/* ---- tables ---- */

/* Unigram looks ahead as far as its longest token reaches. */
START_TEST(long_tokens_are_refused)
{
    const hlmi_mem mem = hlmi_mem_default();
    for (size_t n = 1023; n <= 1025; n++) {
        hlmi_buf b;
        hlmi_tokenizer *t;
        hlmi_buf_init(&b, &mem);
        hlmi_buf_str(&b, "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"u\",0],[\"");
        for (size_t i = 0; i < n; i++) hlmi_buf_char(&b, 'a');
        hlmi_buf_str(&b, "\",-1]]}}");
        const hlm_status st = hlmi_tokenizer_from_json(&t, &mem, b.data, b.len, NULL);
        ck_assert_msg(st == (n <= 1024 ? HLM_OK : HLM_E_UNSUPPORTED), "%zu: %s", n, hlmi_error());
        hlmi_tokenizer_free(t);
        hlmi_buf_free(&b);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {sections_share_a_bound,     steps_between_count,  added_tokens_grow_little,
                                  decoders_share_a_bound,     forms_equal_utf8proc, forms_are_linear,
                                  searches_equal_a_plain_one, searches_are_linear,  long_tokens_are_refused};
    return suite_run("text_limits", tests, sizeof tests / sizeof *tests);
}
