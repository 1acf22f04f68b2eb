/* SentencePiece models: what the recorded cases (tokenizer_cases) do not show. The models are written here. */
#include <string.h>

#include "base/buf.h"
#include "text/tokenizer.h"
#include "unit/suite.h"

#define SP "\xE2\x96\x81"

/* ---- writing models ---- */

static void put_varint(hlmi_buf *b, uint64_t v)
{
    for (; v > 127; v >>= 7) hlmi_buf_char(b, (char)(uint8_t)(v | 128));
    hlmi_buf_char(b, (char)v);
}

static void put_number(hlmi_buf *b, uint32_t field, uint64_t v)
{
    put_varint(b, field << 3);
    put_varint(b, v);
}

static void put_block(hlmi_buf *b, uint32_t field, const void *p, size_t n)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, n);
    hlmi_buf_add(b, p, n);
}

static void put_piece(hlmi_buf *b, const char *text, float score, uint32_t type)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf p;
    hlmi_buf_init(&p, &mem);
    put_block(&p, 1, text, strlen(text));
    put_varint(&p, 2 << 3 | 5);
    hlmi_buf_add(&p, &score, sizeof score);
    put_number(&p, 3, type);
    put_block(b, 1, p.data, p.len);
    hlmi_buf_free(&p);
}

typedef struct model {
    hlmi_buf bytes;
    float score;
} model;

static void begin(model *m)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf_init(&m->bytes, &mem);
    m->score = 0.0f;
    put_piece(&m->bytes, "<unk>", 0.0f, 2);
    put_piece(&m->bytes, "<s>", 0.0f, 3);
    put_piece(&m->bytes, "</s>", 0.0f, 3);
}

/* Pieces separated by blanks, each with a lower score than the one before. */
static void add(model *m, const char *pieces, uint32_t type)
{
    char one[64];
    for (int n; sscanf(pieces, "%63s%n", one, &n) == 1; pieces += n) put_piece(&m->bytes, one, m->score -= 1.0f, type);
}

/* The settings: kind 1 Unigram, 2 BPE; a letter for each that is on: p prefix, s squeeze, e escape. */
static void settings(model *m, uint32_t kind, const char *on)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf b;
    hlmi_buf_init(&b, &mem);
    put_number(&b, 3, kind);
    put_block(&m->bytes, 2, b.data, b.len);
    hlmi_buf_clear(&b);
    put_number(&b, 3, strchr(on, 'p') != NULL);
    put_number(&b, 4, strchr(on, 's') != NULL);
    put_number(&b, 5, strchr(on, 'e') != NULL);
    put_block(&m->bytes, 3, b.data, b.len);
    hlmi_buf_free(&b);
}

static hlm_status load(hlmi_tokenizer **t, const model *m, const char *config, const char *added)
{
    const hlmi_mem mem = hlmi_mem_default();
    const hlmi_side_files f = {.config = config,
                               .config_len = config ? strlen(config) : 0,
                               .added = added,
                               .added_len = added ? strlen(added) : 0};
    return hlmi_tokenizer_from_spm(t, &mem, m->bytes.data, m->bytes.len, &f);
}

/* ---- expectations ---- */

/* The pieces of a text, joined by '|'. */
static void pieces_are(const hlmi_tokenizer *t, const char *text, uint32_t flags, const char *want)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_ids ids;
    hlmi_buf got;
    hlmi_ids_init(&ids, &mem);
    hlmi_buf_init(&got, &mem);
    ck_assert_int_eq(hlmi_tokenizer_encode(t, text, strlen(text), flags, &ids), HLM_OK);
    for (size_t i = 0; i < ids.n; i++) {
        const hlmi_str s = hlmi_tokenizer_text(t, ids.v[i]);
        if (i) hlmi_buf_char(&got, '|');
        hlmi_buf_add(&got, s.s, s.len);
    }
    ck_assert_str_eq(got.len ? got.data : "", want);
    hlmi_ids_free(&ids);
    hlmi_buf_free(&got);
}

