/* Pre-tokenizers by name, as llama.cpp defines the names. */
#include "text/pre.h"

#include <string.h>

#include "text/scan.h"

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define SPACES "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define PUNCTUATION "[\\p{P}\\$\\+<=>\\^~\\|"
#define CJK "[\xE4\xB8\x80-\xE9\xBE\xA5\xE3\x81\x80-\xE3\x82\x9F\xE3\x82\xA0-\xE3\x83\xBF]+"

static const hlmi_pre pres[] = {
    {"default", {PUNCTUATION "]+", HLMI_SCAN_GPT2, "\\p{N}+", "[0-9][0-9][0-9]"}, false, false},
    {"gpt-2 phi-2 mpt olmo jais jina-es jina-de jina-v2-es jina-v2-de jina-v1-en jina-v2-code roberta-bpe gigachat "
     "a.x-4.0 mellum modern-bert trillion granite-docling",
     {HLMI_SCAN_GPT2},
     false,
     false},
    {"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2", {HLMI_SCAN_LLAMA3}, true, true},
    {"dbrx smaug-bpe chatglm-bpe glm4", {HLMI_SCAN_LLAMA3}, false, false},
    {"qwen2 stablelm2 deepseek-r1-qwen megrez hunyuan", {HLMI_SCAN_QWEN2}, false, false},
    {"smollm starcoder refact command-r codeshell exaone minerva-7b", {"\\p{N}", HLMI_SCAN_GPT2}, false, false},
    {"falcon", {PUNCTUATION "`]+", HLMI_SCAN_GPT2, "[0-9][0-9][0-9]"}, false, false},
    {"tekken",
     {BEFORE UPPER "*" LOWER "+|" BEFORE UPPER "+" LOWER "*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" SPACES},
     true,
     true},
    {"gpt-4o llama4",
     {BEFORE UPPER "*" LOWER "+" CONTRACTIONS "?|" BEFORE UPPER "+" LOWER "*" CONTRACTIONS
                   "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" SPACES},
     false,
     false},
    {"deepseek-v3",
     {"\\p{N}{1,3}", CJK,
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
      "| ?[\\p{P}\\p{S}]+[\\r\\n]*" SPACES},
     false,
     false},
};

static bool has_name(const char *names, hlmi_str name)
{
    for (const char *p = names, *end; *p; p = *end ? end + 1 : end) {
        end = strchr(p, ' ');
        if (!end) end = p + strlen(p);
        if ((size_t)(end - p) == name.len && memcmp(p, name.s, name.len) == 0) return true;
    }
    return false;
}

hlm_status hlmi_pre_find(hlmi_str name, const hlmi_pre **out)
{
    *out = &pres[0];
    if (name.len == 0) return HLM_OK;
    for (size_t i = 0; i < sizeof pres / sizeof *pres; i++) {
        *out = &pres[i];
        if (has_name(pres[i].names, name)) return HLM_OK;
    }
    return hlmi_fail(HLM_E_UNSUPPORTED, "pre-tokenizer '%.*s' is not known", (int)(name.len < 40 ? name.len : 40),
                     name.s);
}
