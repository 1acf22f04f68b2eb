/* The options that several commands share. */
#include <hybridlm/hybridlm.h>

#include "options.h"

static const cli_choice activation_choices[] = {
    {"default", HLM_ACTIVATIONS_DEFAULT}, {"f32", HLM_ACTIVATIONS_F32}, {NULL, 0}};
static const cli_choice cpu_choices[] = {{"best", 0}, {"ref", 1}, {"avx2", 2}, {"avx512", 3}, {NULL, 0}};
static const cli_choice kv_choices[] = {
    {"f16", HLM_TYPE_F16}, {"f32", HLM_TYPE_F32}, {"bf16", HLM_TYPE_BF16}, {"int8", HLM_TYPE_INT8}, {NULL, 0}};
static const cli_choice window_choices[] = {{"keep", HLM_WINDOW_KEEP}, {"give-back", HLM_WINDOW_GIVE_BACK}, {NULL, 0}};
static const cli_choice state_choices[] = {
    {"f32", HLM_TYPE_F32}, {"f16", HLM_TYPE_F16}, {"bf16", HLM_TYPE_BF16}, {NULL, 0}};

const char *cli_cpu(const cli_options *o)
{
    return o->cpu ? cpu_choices[o->cpu].name : NULL;
}

static const cli_option common_options[] = {
    CLI_OPT_FLAG("json", 0, json, "the result as JSON on standard output"),
    CLI_OPT_FLAG("quiet", 'q', quiet, "no progress, no remarks"),
    CLI_OPT_FLAG("help", 'h', help, "this text"),
};

static const cli_option input_options[] = {
    CLI_OPT_TEXT("prompt", 'p', prompt, "TEXT", "the text; without it and -f standard input"),
    CLI_OPT_TEXT("file", 'f', file, "FILE", "read it from a file (-: standard input)"),
    CLI_OPT_FLAG("no-special", 0, no_special, "do not add the tokenizer's bos and eos"),
    CLI_OPT_FLAG("parse-special", 0, parse_special, "markers such as <|im_end|> become special tokens"),
};

static const cli_option model_options[] = {
    CLI_OPT_TEXT("model", 'm', model, "PATH", "GGUF file or Hugging Face folder (default: $HYBRIDLM_MODEL)"),
    CLI_OPT_CHOICE("activations", 0, activations, "TYPE", activation_choices,
                   "default, or f32: slower, no rounded activations"),
    CLI_OPT_CHOICE("cpu", 0, cpu, "SET", cpu_choices, "at most these instructions: best, ref, avx2, avx512"),
    CLI_OPT_TEXT("quantise", 0, quantise, "TYPE", "quantise plain matrices at load: q8_0, q4_0, int4"),
    CLI_OPT_FLAG("quantise-tied", 0, quantise_tied, "and an embedding that is the head too"),
    CLI_OPT_FLAG("portable", 0, portable, "the same bits on every kind of CPU"),
    CLI_OPT_FLAG("read", 0, read, "read the weights instead of mapping the file"),
    CLI_OPT_FLAG("check", 0, check, "look for NaN and infinity in the weights"),
};

static const cli_option adapter_options[] = {
    {"adapter", 0, CLI_ADAPTER, "PATH", offsetof(cli_options, adapters), 0, 0, NULL,
     "LoRA or DoRA of this model: PEFT folder or GGUF file (can be given again)"},
    {"adapter-scale", 0, CLI_SCALE, "X", offsetof(cli_options, adapters), -1e6, 1e6, NULL,
     "times X what the --adapter before adds (default 1; 0: nothing)"},
};

static const cli_option context_options[] = {
    CLI_OPT_INT("threads", 't', threads, 0, 1024, "threads (default: one for each core)"),
    CLI_OPT_INT("ctx", 'c', ctx, 0, 1 << 30, "most tokens in memory (default: the model's own)"),
    CLI_OPT_CHOICE("kv", 0, kv, "TYPE", kv_choices, "type of keys and values: f16 (default), f32, bf16, int8"),
    CLI_OPT_CHOICE("window-rows", 0, window_rows, "WHAT", window_choices,
                   "rows that no attention window reaches again: keep (default), give-back"),
    CLI_OPT_CHOICE("state", 0, state, "TYPE", state_choices, "type of recurrent state: f32 (default), f16, bf16"),
};

static const cli_option sampling_options[] = {
    CLI_OPT_REAL("temp", 0, temperature, 0, 100, "temperature (default 0: always the likeliest token)"),
    CLI_OPT_INT("top-k", 0, top_k, 0, 1 << 30, "only the N likeliest (default 0: all)"),
    CLI_OPT_REAL("top-p", 0, top_p, 0, 1, "only the likeliest that add up to X (default 1: all)"),
    CLI_OPT_REAL("min-p", 0, min_p, 0, 1, "only those X times as likely as the likeliest"),
    CLI_OPT_REAL("typical", 0, typical_p, 0, 1, "locally typical sampling with mass X (default 1: off)"),
    CLI_OPT_REAL("repeat-penalty", 0, repeat_penalty, 0, 100, "make seen tokens less likely (default 1: off)"),
    CLI_OPT_REAL("frequency-penalty", 0, frequency_penalty, -100, 100, "for each time a token was seen"),
    CLI_OPT_REAL("presence-penalty", 0, presence_penalty, -100, 100, "for every token that was seen"),
    CLI_OPT_INT("penalty-window", 0, penalty_window, -1, 1 << 30,
                "tokens that the penalties look back on (64; -1: all)"),
    CLI_OPT_INT("seed", 0, seed, -1, 9007199254740992.0,
                "the same seed gives the same draws (default -1: another each time, and told)"),
    CLI_OPT_TEXTS("stop", 0, stop, "TEXT", "end before this text (can be given again)"),
};

static const cli_option speculation_options[] = {
    CLI_OPT_INT("draft-ngram", 0, draft_ngram, 1, 64, "draft what followed the same last N tokens before (8 is good)"),
    CLI_OPT_TEXT("draft-model", 0, draft_model, "PATH", "draft with a smaller model of the same vocabulary"),
    CLI_OPT_INT("draft", 0, draft, 1, 64, "at most N tokens at once (default 8)"),
    CLI_OPT_INT("branches", 0, branches, 1, 8, "try N drafts at once (default 1)"),
};

const cli_group cli_group_common = {"Common", common_options, CLI_COUNT(common_options)};
const cli_group cli_group_input = {"Text", input_options, CLI_COUNT(input_options)};
const cli_group cli_group_model = {"Model", model_options, CLI_COUNT(model_options)};
const cli_group cli_group_adapters = {"Adapters", adapter_options, CLI_COUNT(adapter_options)};
const cli_group cli_group_context = {"Computing", context_options, CLI_COUNT(context_options)};
const cli_group cli_group_sampling = {"Sampling", sampling_options, CLI_COUNT(sampling_options)};
const cli_group cli_group_speculation = {"Drafts (the text stays the same)", speculation_options,
                                         CLI_COUNT(speculation_options)};