static void expect(const model *m, const char *config, const char *text, const char *want)
{
    hlmi_tokenizer *t;
    ck_assert_msg(load(&t, m, config, NULL) == HLM_OK, "%s", hlmi_error());
    pieces_are(t, text, HLM_TOKENIZE_PARSE_SPECIAL, want);
    hlmi_tokenizer_free(t);
}

static void refused(model *m, const char *words)
{
    hlmi_tokenizer *t;
    const hlm_status st = load(&t, m, NULL, NULL);
    ck_assert_msg(st != HLM_OK && !t, "accepted; expected '%s'", words);
    ck_assert_msg(strstr(hlmi_error(), words) != NULL, "'%s' lacks '%s'", hlmi_error(), words);
    hlmi_buf_free(&m->bytes);
}

#define VOCAB SP "ab " SP "a ab " SP " a b"

/* ---- tests ---- */

START_TEST(spaces_in_front)
{
    model m;
    begin(&m);
    add(&m, VOCAB, 1);
    settings(&m, 2, "pe");
    expect(&m, NULL, "ab", SP "ab");
    expect(&m, NULL, " ab", SP "|" SP "ab");
    expect(&m, NULL, "ab</s>ab", SP "ab|</s>|" SP "ab");
    expect(&m, "{\"legacy\": false}", "ab</s>ab", SP "ab|</s>|ab");
    expect(&m, "{\"legacy\": false}", " ab", SP "ab");
    expect(&m, "{\"add_prefix_space\": false}", "ab ab ", "ab|" SP "ab|" SP);
    hlmi_buf_free(&m.bytes);
}
END_TEST

START_TEST(spaces_squeezed)
{
    model m;
    for (uint32_t kind = 1; kind <= 2; kind++) {
        begin(&m);
        add(&m, VOCAB, 1);
        settings(&m, kind, "pse");
        expect(&m, NULL, "  ab   ab ", SP "ab|" SP "ab");
        expect(&m, NULL, "   ", "");
        expect(&m, "{\"legacy\": false}", " ab   ab", SP "ab|" SP "ab");
        expect(&m, "{\"add_prefix_space\": false}", "  ab  ab", "ab|" SP "ab");
        hlmi_buf_free(&m.bytes);
    }
}
END_TEST

START_TEST(spaces_as_they_are)
{
    model m;
    begin(&m);
    put_piece(&m.bytes, " ", -1.0f, 1);
    put_piece(&m.bytes, "a", -2.0f, 1);
    settings(&m, 2, "p");
    expect(&m, NULL, "a a", " |a| |a");
    hlmi_buf_free(&m.bytes);
}
END_TEST

START_TEST(kinds_of_pieces)
{
    model m;
    begin(&m);
    add(&m, VOCAB, 1);
    add(&m, "<tool>", 4);
    add(&m, "ba", 5);
    settings(&m, 2, "pe");
    expect(&m, NULL, "a<tool>b", SP "a|<tool>|" SP "|b");
    expect(&m, NULL, "baba", SP "|b|ab|a"); /* "ba" is unused */
    expect(&m, NULL, "c", SP "|<unk>");
    hlmi_buf_free(&m.bytes);
}
END_TEST

