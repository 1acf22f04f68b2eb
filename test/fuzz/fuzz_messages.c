/* Fuzz target: messages, tools and extra variables as JSON, through the public calls. The first byte says which model
 * (bits 0 to 2), whether an answer is opened (bit 3) and by which template (bits 4 to 7); then messages, tools, extra
 * and a template follow, parted by zero bytes, and what is empty is not given. Every call is made twice, for the size
 * and with room for exactly that; and the text of the messages, cut into roles and contents, is rendered from structs
 * and from JSON, which must agree. */
#define _GNU_SOURCE 1
#include <hybridlm/hybridlm.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fuzz/promised.h"
#include "fuzz/capped.h"

#ifndef DATA
#  define DATA "test/data" /* from the project's folder */
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODELS = 8, TEXTS = 4, PIECES = 32, CAP = 256 << 20, LONGEST = 1 << 16 };

static const char *const paths[MODELS] = {DATA "/tokenizers/added_tokens_zoo/tokenizer.json",
                                          DATA "/tokenizers/huozi_spm_bpe/tokenizer.json",
                                          DATA "/tokenizers/llama3_bpe/tokenizer.json",
                                          DATA "/tokenizers/huozi_spm_bpe/vocab.gguf",
                                          DATA "/tokenizers/unigram_nfkc/tokenizer.model",
                                          DATA "/chat/named",
                                          DATA "/chat/plain",
                                          DATA "/chat/named.gguf"};

/* NULL: the model's own. */
static const char *const names[16] = {NULL,      "chatml",    "huozi", "huozi_roles", "hymba",   "llama2",   "llama3",
                                      "mixtral", "persimmon", "phi",   "phi_chat",    "default", "tool_use", "rag",
                                      "nobody",  ""};

static capped memory = {.cap = CAP};

static const hlm_model *model_open(size_t i)
{
    static hlm_model *opened[MODELS];
    const hlm_allocator a = capped_allocator(&memory);
    const hlm_model_params p = {.struct_size = sizeof p, .flags = HLM_LOAD_VOCAB_ONLY, .allocator = &a};
    if (!opened[i]) PROMISED(hlm_model_load(&opened[i], paths[i], &p) == HLM_OK);
    return opened[i];
}

/* ---- the calls ---- */

typedef struct request {
    const hlm_model *model;
    const hlm_chat_params *params;
    const char *json; /* NULL: the structs */
    const hlm_message *messages;
    size_t n;
    bool tokens; /* and not text */
} request;

/* What a call gave. */
typedef struct given {
    hlm_status st;
    void *data;
    size_t n;
    bool refused; /* memory: the status then depends on how much was free */
} given;

static hlm_status call(const request *r, void *out, size_t cap, size_t *n)
{
    if (r->json && r->tokens) return hlm_chat_tokenize(r->model, r->json, r->params, out, cap, n);
    if (r->json) return hlm_chat_render(r->model, r->json, r->params, out, cap, n);
    if (r->tokens) return hlm_chat_tokenize_messages(r->model, r->messages, r->n, r->params, out, cap, n);
    return hlm_chat_render_messages(r->model, r->messages, r->n, r->params, out, cap, n);
}

/* Only what the header says, and with a sentence. */
static void check_status(hlm_status st)
{
    static const hlm_status named[] = {HLM_E_ARG,      HLM_E_FORMAT, HLM_E_UNSUPPORTED,
                                       HLM_E_TEMPLATE, HLM_E_LIMIT,  HLM_E_SPACE};
    bool known = st == HLM_OK || (st == HLM_E_NOMEM && memory.refused);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) known = known || st == named[i];
    PROMISED(known);
    if (st != HLM_OK) PROMISED(strlen(hlm_last_error()) > 5);
}

