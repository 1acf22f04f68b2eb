/* Markers that a file does not call special: by every container, type and name, what ends an answer is found in a text
 * with PARSE_SPECIAL only, and left out by SKIP_SPECIAL. */
#include <string.h>

#include "text/tokenizer.h"
#include "unit/suite.h"

static const char *const names[] = {"<|im_end|>",
                                    "<|eot_id|>",
                                    "<|eom_id|>",
                                    "<|eot|>",
                                    "<|EOT|>",
                                    "<|end|>",
                                    "<|end_of_turn|>",
                                    "<|END_OF_TURN_TOKEN|>",
                                    "<|endofturn|>",
                                    "[|endofturn|]",
                                    "<end_of_turn>",
                                    "<turn|>",
                                    "<|endofutterance|>",
                                    "<end_of_utterance>",
                                    "<EOT>",
                                    "_<EOT>",
                                    "[EOT]",
                                    "[e~[",
                                    "<|return|>",
                                    "<|call|>",
                                    "<|calls|>",
                                    "<|flush|>",
                                    "<|tool_response>",
                                    "<|endoftext|>",
                                    "<|end_of_text|>",
                                    "<|end_of_sentence|>",
                                    "<\uff5cend\u2581of\u2581sentence\uff5c>",
                                    "</s>",
                                    "<eos>",
                                    "[EOS]",
                                    "<|fim_pad|>",
                                    "<fim-pad>",
                                    "<fim_pad>",
                                    "<PAD>",
                                    "[PAD]",
                                    "<|fim_repo|>",
                                    "<|repo_name|>",
                                    "<fim-repo>",
                                    "<REPO>",
                                    "<reponame>",
                                    "<|file_sep|>"};
enum { N_NAMES = sizeof names / sizeof *names, PLAIN = 3 + 256 };

/* ---- a small vocabulary of a GGUF file: three tokens, the bytes, and what a test adds ---- */

typedef struct vocab {
    hlmi_vocab v;
    hlmi_str tokens[PLAIN + 8];
    int32_t types[PLAIN + 8];
    char text[256][8];
} vocab;

static void put(vocab *m, const char *text, int32_t type)
{
    m->tokens[m->v.n_tokens] = (hlmi_str){text, strlen(text)};
    m->types[m->v.n_tokens++] = type;
}

/* The character that byte-level vocabularies spell a byte with, for ASCII. */
static void put_byte(vocab *m, int byte, bool level)
{
    char *s = m->text[byte];
    if (!level) snprintf(s, 8, "<0x%02X>", (unsigned)byte);
    else if (byte > 32 && byte < 127) snprintf(s, 8, "%c", byte);
    else snprintf(s, 8, "\xC6%c", 0x80 + byte % 64); /* never asked for */
    if (level && byte == ' ') strcpy(s, "\u0120");
    if (level && byte == '\n') strcpy(s, "\u010A");
    put(m, s, level ? HLMI_TYPE_NORMAL : HLMI_TYPE_BYTE);
}

static void begin_vocab(vocab *m, const char *model)
{
    memset(m, 0, sizeof *m);
    const bool level = strcmp(model, "gpt2") == 0;
    m->v = (hlmi_vocab){.model = {model, strlen(model)},
                        .tokens = m->tokens,
                        .types = m->types,
                        .bos = -1,
                        .eos = -1,
                        .unk = -1,
                        .pad = -1,
                        .eot = -1,
                        .eom = -1,
                        .add_bos = 0,
                        .add_eos = 0,
                        .add_space_prefix = 0,
                        .remove_extra_whitespaces = 0};
    put(m, "<u>", HLMI_TYPE_CONTROL);
    put(m, "<b>", HLMI_TYPE_CONTROL);
    put(m, "<e>", HLMI_TYPE_CONTROL);
    for (int i = 0; i < 256; i++) put_byte(m, i, level);
}

static size_t count(const hlmi_tokenizer *t, const char *text, uint32_t flags, int32_t id)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_ids ids;
    size_t n = 0;
    hlmi_ids_init(&ids, &mem);
    ck_assert_msg(hlmi_tokenizer_encode(t, text, strlen(text), flags, &ids) == HLM_OK, "%s", hlmi_error());
    for (size_t i = 0; i < ids.n; i++) n += ids.v[i] == id;
    hlmi_ids_free(&ids);
    return n;
}

static size_t shown(const hlmi_tokenizer *t, int32_t id, uint32_t flags)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf out;
    hlmi_buf_init(&out, &mem);
    ck_assert_int_eq(hlmi_tokenizer_decode(t, &id, 1, flags, &out), HLM_OK);
    const size_t n = out.len;
    hlmi_buf_free(&out);
    return n;
}