START_TEST(special_tokens)
{
    static const char config[] =
        "{\"added_tokens_decoder\": {\"1\": {\"content\": \"<s>\", \"special\": true, \"normalized\": true, "
        "\"rstrip\": true},"
        "\"3\": {\"content\": \"<q>\", \"special\": true, \"lstrip\": true},"
        "\"12\": {\"content\": \"<tool>\", \"special\": false, \"normalized\": false}},"
        "\"eos_token\": {\"content\": \"<end>\"}, \"bos_token\": \"<s>\", \"add_eos_token\": true}";
    const uint32_t all = HLM_TOKENIZE_ADD_SPECIAL | HLM_TOKENIZE_PARSE_SPECIAL;
    model m;
    hlmi_tokenizer *t;
    begin(&m);
    add(&m, "x " VOCAB, 1);
    settings(&m, 2, "pe");
    ck_assert_msg(load(&t, &m, config, NULL) == HLM_OK, "%s", hlmi_error());
    ck_assert_int_eq(hlmi_tokenizer_find(t, "<q>", 3), 3); /* takes the place of "x" */
    ck_assert_int_eq(hlmi_tokenizer_find(t, "<tool>", 6), 12);
    ck_assert_int_eq(hlmi_tokenizer_special(t).eos, 13);
    ck_assert(hlmi_tokenizer_ends(t, 13));
    pieces_are(t, "ab <q>a<tool>", all, "<s>|" SP "ab|<q>|" SP "a|<tool>|<end>");
    pieces_are(t, "a<tool>", 0, SP "a|<tool>");
    pieces_are(t, "<s>  a", HLM_TOKENIZE_PARSE_SPECIAL, "<s>|" SP "a");
    hlmi_tokenizer_free(t);
    ck_assert_msg(load(&t, &m, "{\"pad_token\": \"<p>\"}", "{\"<x>\": 20, \"<p>\": 21}") == HLM_OK, "%s", hlmi_error());
    ck_assert_int_eq(hlmi_tokenizer_find(t, "<x>", 3), 20);
    ck_assert_int_eq(hlmi_tokenizer_special(t).pad, 21);
    ck_assert(hlmi_tokenizer_is_special(t, 21) && !hlmi_tokenizer_is_special(t, 20));
    pieces_are(t, "a", all, "<s>|" SP "a");
    hlmi_tokenizer_free(t);
    ck_assert_int_eq(load(&t, &m, "{\"tokenizer_class\": \"T5Tokenizer\"}", NULL), HLM_OK);
    pieces_are(t, "a", all, SP "a|</s>");
    hlmi_tokenizer_free(t);
    hlmi_buf_free(&m.bytes);
}
END_TEST

/* Unigram's paths may run over markers, but not in text of a chat's messages. */
START_TEST(messages_have_no_markers)
{
    static const char text[] = "a<s>b", own[] = "\1\1\1\1\1", foreign[] = "\0\0\0\0\0";
    const hlmi_mem mem = hlmi_mem_default();
    model m;
    hlmi_tokenizer *t;
    begin(&m);
    add(&m, VOCAB, 1);
    settings(&m, 1, "pe");
    ck_assert_msg(load(&t, &m, NULL, NULL) == HLM_OK, "%s", hlmi_error());
    pieces_are(t, text, 0, SP "a|<s>|b"); /* as the tokenizers package has it */
    for (int k = 0; k < 2; k++) {
        hlmi_ids ids;
        size_t markers = 0;
        hlmi_ids_init(&ids, &mem);
        ck_assert_int_eq(hlmi_tokenizer_encode_traced(t, text, 5, k ? own : foreign, &ids), HLM_OK);
        for (size_t i = 0; i < ids.n; i++) markers += ids.v[i] == hlmi_tokenizer_special(t).bos;
        ck_assert_uint_eq(markers, k ? 1 : 0);
        hlmi_ids_free(&ids);
    }
    hlmi_tokenizer_free(t);
    hlmi_buf_free(&m.bytes);
}
END_TEST

