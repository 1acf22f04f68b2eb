/* Tokenizers: what the recorded cases (tokenizer_cases) do not show. test_tokenizer FOLDER, by default
 * test/data/tokenizers. */
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "text/pre.h"
#include "text/scan.h"
#include "text/tokenizer.h"
#include "text/tokenizer_impl.h"
#include "unit/suite.h"

static const char *folder = "test/data/tokenizers";

/* ---- helpers ---- */

static char *slurp(const char *name, size_t *len)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s can not be read", path);
    fseek(f, 0, SEEK_END);
    char *s = malloc((size_t)ftell(f) + 1);
    const long n = ftell(f);
    rewind(f);
    *len = fread(s, 1, (size_t)n, f);
    fclose(f);
    return s;
}

static hlmi_tokenizer *open_json(const char *name, const char *config)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tokenizer *t;
    size_t len;
    hlmi_side_files side = {0};
    char *json = slurp(name, &len), *c = config ? slurp(config, &side.config_len) : NULL;
    side.config = c;
    const hlm_status st = hlmi_tokenizer_from_json(&t, &mem, json, len, &side);
    ck_assert_msg(st == HLM_OK, "%s", hlmi_error());
    free(json);
    free(c);
    return t;
}

static hlm_status from_text(hlmi_tokenizer **t, const char *json)
{
    const hlmi_mem mem = hlmi_mem_default();
    return hlmi_tokenizer_from_json(t, &mem, json, strlen(json), NULL);
}

static void refuse(const char *json, hlm_status status, const char *words)
{
    hlmi_tokenizer *t;
    const hlm_status st = from_text(&t, json);
    ck_assert_msg(st == status && !t, "expected %d with '%s', got %d", (int)status, words, (int)st);
    ck_assert_msg(strstr(hlmi_error(), words) != NULL, "'%s' lacks '%s'", hlmi_error(), words);
}

#define MODEL "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"aa\":3},\"merges\":[\"a b\",\"a a\"]}"

/* ---- tests ---- */

START_TEST(ids_and_facts)
{
    hlmi_tokenizer *t = open_json("llama3_bpe/tokenizer.json", "llama3_bpe/tokenizer_config.json");
    const hlmi_special_ids s = hlmi_tokenizer_special(t);
    const int32_t eot = hlmi_tokenizer_find(t, "<|eot_id|>", 10);
    ck_assert_int_eq(hlmi_tokenizer_size(t), 5021);
    ck_assert_int_eq(s.bos, 5013);
    ck_assert_int_eq(s.eos, 5014);
    ck_assert_int_eq(s.pad, -1);
    ck_assert(hlmi_tokenizer_is_special(t, s.bos) && !hlmi_tokenizer_is_special(t, 0));
    ck_assert(hlmi_tokenizer_ends(t, s.eos) && hlmi_tokenizer_ends(t, eot) && !hlmi_tokenizer_ends(t, s.bos));
    ck_assert(!hlmi_tokenizer_ends(t, -1) && !hlmi_tokenizer_ends(t, 5021));
    ck_assert_int_eq(hlmi_tokenizer_find(t, "no such token", 13), -1);
    hlmi_tokenizer_free(t);
}
END_TEST

START_TEST(ids_outside)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tokenizer *t;
    hlmi_tstream *s;
    hlmi_buf out;
    const char *text;
    size_t len;
    hlmi_buf_init(&out, &mem);
    ck_assert_int_eq(from_text(&t, "{" MODEL "}"), HLM_OK);
    ck_assert_int_eq(hlmi_tokenizer_decode(t, (const int32_t[]){0, 4}, 2, 0, &out), HLM_E_TOKEN);
    ck_assert_int_eq(hlmi_tokenizer_decode(t, (const int32_t[]){-1}, 1, 0, &out), HLM_E_TOKEN);
    ck_assert_int_eq(hlmi_tokenizer_piece(t, 4, &out), HLM_E_TOKEN);
    ck_assert_uint_eq(out.len, 0);
    ck_assert_int_eq(hlmi_tstream_new(&s, &mem, t, 0), HLM_OK);
    ck_assert_int_eq(hlmi_tstream_push(s, 99, &text, &len), HLM_E_TOKEN);
    ck_assert_int_eq(hlmi_tstream_push(s, 2, &text, &len), HLM_OK);
    ck_assert(len == 2 && memcmp(text, "ab", 2) == 0);
    hlmi_tstream_free(s);
    hlmi_tokenizer_free(t);
}
END_TEST

