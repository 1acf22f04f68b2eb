/* The classes of transformers that are known by name: what they suppose when the files say nothing, and how they read
 * vocab.json and merges.txt. The first entry of a model type is the one that is taken when no class is named. */
#include <string.h>

#include "text/side.h"

#define END "<|endoftext|>"
#define BYTES "\"decoder\":{\"type\":\"ByteLevel\"},"
#define PLAIN BYTES "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":%s,\"use_regex\":true}"
#define NFC "\"normalizer\":{\"type\":\"NFC\"},"

/* Qwen's expression: letters, in newer models with the marks on them. */
#define QWEN(word, mark)                                                                                              \
  NFC BYTES "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":" \
            "\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?" word "+|\\\\p{N}| ?[^\\\\s\\\\p{L}" mark  \
            "\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Isolated\","        \
            "\"invert\":false},{\"type\":\"ByteLevel\",\"add_prefix_space\":%s,\"use_regex\":false}]}"

static const hlmi_token_class classes[] = {
    {.names = "Qwen2Tokenizer",
     .model_types = "qwen2 qwen2_moe qwen2_vl qwen2_5_vl qwen2_5_omni qwen2_audio qwen3 qwen3_moe qwen3_next qwen3_vl "
                    "qwen3_vl_moe qwen3_omni_moe qwen3_asr internvl ovis2",
     .stages = QWEN("\\\\p{L}", ""),
     .eos = END,
     .unk = END,
     .pad = END},
    {.names = "Qwen3_5Tokenizer",
     .model_types = "qwen3_5 qwen3_5_text qwen3_5_moe qwen3_5_moe_text",
     .stages = QWEN("[\\\\p{L}\\\\p{M}]", "\\\\p{M}"),
     .eos = END,
     .unk = END,
     .pad = END},
    {.names = "GPT2Tokenizer CodeGenTokenizer",
     .model_types = "gpt2 gpt_neo gptj gpt_bigcode codegen phi opt starcoder2 dbrx granite granitemoe granitemoeshared "
                    "granitemoehybrid exaone4 jais2",
     .stages = PLAIN,
     .bos = END,
     .eos = END,
     .unk = END},
    {.names = "GPTNeoXTokenizer",
     .model_types = "gpt_neox mamba mamba2 falcon_mamba mpt olmo olmo2 olmoe rwkv stablelm xlstm",
     .stages = NFC PLAIN,
     .bos = END,
     .eos = END,
     .unk = END,
     .pad = "<|padding|>"},
    {.names = "RobertaTokenizer BartTokenizer LongformerTokenizer LEDTokenizer MvpTokenizer",
     .model_types = "roberta roberta-prelayernorm bart longformer led mvp data2vec-text",
     .stages = PLAIN,
     .bos = "<s>",
     .eos = "</s>",
     .unk = "<unk>",
     .sep = "</s>",
     .pad = "<pad>",
     .cls = "<s>",
     .mask = "<mask>",
     .around = true},
    {.names = "BlenderbotTokenizer",
     .model_types = "blenderbot",
     .stages = PLAIN,
     .bos = "<s>",
     .eos = "</s>",
     .unk = "<unk>",
     .sep = "</s>",
     .pad = "<pad>",
     .cls = "<s>",
     .mask = "<mask>",
     .prefix_space = true,
     .mask_lstrip = true},
    {.names = "LlamaTokenizer CodeLlamaTokenizer", .model_types = "", .bos = "<s>", .eos = "</s>", .unk = "<unk>"},
};

/* Is the word among names that spaces divide? */
static bool among(const char *names, const char *word, size_t len)
{
    for (const char *p = names, *end; *p; p = *end ? end + 1 : end) {
        end = strchr(p, ' ');
        if (!end) end = p + strlen(p);
        if ((size_t)(end - p) == len && memcmp(p, word, len) == 0) return true;
    }
    return false;
}

const hlmi_token_class *hlmi_token_class_find(const char *name, const char *model_type)
{
    const char *word = name ? name : model_type;
    size_t len = word ? strlen(word) : 0;
    if (name && len > 4 && strcmp(name + len - 4, "Fast") == 0) len -= 4;
    for (size_t i = 0; len && i < sizeof classes / sizeof *classes; i++)
        if (among(name ? classes[i].names : classes[i].model_types, word, len)) return &classes[i];
    return NULL;
}