START_TEST(bad_models)
{
    model m;
    begin(&m);
    refused((put_piece(&m.bytes, "<s>", 0.0f, 1), &m), "are both '<s>'");
    begin(&m);
    refused((put_piece(&m.bytes, "", 0.0f, 1), &m), "piece 3: has no text");
    begin(&m);
    refused((put_piece(&m.bytes, "a", 0.0f, 7), &m), "its type is 7");
    begin(&m);
    refused((put_piece(&m.bytes, "other", 0.0f, 2), &m), "both stand for the unknown");
    begin(&m);
    refused((settings(&m, 3, ""), &m), "model_type 3 (words)");
    begin(&m);
    refused((hlmi_buf_add(&m.bytes, "\x02\x00", 2), &m), "a field has the number 0");
    begin(&m);
    refused((hlmi_buf_add(&m.bytes, "\x0B\x0C", 2), &m), "field 1 has the wire type 3");
    begin(&m);
    refused((hlmi_buf_add(&m.bytes, "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11), &m), "does not end");
    begin(&m);
    refused((hlmi_buf_add(&m.bytes, "\x08\x01", 2), &m), "a piece has the wire type 0");
    begin(&m);
    refused((put_block(&m.bytes, 3, "\x12\x05\x04\x00\x00\x00\x00", 7), &m), "precompiled_charsmap");
    begin(&m);
    refused((put_block(&m.bytes, 2, "\x98\x02\x01\xC0\x01\x01", 6), &m), "treat_whitespace_as_suffix");
}
END_TEST

/* A model with byte_fallback and the 256 pieces of bytes, the one of byte `c` as `text` of type `type` (NULL: left
 * out). */
static void begin_bytes(model *m, unsigned c, const char *text, uint32_t type)
{
    begin(m);
    put_block(&m->bytes, 2, "\x98\x02\x01", 3);
    for (unsigned i = 0; i < 256; i++) {
        char own[8];
        snprintf(own, sizeof own, "<0x%02X>", i);
        if (i != c) put_piece(&m->bytes, own, 0.0f, 6);
        else if (text) put_piece(&m->bytes, text, 0.0f, type);
    }
}

START_TEST(bytes_are_checked)
{
    static const char *const bad[] = {"<0x-1>",  "<0xff>", "<0xFf>",  "<0x+1>",  "<0x 1>", "<0X41>",   "<0x411>",
                                      "<0x4>",   "0x41",   "<0x41",   "[0x41]",  "<0xG1>", "<0x1G>",   "A",
                                      " <0x41>", "<0x>",   "<0x41> ", "<0x041>", "<0x/1>", "<0x1\xC3>"};
    hlmi_tokenizer *t;
    model m;
    begin_bytes(&m, 256, NULL, 0);
    ck_assert_msg(load(&t, &m, NULL, NULL) == HLM_OK, "%s", hlmi_error());
    pieces_are(t, "\xC3", 0, "<0xE2>|<0x96>|<0x81>|<0xEF>|<0xBF>|<0xBD>");
    hlmi_tokenizer_free(t);
    hlmi_buf_free(&m.bytes);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin_bytes(&m, 0xFF, bad[i], 6); /* in place of one, and beside all */
        refused(&m, "is a byte, but not spelled <0xHH>");
        begin_bytes(&m, 256, NULL, 0);
        put_piece(&m.bytes, bad[i], 0.0f, 6);
        refused(&m, "is a byte, but not spelled <0xHH>");
    }
    for (unsigned c = 0; c < 256; c++) {
        char own[8], words[64];
        snprintf(own, sizeof own, "<0x%02X>", c);
        begin_bytes(&m, c, NULL, 0);
        snprintf(words, sizeof words, "no piece '%s'", own);
        refused(&m, words);
        begin_bytes(&m, c, c == 7 ? "<0x08>" : own, c == 7 ? 6 : 1 + 3 * (c % 2)); /* normal, user-defined */
        snprintf(words, sizeof words, "'%s', has the type", own);
        refused(&m, c == 7 ? "are both '<0x08>'" : words);
    }
    begin(&m);
    refused((put_piece(&m.bytes, "<0x41>", 0.0f, 6), &m), "'<0x41>', is a byte, but byte_fallback is off");
    begin(&m);
    refused((put_block(&m.bytes, 2, "\x98\x02\x01", 3), &m), "no piece '<0x00>'");
}
END_TEST

/* GGUF files say the types of their tokens, too. */
START_TEST(bytes_of_vocabularies)
{
    static const struct {
        const char *model, *text;
        hlm_status st;
    } cases[] = {
        {"llama", "<0x41>", HLM_OK},       {"t5", "<0x41>", HLM_OK},           {"gpt2", "A", HLM_OK},
        {"llama", "<0x-1>", HLM_E_FORMAT}, {"llama", "<0xaf>", HLM_E_FORMAT},  {"t5", "<0x-1>", HLM_E_FORMAT},
        {"t5", "A", HLM_E_FORMAT},         {"llama", "<0x041>", HLM_E_FORMAT}, {"llama", "", HLM_E_FORMAT},
    };
    const hlmi_mem mem = hlmi_mem_default();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const hlmi_str tokens[] = {{"<unk>", 5}, {"<s>", 3}, {"</s>", 4}, {cases[i].text, strlen(cases[i].text)}};
        const int32_t types[] = {2, 3, 3, 6};
        const hlmi_vocab v = {.model = {cases[i].model, strlen(cases[i].model)},
                              .n_tokens = 4,
                              .tokens = tokens,
                              .types = types,
                              .bos = -1,
                              .eos = -1,
                              .unk = -1,
                              .pad = -1,
                              .eot = -1,
                              .eom = -1};
        hlmi_tokenizer *t;
        ck_assert_msg(hlmi_tokenizer_from_vocab(&t, &mem, &v) == cases[i].st, "case %zu: %s", i, hlmi_error());
        hlmi_tokenizer_free(t);
    }
}
END_TEST

/* Every beginning of a model, in a block of just its size, is refused or accepted, but nothing behind it is read. */
START_TEST(cut_short)
{
    model m;
    hlmi_tokenizer *t;
    begin(&m);
    add(&m, VOCAB, 1);
    settings(&m, 1, "pse");
    for (size_t n = 0; n <= m.bytes.len; n++) {
        char *part = malloc(n ? n : 1);
        memcpy(part, m.bytes.data, n);
        const model cut = {.bytes = {.data = part, .len = n}};
        load(&t, &cut, NULL, NULL);
        hlmi_tokenizer_free(t);
        free(part);
    }
    hlmi_buf_free(&m.bytes);
}
END_TEST

/* ---- memory that runs out ---- */

typedef struct counted {
    int left, live;
} counted;

static void *counted_alloc(void *user, size_t size, size_t align)
{
    counted *c = user;
    if (c->left-- <= 0) return NULL;
    c->live++;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void counted_free(void *user, void *ptr)
{
    ((counted *)user)->live--;
    free(ptr);
}

START_TEST(no_memory)
{
    static const char config[] = "{\"legacy\": false, \"eos_token\": \"<end>\"}";
    hlm_status st = HLM_E_NOMEM;
    model m;
    begin(&m);
    add(&m, VOCAB, 1);
    settings(&m, 1, "pse");
    for (int k = 0; st != HLM_OK && k < 10000; k++) {
        counted c = {k, 0};
        const hlmi_mem mem = {&c, counted_alloc, counted_free};
        const hlmi_side_files f = {.config = config, .config_len = sizeof config - 1};
        hlmi_tokenizer *t;
        st = hlmi_tokenizer_from_spm(&t, &mem, m.bytes.data, m.bytes.len, &f);
        ck_assert_msg(st == HLM_OK || st == HLM_E_NOMEM, "allocation %d: %s", k, hlmi_error());
        hlmi_tokenizer_free(t);
        ck_assert_int_eq(c.live, 0);
    }
    ck_assert_int_eq(st, HLM_OK);
    hlmi_buf_free(&m.bytes);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {spaces_in_front, spaces_squeezed,          spaces_as_they_are,   kinds_of_pieces,
                                  special_tokens,  messages_have_no_markers, bad_models,           cut_short,
                                  no_memory,       bytes_are_checked,        bytes_of_vocabularies};
    return suite_run("spm", tests, sizeof tests / sizeof *tests);
}