/* What one step hands on stays as it is while the next one, of the same kind, works. */
START_TEST(two_decoders_of_a_kind)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tokenizer *t;
    hlmi_buf out;
    hlmi_buf_init(&out, &mem);
    ck_assert_int_eq(from_text(&t,
                               "{\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"BPEDecoder\"},"
                               "{\"type\":\"BPEDecoder\",\"suffix\":\"@@\"}]},\"model\":{\"type\":\"BPE\",\"vocab\":"
                               "{\"</w>aa@@b\":0,\"</w>cc@@dddd\":1,\"</w>e\":2},\"merges\":[]}}"),
                     HLM_OK);
    ck_assert_int_eq(hlmi_tokenizer_decode(t, (const int32_t[]){0, 1, 2}, 3, 0, &out), HLM_OK);
    ck_assert_str_eq(out.data, " aa b cc dddde");
    hlmi_buf_free(&out);
    hlmi_tokenizer_free(t);
}
END_TEST

START_TEST(bad_files)
{
    refuse("{}", HLM_E_FORMAT, "model");
    refuse("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}}}", HLM_E_UNSUPPORTED,
           "model type 'WordPiece' is not supported; BPE and Unigram are");
    refuse("{\"normalizer\":{\"type\":\"BertNormalizer\"}," MODEL "}", HLM_E_UNSUPPORTED,
           "normalizer 'BertNormalizer' is not supported; Sequence, NFC");
    refuse("{\"decoder\":{\"type\":\"WordPiece\"}," MODEL "}", HLM_E_UNSUPPORTED, "decoder 'WordPiece'");
    refuse("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"ab\"]}}", HLM_E_FORMAT, "model.merges[0]");
    refuse("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a a\"]}}", HLM_E_FORMAT,
           "not in the vocabulary");
    refuse("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1}}}", HLM_E_FORMAT, "'a'");
    refuse("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":99999999}}}", HLM_E_FORMAT, "'a'");
    refuse("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0}}}", HLM_E_FORMAT, "two tokens");
    refuse("{\"normalizer\":{\"type\":\"Upper\"}," MODEL "}", HLM_E_UNSUPPORTED, "Upper");
    refuse("{\"decoder\":{\"type\":\"CTC\"}," MODEL "}", HLM_E_UNSUPPORTED, "CTC");
    refuse("{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\"}," MODEL "}",
           HLM_E_UNSUPPORTED, "regular expression '('");
    refuse("{\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"x\"}},"
           "{\"Sequence\":{\"id\":\"A\"}}]}," MODEL "}",
           HLM_E_FORMAT, "'x'");
}
END_TEST

static hlm_status encode_with(const char *json, const char *text, size_t len)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tokenizer *t;
    hlmi_ids ids;
    hlmi_ids_init(&ids, &mem);
    ck_assert_msg(from_text(&t, json) == HLM_OK, "%s", hlmi_error());
    const hlm_status st = hlmi_tokenizer_encode(t, text, len, 3, &ids);
    hlmi_ids_free(&ids);
    hlmi_tokenizer_free(t);
    return st;
}

START_TEST(budgets)
{
    static const char step[] = "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aa\"}";
    char json[8192] = "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[";
    char many[61];
    for (int i = 0; i < 40; i++) {
        strcat(json, i ? "," : "");
        strcat(json, step);
    }
    strcat(json, "]}," MODEL "}");
    ck_assert_int_eq(encode_with(json, "a", 1), HLM_E_LIMIT);
    memset(many, 'a', 60);
    many[60] = 'b';
    ck_assert_int_eq(encode_with("{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a+)+$\"},"
                                 "\"behavior\":\"Isolated\"}," MODEL "}",
                                 many, 61),
                     HLM_E_LIMIT);
    ck_assert_msg(strstr(hlmi_error(), "match limit") != NULL, "%s", hlmi_error());
}
END_TEST