static given ask(const request *r)
{
    given g = {HLM_OK, NULL, 0, false};
    size_t n = 0;
    const size_t before = memory.live, width = r->tokens ? sizeof(int32_t) : 1;
    memory.refused = false;
    g.st = call(r, NULL, 0, &n);
    check_status(g.st);
    PROMISED(memory.live == before);
    PROMISED(g.st == HLM_OK ? n == 0 : g.st != HLM_E_SPACE || n > 0);
    if (g.st == HLM_E_SPACE) {
        g.n = n;
        g.data = malloc(n * width);
        PROMISED(g.data);
        g.st = call(r, g.data, n, &n);
        check_status(g.st);
        PROMISED(memory.live == before);
        PROMISED(g.st == HLM_OK ? n == g.n : memory.refused);
    }
    g.refused = memory.refused;
    return g;
}

static void ask_both(const request *r)
{
    for (int tokens = 0; tokens < 2; tokens++) {
        request one = *r;
        one.tokens = tokens;
        free(ask(&one).data);
    }
}

/* ---- roles and contents ---- */

/* Cuts text, which is changed, at the quotes of JSON, or else at the ends of lines. */
static size_t cut(char *text, hlm_message *out)
{
    const char at = text[0] == '[' || text[0] == '{' ? '"' : '\n';
    const char *pieces[PIECES];
    size_t n = 0;
    while (text && n < PIECES) {
        char *end = strchr(text, at);
        if (end) *end++ = '\0';
        pieces[n++] = text;
        text = end;
    }
    for (size_t i = 0; i < n / 2; i++) out[i] = (hlm_message){pieces[2 * i], pieces[2 * i + 1]};
    return n / 2;
}

/* NULL: one of the strings is no UTF-8. */
static char *to_json(const hlm_message *messages, size_t n)
{
    json_t *all = json_array();
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();
        good = good && json_object_set_new(one, "role", json_string(messages[i].role)) == 0 &&
            json_object_set_new(one, "content", json_string(messages[i].content)) == 0;
        json_array_append_new(all, one);
    }
    char *text = good ? json_dumps(all, JSON_ENSURE_ASCII) : NULL;
    json_decref(all);
    return text;
}

static void compare(const request *r, const char *json)
{
    for (int tokens = 0; tokens < 2; tokens++) {
        request one = *r, other = *r;
        one.tokens = other.tokens = tokens;
        other.json = json;
        const given a = ask(&one);
        if (json) {
            const given b = ask(&other);
            if (!a.refused && !b.refused) {
                PROMISED(a.st == b.st && a.n == b.n);
                if (a.st == HLM_OK && a.n) PROMISED(memcmp(a.data, b.data, a.n * (tokens ? sizeof(int32_t) : 1)) == 0);
            }
            free(b.data);
        } else {
            PROMISED(a.st == HLM_E_FORMAT || (tokens && a.st == HLM_E_UNSUPPORTED));
        }
        free(a.data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *texts[TEXTS];
    hlm_message messages[PIECES / 2];
    if (size == 0 || size > LONGEST) return 0;
    const uint8_t how = *data++;
    size--;
    for (size_t i = 0; i < TEXTS; i++) { /* blocks of the exact size, so that a sanitizer sees a read past the end */
        texts[i] = strndup(size ? (const char *)data : "", size);
        PROMISED(texts[i]);
        const size_t used = strlen(texts[i]) + 1;
        data += used < size ? used : size;
        size -= used < size ? used : size;
    }
    const hlm_chat_params p = {.struct_size = sizeof p,
                               .flags = how & 8 ? HLM_CHAT_NO_GENERATION_PROMPT : 0,
                               .tools_json = *texts[1] ? texts[1] : NULL,
                               .extra_json = *texts[2] ? texts[2] : NULL,
                               .chat_template = *texts[3] ? texts[3] : NULL,
                               .now = 1785000000,
                               .template_name = names[how >> 4]};
    request r = {.model = model_open(how % MODELS), .params = &p, .json = texts[0]};
    ask_both(&r);
    r.json = NULL;
    r.n = cut(texts[0], messages);
    r.messages = messages;
    char *json = to_json(messages, r.n);
    compare(&r, json);
    free(json);
    for (size_t i = 0; i < TEXTS; i++) free(texts[i]);
    return 0;
}
