/* A tokenizer from vocab.json and merges.txt, the files of transformers before there was a tokenizer.json: byte-level
 * BPE whose normalizer and splitting are known by the class alone. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/size.h"
#include "text/json_read.h"
#include "text/side.h"
#include "text/tokenizer_impl.h"

#define VOCAB "vocab.json"
#define MERGES "merges.txt"

/* ---- merges.txt: "left right" a line; the first may name a version ---- */

static hlm_status add_line(hlmi_json *list, const char *s, size_t len, size_t number)
{
    const char *space = memchr(s, ' ', len);
    const size_t left = space ? (size_t)(space - s) : 0;
    if (left == 0 || left + 1 == len || memchr(space + 1, ' ', len - left - 1))
        return hlmi_fail(HLM_E_FORMAT, "%s, line %zu: '%.*s' is not two tokens", MERGES, number,
                         (int)hlmi_min_size(len, 80), s);
    if (hlmi_json_append(list, s, len)) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "%s, line %zu is not UTF-8", MERGES, number);
}

static hlm_status read_merges(hlmi_json *list, hlmi_str text)
{
    static const char version[] = "#version";
    size_t number = 1;
    for (const char *s = text.s, *stop = text.s + text.len; s < stop; number++) {
        const char *end = memchr(s, '\n', (size_t)(stop - s));
        const char *next = end ? end + 1 : stop;
        size_t len = (size_t)((end ? end : stop) - s);
        if (len && s[len - 1] == '\r') len--;
        const bool skip = len == 0 || (len >= sizeof version - 1 && memcmp(s, version, sizeof version - 1) == 0);
        HLMI_DO(skip ? HLM_OK : add_line(list, s, len, number));
        s = next;
    }
    return HLM_OK;
}

/* ---- the class ---- */

static hlm_status check_class(const hlmi_side *side, const hlmi_side_files *files)
{
    const char *name = hlmi_json_string(side->config, "tokenizer_class");
    const char *type = files ? files->model_type : NULL;
    if (!name && files) name = files->class_name;
    if (side->kind && side->kind->stages) return HLM_OK;
    if (name)
        return hlmi_fail(HLM_E_UNSUPPORTED,
                         "tokenizer_class '%.80s' is not known to read %s and %s; GPT2Tokenizer, CodeGenTokenizer, "
                         "GPTNeoXTokenizer, Qwen2Tokenizer, Qwen3_5Tokenizer and RoBERTa's are",
                         name, VOCAB, MERGES);
    return hlmi_fail(HLM_E_UNSUPPORTED,
                     "%s and %s: no file names a tokenizer_class, and none is known for the model_type '%.80s'", VOCAB,
                     MERGES, type ? type : "");
}

/* ---- around a text ---- */

static hlm_status put_named(hlmi_tokenizer *t, const hlmi_side *side, const char *key, hlmi_ids *ids)
{
    int32_t id = -1;
    HLMI_DO(hlmi_side_special_id(t, side, key, &id, NULL));
    return id >= 0 ? hlmi_ids_push(ids, id) : HLM_OK;
}

static hlm_status read_around(hlmi_tokenizer *t, const hlmi_side *side)
{
    const bool around = side->kind->around;
    if (around || hlmi_json_flag(side->config, "add_bos_token", false))
        HLMI_DO(put_named(t, side, around ? "cls_token" : "bos_token", &t->post.prefix));
    if (around || hlmi_json_flag(side->config, "add_eos_token", false))
        HLMI_DO(put_named(t, side, around ? "sep_token" : "eos_token", &t->post.suffix));
    return HLM_OK;
}

/* ---- the whole ---- */

/* What a tokenizer.json of the class would hold. */
static hlm_status make_root(hlmi_json **out, const hlmi_mem *mem, const hlmi_side *side, hlmi_str vocab,
                            hlmi_str merges)
{
    hlm_status st;
    char text[1024];
    hlmi_json *words = NULL, *list = hlmi_json_array(), *model = hlmi_json_object();
    const bool prefix = hlmi_json_flag(side->config, "add_prefix_space", side->kind->prefix_space);
    const int n = snprintf(text, sizeof text, "{");
    const int m = snprintf(text + n, sizeof text - (size_t)n, side->kind->stages, prefix ? "true" : "false");
    snprintf(text + n + m, sizeof text - (size_t)(n + m), "}");
    HLMI_TRY(hlmi_json_parse(out, mem, HLMI_JSON_SETTINGS, text, strlen(text), "the class"));
    HLMI_TRY(hlmi_json_parse(&words, mem, HLMI_JSON_TOKENIZER, vocab.s, vocab.len, VOCAB));
    if (!list || !model) HLMI_TRY(hlmi_nomem(0, MERGES));
    HLMI_TRY(read_merges(list, merges));
    if (!hlmi_json_put(model, "vocab", words) || !hlmi_json_put(model, "merges", list) ||
        !hlmi_json_put(*out, "model", model))
        st = hlmi_nomem(0, VOCAB);
done:
    hlmi_json_free(words);
    hlmi_json_free(list);
    hlmi_json_free(model);
    return st;
}

hlm_status hlmi_tokenizer_from_merges(hlmi_tokenizer **out, const hlmi_mem *mem, hlmi_str vocab, hlmi_str merges,
                                      const hlmi_side_files *files)
{
    hlm_status st;
    hlmi_tokenizer *t = NULL;
    hlmi_json *root = NULL;
    hlmi_side side = {0};
    *out = NULL;
    HLMI_TRY(hlmi_side_read(&side, mem, files));
    HLMI_TRY(check_class(&side, files));
    HLMI_TRY(make_root(&root, mem, &side, vocab, merges));
    HLMI_TRY(hlmi_tokenizer_alloc(&t, mem));
    HLMI_TRY(hlmi_json_build(t, root, &side, VOCAB, true));
    HLMI_TRY(read_around(t, &side));
    *out = t;
    t = NULL;
done:
    hlmi_json_free(root);
    hlmi_side_free(&side);
    hlmi_tokenizer_free(t);
    return st;
}