/* The time of a word of n characters must not grow with n * n. */
START_TEST(long_words)
{
    const hlmi_mem mem = hlmi_mem_default();
    static const char *const files[] = {"llama3_bpe/tokenizer.json", "huozi_spm_bpe/tokenizer.json"};
    const size_t n = 1000000;
    char *text = malloc(n);
    for (size_t i = 0; i < n; i++) text[i] = "etaoinshrdlu"[(i * i + i / 7) % 12];
    for (size_t k = 0; k < 2; k++) {
        hlmi_tokenizer *t = open_json(files[k], NULL);
        hlmi_ids ids;
        hlmi_buf out;
        hlmi_ids_init(&ids, &mem);
        hlmi_buf_init(&out, &mem);
        const clock_t from = clock();
        ck_assert_int_eq(hlmi_tokenizer_encode(t, text, n, 0, &ids), HLM_OK);
        ck_assert_msg(clock() - from < 20 * CLOCKS_PER_SEC, "%s", files[k]);
        ck_assert_int_eq(hlmi_tokenizer_decode(t, ids.v, ids.n, 0, &out), HLM_OK);
        ck_assert(out.len == n && memcmp(out.data, text, n) == 0);
        hlmi_ids_free(&ids);
        hlmi_buf_free(&out);
        hlmi_tokenizer_free(t);
    }
    free(text);
}
END_TEST

/* A word that is, or merges into, the text of a special token is none in a chat's messages. */
START_TEST(words_are_no_markers)
{
    static const char *const models[] = {"\"ignore_merges\":true,", ""};
    const hlmi_mem mem = hlmi_mem_default();
    for (size_t k = 0; k < 2; k++) {
        char json[512];
        hlmi_tokenizer *t;
        hlmi_ids ids;
        snprintf(json, sizeof json,
                 "{\"added_tokens\":[{\"id\":2,\"content\":\"ab\",\"special\":true}],\"model\":{\"type\":\"BPE\",%s"
                 "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"]}}",
                 models[k]);
        ck_assert_msg(from_text(&t, json) == HLM_OK, "%s", hlmi_error());
        hlmi_ids_init(&ids, &mem);
        ck_assert_int_eq(hlmi_tokenizer_encode_traced(t, "ab", 2, "\0\0", &ids), HLM_OK);
        ck_assert(ids.n == 2 && ids.v[0] == 0 && ids.v[1] == 1);
        ids.n = 0;
        ck_assert_int_eq(hlmi_tokenizer_encode_traced(t, "ab", 2, "\1\1", &ids), HLM_OK);
        ck_assert(ids.n == 1 && ids.v[0] == 2);
        hlmi_ids_free(&ids);
        hlmi_tokenizer_free(t);
    }
}
END_TEST

/* ---- pre-tokenizers of GGUF files ---- */

/* The pieces of a text, divided by '|'. */
static void pieces_of(const char *name, const char *text, char *out)
{
    const hlmi_mem mem = hlmi_mem_default();
    const hlmi_pre *pre = NULL;
    hlmi_pretoks ps = {0};
    hlmi_pieces a = {.mem = mem, .text = text}, b = {.mem = mem};
    hlmi_buf_init(&a.own, &mem);
    hlmi_buf_init(&b.own, &mem);
    ck_assert_msg(hlmi_pre_find((hlmi_str){name, strlen(name)}, &pre) == HLM_OK, "%s", hlmi_error());
    for (size_t i = 0; i < HLMI_PRE_PATTERNS && pre->pattern[i]; i++)
        ck_assert_msg(hlmi_pretoks_add_regex(&ps, &mem, pre->pattern[i]) == HLM_OK, "%s: %s", name, hlmi_error());
    hlmi_pieces_add(&a, 0, strlen(text), true);
    ck_assert_msg(hlmi_pretoks_run(&ps, &a, &b) == HLM_OK, "%s: %s", name, hlmi_error());
    for (size_t i = 0; i < a.n; i++)
        out += sprintf(out, "%s%.*s", i ? "|" : "", (int)(a.v[i].end - a.v[i].begin), a.text + a.v[i].begin);
    hlmi_pretoks_free(&ps, &mem);
    hlmi_buf_free(&a.own);
    hlmi_buf_free(&b.own);
    hlmi_free(&mem, a.v);
    hlmi_free(&mem, b.v);
}