static void expect_marker(const hlmi_tokenizer *t, const char *name, bool ends)
{
    char text[128];
    const int32_t id = hlmi_tokenizer_find(t, name, strlen(name));
    snprintf(text, sizeof text, "a%sb%s", name, name);
    ck_assert_msg(id >= 0, "%s is not there", name);
    ck_assert_msg(hlmi_tokenizer_ends(t, id) == ends, "%s %s", name, ends ? "does not end" : "ends");
    ck_assert_msg(hlmi_tokenizer_is_special(t, id), "%s is not special", name);
    ck_assert_msg(count(t, text, HLM_TOKENIZE_PARSE_SPECIAL, id) == 2, "%s is not parsed", name);
    ck_assert_msg(count(t, text, 0, id) == 0, "%s is found in plain text", name);
    ck_assert_uint_gt(shown(t, id, 0), 0);
    ck_assert_msg(shown(t, id, HLM_DETOKENIZE_SKIP_SPECIAL) == 0, "%s is shown", name);
}

static hlmi_tokenizer *build(vocab *m)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tokenizer *t;
    ck_assert_msg(hlmi_tokenizer_from_vocab(&t, &mem, &m->v) == HLM_OK, "%s", hlmi_error());
    return t;
}

static const char *const models[] = {"gpt2", "llama", "t5"};
static const int32_t types[] = {HLMI_TYPE_NORMAL, HLMI_TYPE_CONTROL, HLMI_TYPE_USER_DEFINED, HLMI_TYPE_UNUSED};

START_TEST(names_of_every_type)
{
    static vocab m;
    for (size_t k = 0; k < 3; k++)
        for (size_t y = 0; y < 4; y++)
            for (size_t i = 0; i < N_NAMES; i++) {
                begin_vocab(&m, models[k]);
                put(&m, names[i], types[y]);
                hlmi_tokenizer *t = build(&m);
                expect_marker(t, names[i], true);
                hlmi_tokenizer_free(t);
            }
}
END_TEST

START_TEST(ids_of_every_type)
{
    static vocab m;
    static const char *const texts[] = {"STOP", "<x|y>", "\u00bbfin\u00ab"};
    for (size_t k = 0; k < 2; k++)
        for (size_t y = 0; y < 4; y++)
            for (size_t i = 0; i < 3; i++)
                for (int part = 0; part < 3; part++) {
                    begin_vocab(&m, models[k]);
                    put(&m, texts[i], types[y]);
                    *(part == 0 ? &m.v.eos : part == 1 ? &m.v.eot : &m.v.eom) = PLAIN;
                    hlmi_tokenizer *t = build(&m);
                    expect_marker(t, texts[i], true);
                    hlmi_tokenizer_free(t);
                }
    for (int part = 0; part < 3; part++) { /* the other parts: no ends */
        begin_vocab(&m, "gpt2");
        put(&m, "<x|y>", HLMI_TYPE_NORMAL);
        put(&m, "STOP", HLMI_TYPE_USER_DEFINED);
        int32_t *id = part == 0 ? &m.v.bos : part == 1 ? &m.v.unk : &m.v.pad;
        for (*id = PLAIN; *id < PLAIN + 2; ++*id) {
            hlmi_tokenizer *t = build(&m);
            expect_marker(t, *id == PLAIN ? "<x|y>" : "STOP", false);
            hlmi_tokenizer_free(t);
        }
    }
}
END_TEST

/* Ordinary characters that a file names stay ordinary. */
START_TEST(text_stays_text)
{
    static vocab m;
    begin_vocab(&m, "gpt2");
    m.v.pad = m.v.bos = 3 + '!';
    m.v.eos = 3 + '\n';
    hlmi_tokenizer *t = build(&m);
    ck_assert(!hlmi_tokenizer_is_special(t, m.v.pad) && !hlmi_tokenizer_is_special(t, m.v.eos));
    ck_assert(hlmi_tokenizer_ends(t, m.v.eos) && !hlmi_tokenizer_ends(t, m.v.pad));
    ck_assert_uint_eq(count(t, "a!b\n", 0, m.v.pad), 1);
    ck_assert_uint_eq(shown(t, m.v.eos, HLM_DETOKENIZE_SKIP_SPECIAL), 1);
    hlmi_tokenizer_free(t);
    begin_vocab(&m, "llama");
    m.v.eot = 3 + '\n';
    t = build(&m);
    ck_assert(!hlmi_tokenizer_is_special(t, m.v.eot) && hlmi_tokenizer_ends(t, m.v.eot));
    hlmi_tokenizer_free(t);
}
END_TEST

