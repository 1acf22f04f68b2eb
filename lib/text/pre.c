/* Pre-tokenizers by name, as llama.cpp defines the names. Its expressions tell letters in upper and lower case apart in
 * ASCII only. */
#include "text/pre.h"

#include "base/find.h"
#include "text/scan.h"

#define CONTRACTIONS "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
#define NOT_LOWER "[^\\P{L}a-z]"
#define NOT_UPPER "[^\\P{L}A-Z]"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define SYMBOLS "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
#define SLASHED_SYMBOLS "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"
#define SPACES "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define PUNCTUATION "[\\p{P}\\$\\+<=>\\^~\\|"
#define ASCII_PUNCTUATION "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]"
#define KANA "\\x{3040}-\\x{30FF}"
#define CJK "[\\x{4E00}-\\x{9FA5}" KANA "]+"
#define EAST_ASIAN "[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+"
#define MARKED_WORDS ASCII_PUNCTUATION "[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
#define WORDS_OF(upper, lower, tail) BEFORE upper "*" lower "+" tail "|" BEFORE upper "+" lower "*" tail
#define BLOOM_WORDS " ?[^(\\s|.,!?\\x{2026}\\x{3002}\\x{FF0C}\\x{3001}\\x{964}\\x{6D4}\\x{60C})]+"
/* white space in the longest of these runs */
#define SPACE_RUNS                                                                                              \
  "|\\s*[\\r\\n]+|\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|\\s{64}(?!\\S)|\\s{32}(?!\\S)|\\s{16}(?!\\S)" \
  "|\\s{8}(?!\\S)|\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s{1}"
/* not Chinese characters, which stand by themselves */
#define KIMI_UPPER "(?:(?!\\p{Han})" UPPER ")"
#define KIMI_LOWER "(?:(?!\\p{Han})" LOWER ")"
#define AFMOE_SCRIPTS                                                                                        \
  "[\\x{4E00}-\\x{9FFF}\\x{3400}-\\x{4DBF}\\x{F900}-\\x{FAFF}" KANA "\\x{FF65}-\\x{FF9F}\\x{2F00}-\\x{2FDF}" \
  "\\x{E40}-\\x{E7F}\\x{E80}-\\x{EFF}\\x{1780}-\\x{17FF}\\x{1000}-\\x{109F}\\x{AA60}-\\x{AA7F}"              \
  "\\x{A9E0}-\\x{A9FF}\\x{AC00}-\\x{D7AF}\\x{1100}-\\x{11FF}]+"
/* letters with an upper or lower case, by an older edition of Unicode */
#define DEEPSEEK_LETTERS                                                                                     \
  "\\x{41}-\\x{5A}\\x{61}-\\x{7A}\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}"     \
  "\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}"     \
  "\\x{388}-\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}"            \
  "\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}"            \
  "\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}"          \
  "\\x{1F18}-\\x{1F1D}\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}\\x{1F5D}"  \
  "\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}" \
  "\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}\\x{1FF6}-\\x{1FFC}\\x{2102}" \
  "\\x{2107}\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}\\x{2126}\\x{2128}\\x{212A}-\\x{212D}"   \
  "\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}"            \
  "\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}"           \
  "\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}"          \
  "\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}"        \
  "\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}"                     \
  "\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}"