/* Expected by hand from llama.cpp's expressions. */
START_TEST(named_pretokenizers)
{
    static const struct {
        const char *names, *text, *want;
    } cases[] = {
        {"default", "ab1234!c", "ab|123|4|!|c"},
        {"gpt-2 phi-2 olmo exaone4 trillion", "It's 1234  x", "It|'s| 1234| | x"},
        {"llama-bpe lfm2 falcon-h1 dbrx glm4", "IT'S 12345\n\n x", "IT|'S| |123|45|\n\n| x"},
        {"jais-2", "a      b", "a|    | | b"},
        {"qwen2 stablelm2 solar-open grok-2 kormo", "x 123\n\ny", "x| |1|2|3|\n\n|y"},
        {"qwen35", "e\xCC\x81x 12", "e\xCC\x81x| |1|2"},
        {"laguna", "a\nb 1", "a|\n|b| |1"},
        {"ufakzeka", "it's", "it|'s"},
        {"minicpm5", "ab 12345", "ab| |123|45"},
        {"bailingmoe bailingmoe2 llada-moe", "a'S\n\nb", "a|'S|\n\n|b"},
        {"seed-coder", "a!\n 12", "a|!|\n| |1|2"},
        {"exaone-moe", "ab cd 12", "ab cd| |1|2"},
        {"smollm starcoder refact command-r minerva-7b mellum2", "a 12 b", "a| |1|2| b"},
        {"falcon", "a`b 12345", "a|`|b| |123|45"},
        {"tekken", "camelCase 12!\n/x", "camel|Case| |1|2|!\n/|x"},
        {"gpt-4o llama4 kanana2 minimax-m2", "HTMLPage It's 1234", "HTMLPage| It's| |123|4"},
        {"granite-embed-multi-97m", "e\xCC\x81X 1", "e\xCC\x81|X| |1"},
        {"tiny_aya cohere2moe", "x 12345", "x| |12|345"},
        {"youtu", "\xE4\xBD\xA0\xE5\xA5\xBDx12", "\xE4\xBD\xA0\xE5\xA5\xBD|x|1|2"},
        {"kimi-k2", "x\xE4\xBD\xA0y's 1234", "x|\xE4\xBD\xA0|y's| |123|4"},
        {"deepseek-v3 hunyuan-dense joyai-llm", "a!b 1234\xE4\xBD\xA0", "a|!b| |123|4|\xE4\xBD\xA0"},
        {"spark2_5", "ab\n\n12", "ab|\n|\n|1|2"},
        {"afmoe", "n 1234567", "n| |1|234|567"},
        {"deepseek-llm", "a b!12\n", "a| b|!|12|\n"},
        {"deepseek-coder", "a b!12\n", "a| b|!|1|2|\n"},
        {"bloom gpt3-finnish poro-chat", "a, b(c", "a|,| b|(|c"},
        {"viking", "a12, b", "a|1|2|,| b"},
        {"superbpe", "ab 1234567", "ab |1|234|567"},
        {"chameleon", "<sentinel:3>IMGIMGABZ a12", "<|sentinel|:|3|>|IMGIMGABZ| a|1|2"},
    };
    char name[64], got[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n;
        for (const char *p = cases[i].names; sscanf(p, "%63s%n", name, &n) == 1; p += n) {
            pieces_of(name, cases[i].text, got);
            ck_assert_msg(strcmp(got, cases[i].want) == 0, "%s: '%s' becomes '%s'", name, cases[i].text, got);
        }
    }
}
END_TEST

/* ---- long words against merging as it is defined ---- */

enum { TOYS = 40, TOY_TEXT = 3000 };

/* A vocabulary of three letters and of random merges, in random order: not as training gives them. */
typedef struct toy {
    char token[TOYS][64];
    int n;
    int left[TOYS], right[TOYS], id[TOYS], merges;
} toy;

static uint32_t next_random(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 16) % below;
}