static bool ends_beside(const char *name, const char *a, const char *b)
{
    static vocab m;
    begin_vocab(&m, "gpt2");
    put(&m, name, HLMI_TYPE_USER_DEFINED);
    if (a) put(&m, a, HLMI_TYPE_USER_DEFINED);
    if (b) put(&m, b, HLMI_TYPE_USER_DEFINED);
    hlmi_tokenizer *t = build(&m);
    const bool ends = hlmi_tokenizer_ends(t, PLAIN);
    hlmi_tokenizer_free(t);
    return ends;
}

START_TEST(names_beside_others)
{
    ck_assert(ends_beside("<|end|>", NULL, NULL));
    ck_assert(ends_beside("<|end|>", "<|call|>", NULL));
    ck_assert(!ends_beside("<|end|>", "<|call|>", "<|return|>"));
    ck_assert(!ends_beside("<|end|>", "<|calls|>", "<|flush|>"));
    ck_assert(ends_beside("</s>", "<s>", NULL));
    ck_assert(!ends_beside("</s>", "<s>", "</b>"));
    ck_assert(!ends_beside("</s>", "<|tool_response>", NULL));
}
END_TEST

/* ---- tokenizer.json ---- */

static hlmi_tokenizer *from_json(const char *name, const char *how, const char *normalizer)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tokenizer *t;
    char json[1024];
    snprintf(json, sizeof json,
             "{\"normalizer\":%s,\"added_tokens\":[{\"id\":4,\"content\":\"%s\",%s}],\"model\":{\"type\":\"BPE\","
             "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"aa\":3},\"merges\":[\"a b\",\"a a\"]}}",
             normalizer, name, how);
    ck_assert_msg(hlmi_tokenizer_from_json(&t, &mem, json, strlen(json), NULL) == HLM_OK, "%s", hlmi_error());
    return t;
}

START_TEST(names_in_json)
{
    static const char *const how[] = {"\"special\":true", "\"special\":false", "\"special\":false,\"normalized\":false",
                                      "\"special\":false,\"normalized\":true,\"lstrip\":true"};
    static const char *const norms[] = {"null", "{\"type\":\"Prepend\",\"prepend\":\"\u2581\"}", "{\"type\":\"NFKC\"}"};
    for (size_t i = 0; i < N_NAMES; i++)
        for (size_t k = 0; k < 4; k++)
            for (size_t n = 0; n < 3; n++) {
                hlmi_tokenizer *t = from_json(names[i], how[k], norms[n]);
                expect_marker(t, names[i], true);
                hlmi_tokenizer_free(t);
            }
}
END_TEST

/* What it takes of the spaces around it is as its list says. */
START_TEST(flags_stay)
{
    hlmi_tokenizer *t =
        from_json("[EOS]", "\"special\":true,\"normalized\":true,\"lstrip\":true", "{\"type\":\"Lowercase\"}");
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_ids ids;
    hlmi_ids_init(&ids, &mem);
    ck_assert_int_eq(hlmi_tokenizer_encode(t, "a  [EOS]b", 9, HLM_TOKENIZE_PARSE_SPECIAL, &ids), HLM_OK);
    ck_assert(ids.n == 3 && ids.v[0] == 0 && ids.v[1] == 4 && ids.v[2] == 1);
    hlmi_ids_free(&ids);
    hlmi_tokenizer_free(t);
}
END_TEST

START_TEST(eos_in_json)
{
    const hlmi_mem mem = hlmi_mem_default();
    static const char config[] = "{\"eos_token\":\"STOP\"}";
    static const char json[] =
        "{\"added_tokens\":[{\"id\":2,\"content\":\"STOP\",\"special\":false},{\"id\":3,\"content\":\"HALT\","
        "\"special\":false}],\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[]}}";
    const hlmi_side_files side = {.config = config, .config_len = strlen(config)};
    hlmi_tokenizer *t;
    ck_assert_int_eq(hlmi_tokenizer_from_json(&t, &mem, json, strlen(json), &side), HLM_OK);
    expect_marker(t, "STOP", true);
    ck_assert(!hlmi_tokenizer_is_special(t, 3));
    ck_assert_int_eq(hlmi_tokenizer_add_end(t, 3), HLM_OK); /* as of generation_config.json */
    expect_marker(t, "HALT", true);
    ck_assert_int_eq(hlmi_tokenizer_add_end(t, 4), HLM_OK);
    ck_assert_int_eq(hlmi_tokenizer_add_end(t, -1), HLM_OK);
    hlmi_tokenizer_free(t);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {names_of_every_type, ids_of_every_type, text_stays_text, names_beside_others,
                                  names_in_json,       flags_stay,        eos_in_json};
    return suite_run("markers", tests, sizeof tests / sizeof *tests);
}
