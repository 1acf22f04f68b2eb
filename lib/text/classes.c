/* The classes of transformers that are known by name: what they suppose when the files say nothing, and how they read
 * vocab.json and merges.txt. The first entry of a model type is the one that is taken when no class is named. */
#include <string.h>

#include "base/find.h"
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

/* What BART's tokenizer and those made after it have. */
#define BART                                                                                                 \
  .stages = PLAIN, .bos = "<s>", .eos = "</s>", .unk = "<unk>", .sep = "</s>", .pad = "<pad>", .cls = "<s>", \
  .mask = "<mask>"

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
     BART,
     .around = true},
    {.names = "BlenderbotTokenizer", .model_types = "blenderbot", BART, .prefix_space = true, .mask_lstrip = true},
    {.names = "LlamaTokenizer CodeLlamaTokenizer", .model_types = "", .bos = "<s>", .eos = "</s>", .unk = "<unk>"},
};

const hlmi_token_class *hlmi_token_class_find(const char *name, const char *model_type)
{
    hlmi_str word = {name ? name : model_type, 0};
    word.len = word.s ? strlen(word.s) : 0;
    if (name && word.len > 4 && strcmp(name + word.len - 4, "Fast") == 0) word.len -= 4;
    for (size_t i = 0; word.len && i < sizeof classes / sizeof *classes; i++)
        if (hlmi_among(name ? classes[i].names : classes[i].model_types, word)) return &classes[i];
    return NULL;
}