static void toy_make(toy *v, uint32_t *seed)
{
    strcpy(v->token[0], "a");
    strcpy(v->token[1], "b");
    strcpy(v->token[2], "c");
    v->n = 3;
    v->merges = 0;
    for (int tries = 0; v->n < TOYS && tries < 1000; tries++) {
        const int l = (int)next_random(seed, (uint32_t)v->n), r = (int)next_random(seed, (uint32_t)v->n);
        char joined[128];
        bool known = snprintf(joined, sizeof joined, "%s%s", v->token[l], v->token[r]) > 60;
        for (int i = 0; i < v->n; i++) known = known || strcmp(v->token[i], joined) == 0;
        if (known) continue;
        memcpy(v->token[v->n], joined, strlen(joined) + 1);
        const int at = (int)next_random(seed, (uint32_t)v->merges + 1), last = v->merges++;
        v->left[last] = v->left[at];
        v->right[last] = v->right[at];
        v->id[last] = v->id[at];
        v->left[at] = l;
        v->right[at] = r;
        v->id[at] = v->n++;
    }
}

static hlmi_tokenizer *toy_open(const toy *v)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tokenizer *t;
    hlmi_buf json;
    hlmi_buf_init(&json, &mem);
    hlmi_buf_str(&json, "{\"model\":{\"type\":\"BPE\",\"vocab\":{");
    for (int i = 0; i < v->n; i++) hlmi_buf_printf(&json, "%s\"%s\":%d", i ? "," : "", v->token[i], i);
    hlmi_buf_str(&json, "},\"merges\":[");
    for (int i = 0; i < v->merges; i++)
        hlmi_buf_printf(&json, "%s\"%s %s\"", i ? "," : "", v->token[v->left[i]], v->token[v->right[i]]);
    hlmi_buf_str(&json, "]}}");
    ck_assert_msg(from_text(&t, json.data) == HLM_OK, "%s", hlmi_error());
    hlmi_buf_free(&json);
    return t;
}

/* Merge by merge, of the lowest rank and then the leftmost. */
static size_t toy_merge(const toy *v, int *ids, size_t n)
{
    for (;;) {
        size_t best_at = 0;
        int best = v->merges;
        for (size_t i = 0; i + 1 < n; i++)
            for (int m = 0; m < best; m++)
                if (v->left[m] == ids[i] && v->right[m] == ids[i + 1]) {
                    best = m;
                    best_at = i;
                }
        if (best == v->merges) return n;
        ids[best_at] = v->id[best];
        memmove(ids + best_at + 1, ids + best_at + 2, (n - best_at - 2) * sizeof *ids);
        n--;
    }
}

START_TEST(chunks)
{
    const hlmi_mem mem = hlmi_mem_default();
    static char text[TOY_TEXT];
    static int want[TOY_TEXT];
    uint32_t seed = 1;
    for (int round = 0; round < 12; round++) {
        toy v;
        hlmi_ids ids;
        toy_make(&v, &seed);
        hlmi_tokenizer *t = toy_open(&v);
        hlmi_ids_init(&ids, &mem);
        const uint32_t letters = round % 3 == 2 ? 1 : 3; /* one: no neighbouring chunks agree, or all do */
        for (size_t i = 0; i < TOY_TEXT; i++) text[i] = (char)('a' + (want[i] = (int)next_random(&seed, letters)));
        const size_t n = toy_merge(&v, want, TOY_TEXT);
        ck_assert_int_eq(hlmi_tokenizer_encode(t, text, TOY_TEXT, 0, &ids), HLM_OK);
        ck_assert_uint_eq(ids.n, n);
        for (size_t i = 0; i < n; i++) ck_assert_int_eq(ids.v[i], want[i]);
        hlmi_ids_free(&ids);
        hlmi_tokenizer_free(t);
    }
}
END_TEST

/* A text of twelve parts that the expressions tell apart. */
static void random_text(uint32_t *seed, char text[128])
{
    static const char *const parts[] = {"a",
                                        "Zq",
                                        "\xC3\xA9",
                                        "\xE4\xBD\xA0",
                                        " ",
                                        "  ",
                                        "\t",
                                        "\n",
                                        "\r\n",
                                        "1",
                                        "234567",
                                        "\xC2\xBD",
                                        "'",
                                        "'s",
                                        "'RE",
                                        "'\xC5\xBF",
                                        "!",
                                        "?)",
                                        "\xE2\x80\xA8",
                                        "\xC2\x85",
                                        "\xE1\xA0\x8E",
                                        "\xCC\x81"};
    text[0] = '\0';
    for (int i = 0; i < 12; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        strcat(text, parts[(*seed >> 16) % (sizeof parts / sizeof *parts)]);
    }
}