static const hlmi_pre pres[] = {
    {"default", .pattern = {PUNCTUATION "]+", HLMI_SCAN_GPT2, "\\p{N}+", "[0-9][0-9][0-9]"}},
    {"gpt-2 phi-2 mpt olmo jais jina-es jina-de jina-v2-es jina-v2-de jina-v1-en jina-v2-code roberta-bpe gigachat "
     "a.x-4.0 mellum modern-bert trillion granite-docling exaone4",
     .pattern = {HLMI_SCAN_GPT2}},
    {"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", .pattern = {HLMI_SCAN_LLAMA3},
     .ignore_merges = true, .add_bos = true},
    {"dbrx smaug-bpe chatglm-bpe glm4", .pattern = {HLMI_SCAN_LLAMA3}},
    {"jais-2", .pattern = {CONTRACTIONS "|" BEFORE "\\p{L}+|\\p{N}{1,3}" SYMBOLS SPACE_RUNS}},
    {"qwen2 stablelm2 deepseek-r1-qwen megrez hunyuan kormo f2llmv2 solar-open grok-2", .pattern = {HLMI_SCAN_QWEN2}},
    {"qwen35",
     .pattern = {CONTRACTIONS "|" BEFORE "[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*" SPACES}},
    {"laguna", .pattern = {"[^\\n]+|[\\n]+", HLMI_SCAN_QWEN2}},
    {"ufakzeka", .pattern = {BEFORE "\\p{L}+|\\p{N}" SYMBOLS SPACES}},
    {"minicpm5", .pattern = {"\\p{N}{1,3}", CONTRACTIONS "|" BEFORE "\\p{L}+|\\p{N}+" SYMBOLS SPACES},
     .ignore_merges = true},
    {"bailingmoe bailingmoe2 llada-moe",
     .pattern = {"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|" BEFORE "\\p{L}+|\\p{N}" SYMBOLS
                 "|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"}},
    {"seed-coder", .pattern = {CONTRACTIONS "|" BEFORE "\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+" SPACES}},
    {"exaone-moe",
     .pattern = {CONTRACTIONS "|" BEFORE "(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?"
                              "|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"}},
    {"smollm starcoder refact command-r codeshell exaone minerva-7b mellum2", .pattern = {"\\p{N}", HLMI_SCAN_GPT2}},
    {"falcon", .pattern = {PUNCTUATION "`]+", HLMI_SCAN_GPT2, "[0-9][0-9][0-9]"}},
    {"tekken", .pattern = {WORDS_OF(NOT_LOWER, NOT_UPPER, "") "|\\p{N}" SLASHED_SYMBOLS SPACES}, .ignore_merges = true,
     .add_bos = true},
    {"gpt-4o llama4 kanana2 talkie minimax-m2",
     .pattern = {WORDS_OF(NOT_LOWER, NOT_UPPER, CONTRACTIONS "?") "|\\p{N}{1,3}" SLASHED_SYMBOLS SPACES}},
    {"granite-embed-multi-97m",
     .pattern = {WORDS_OF("(?:(?![a-z])[\\p{L}\\p{M}])", "(?:(?![A-Z])[\\p{L}\\p{M}])",
                          CONTRACTIONS "?") "|\\p{N}{1,3}" SLASHED_SYMBOLS SPACES},
     .ignore_merges = true},
    {"tiny_aya cohere2moe",
     .pattern = {"[0-9]{1,3}(?=(?:[0-9]{3})*(?![A-Za-z0-9_]))",
                 WORDS_OF(UPPER, LOWER, CONTRACTIONS "?") "|\\p{N}{1,3}" SLASHED_SYMBOLS SPACES}},
    {"youtu",
     .pattern = {"[\\x{AC00}-\\x{D7A3}\\x{3131}-\\x{318E}]+"
                 "|[\\x{FF01}\\x{2026}\\x{201C}\\x{201D}\\x{2018}\\x{2019}\\x{2014}\\x{FF1A}\\x{FF1B}\\x{FF0C}"
                 "\\x{3001}-\\x{303F}\\x{FE30}-\\x{FE4F}]+|[\\x{3105}-\\x{312F}]+|" CJK,
                 WORDS_OF(UPPER, LOWER, CONTRACTIONS "?") "|\\p{N}" SLASHED_SYMBOLS SPACES},
     .ignore_merges = true},
    {"kimi-k2",
     .pattern = {"\\p{Han}+|" WORDS_OF(KIMI_UPPER, KIMI_LOWER, CONTRACTIONS "?") "|\\p{N}{1,3}" SYMBOLS SPACES}},
    {"deepseek-v3 hunyuan-dense joyai-llm hy_v4",
     .pattern = {"\\p{N}{1,3}", CJK, MARKED_WORDS "| ?[\\p{P}\\p{S}]+[\\r\\n]*" SPACES}},
    {"spark2_5",
     .pattern = {"\\p{N}{1,3}", CJK, MARKED_WORDS "| ?[\\p{P}\\p{S}]+|[\\r\\n]|\\s+(?!\\S)|\\s+", "\\p{N}"}},
    {"afmoe",
     .pattern = {"\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))", AFMOE_SCRIPTS,
                 MARKED_WORDS "| ?[\\p{P}\\p{S}]+[\\r\\n]*" SPACES}},
    {"deepseek-llm",
     .pattern = {"[\\r\\n]", "\\s?[" DEEPSEEK_LETTERS "]+",
                 "\\s?[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+", "\\s+$",
                 EAST_ASIAN, "\\p{N}+"}},
    {"deepseek-coder", .pattern = {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", EAST_ASIAN, "\\p{N}"}},
    {"bloom gpt3-finnish poro-chat", .pattern = {BLOOM_WORDS}},
    {"viking", .pattern = {BLOOM_WORDS, "\\p{N}"}},
    {"superbpe", .pattern = {"\\p{N}+", "(?=(?:[0-9]{3})+(?![0-9]))"}},
    {"chameleon",
     .pattern = {"<sentinel:[0-9]+>", "(?:IMGIMG)(?:[A-I]{1,4})Z", "[\\t\\n]|    |  ", "\\p{N}",
                 "[\\p{P}!-/:-@\\[-`{-~]", HLMI_SCAN_GPT2},
     .add_bos = true},
};

hlm_status hlmi_pre_find(hlmi_str name, const hlmi_pre **out)
{
    *out = &pres[0];
    if (name.len == 0) return HLM_OK;
    for (size_t i = 0; i < sizeof pres / sizeof *pres; i++) {
        *out = &pres[i];
        if (hlmi_among(pres[i].names, name)) return HLM_OK;
    }
    return hlmi_fail(HLM_E_UNSUPPORTED, "pre-tokenizer '%.*s' is not known", (int)(name.len < 40 ? name.len : 40),
                     name.s);
}