/* The hand-written scanners against the expressions that they stand for. */
START_TEST(scanners)
{
    static const char *const patterns[] = {HLMI_SCAN_GPT2, HLMI_SCAN_LLAMA3, HLMI_SCAN_QWEN2};
    const hlmi_mem mem = hlmi_mem_default();
    uint32_t seed = 1;
    for (size_t p = 0; p < 3; p++) {
        hlmi_pattern re;
        hlmi_matches w;
        const hlmi_str source = {patterns[p], strlen(patterns[p])};
        const hlmi_scan *scan = hlmi_scan_find(source.s, source.len);
        ck_assert(scan != NULL);
        ck_assert_int_eq(hlmi_pattern_set(&re, &mem, source, true), HLM_OK);
        ck_assert_int_eq(hlmi_matches_begin(&w, &re), HLM_OK);
        for (int round = 0; round < 4000; round++) {
            char text[128];
            random_text(&seed, text);
            const size_t len = strlen(text);
            hlmi_matches_text(&w, text, len);
            for (size_t at = 0; at < len; at = w.end) {
                ck_assert_int_eq(hlmi_matches_next(&w), HLM_OK);
                ck_assert_msg(w.found && w.begin == at && w.end == hlmi_scan_next(scan, text, len, at), "'%s' at %zu",
                              text, at);
            }
        }
        hlmi_matches_end(&w);
        hlmi_pattern_free(&re, &mem);
    }
}
END_TEST

/* ---- memory that runs out ---- */

typedef struct budget {
    size_t left, live;
} budget;

static void *few_alloc(void *user, size_t size, size_t align)
{
    budget *b = user;
    if (b->left == 0) return NULL;
    b->left--;
    b->live++;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void few_free(void *user, void *p)
{
    ((budget *)user)->live--;
    free(p);
}

static hlm_status use_all(const hlmi_mem *mem, const char *json)
{
    static const char text[] = "<x> a ab\xFF aab 12!";
    hlmi_tokenizer *t = NULL;
    hlmi_ids ids;
    hlmi_buf out;
    hlm_status st;
    hlmi_ids_init(&ids, mem);
    hlmi_buf_init(&out, mem);
    HLMI_TRY(hlmi_tokenizer_from_json(&t, mem, json, strlen(json), NULL));
    HLMI_TRY(hlmi_tokenizer_encode(t, text, sizeof text - 1, 3, &ids));
    HLMI_TRY(hlmi_tokenizer_decode(t, ids.v, ids.n, 0, &out));
done:
    hlmi_ids_free(&ids);
    hlmi_buf_free(&out);
    hlmi_tokenizer_free(t);
    return st;
}

START_TEST(no_memory)
{
    static const char json[] =
        "{\"added_tokens\":[{\"id\":4,\"content\":\"<x>\",\"special\":true},{\"id\":5,\"content\":\"A\",\"normalized\":"
        "true}],"
        "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},{\"type\":\"Lowercase\"},"
        "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" +\"},\"content\":\" \"}]},"
        "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a+\"}"
        ","
        "\"behavior\":\"Isolated\"},{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"first\"}]},"
        "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}]}," MODEL "}";
    for (size_t k = 0;; k++) {
        budget b = {.left = k};
        const hlmi_mem mem = {.user = &b, .alloc = few_alloc, .free = few_free};
        const hlm_status st = use_all(&mem, json);
        ck_assert_uint_eq(b.live, 0);
        if (st == HLM_OK) break;
        ck_assert_msg(st == HLM_E_NOMEM && k < 1000, "after %zu allocations: %s", k, hlmi_error());
    }
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {
        ids_and_facts, ids_outside,         two_decoders_of_a_kind, bad_files, budgets, long_words, chunks,
        scanners,      named_pretokenizers, words_are_no_markers,   no_memory};
    if (argc > 1) folder = argv[1];
    return suite_run("tokenizer", tests, sizeof tests / sizeof *tests);
}
