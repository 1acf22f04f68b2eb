/* The options that several commands share. */
#include <hybridlm/hybridlm.h>

#include "options.h"

#define AT(field) offsetof(cli_options, field)

static const cli_choice activation_choices[] = {
    {"default", HLM_ACTIVATIONS_DEFAULT}, {"f32", HLM_ACTIVATIONS_F32}, {NULL, 0}};
static const cli_choice cpu_choices[] = {
    {"best", HLM_CPU_BEST}, {"ref", HLM_CPU_REF}, {"avx2", HLM_CPU_AVX2}, {"avx512", HLM_CPU_AVX512}, {NULL, 0}};
static const cli_choice kv_choices[] = {
    {"f16", HLM_TYPE_F16}, {"f32", HLM_TYPE_F32}, {"bf16", HLM_TYPE_BF16}, {NULL, 0}};

static const cli_option common_options[] = {
    {.name = "json", .kind = CLI_FLAG, .at = AT(json), .help = "the result as JSON on standard output"},
    {.name = "quiet", .letter = 'q', .kind = CLI_FLAG, .at = AT(quiet), .help = "no progress, no remarks"},
    {.name = "help", .letter = 'h', .kind = CLI_FLAG, .at = AT(help), .help = "this text"},
};

static const cli_option model_options[] = {
    {.name = "model", .letter = 'm', .kind = CLI_TEXT, .arg = "PATH", .at = AT(model),
     .help = "GGUF file or Hugging Face folder (default: $HYBRIDLM_MODEL)"},
    {.name = "activations", .kind = CLI_CHOICE, .arg = "TYPE", .at = AT(activations), .choices = activation_choices,
     .help = "default, or f32: slower, no rounded activations"},
    {.name = "cpu", .kind = CLI_CHOICE, .arg = "SET", .at = AT(cpu), .choices = cpu_choices,
     .help = "at most these instructions: best, ref, avx2, avx512"},
    {.name = "portable", .kind = CLI_FLAG, .at = AT(portable), .help = "the same bits on every kind of CPU"},
    {.name = "read", .kind = CLI_FLAG, .at = AT(read), .help = "read the weights instead of mapping the file"},
    {.name = "check", .kind = CLI_FLAG, .at = AT(check), .help = "look for NaN and infinity in the weights"},
};

static const cli_option context_options[] = {
    {.name = "threads", .letter = 't', .kind = CLI_INT, .arg = "N", .at = AT(threads), .max = 1024,
     .help = "threads (default: one for each core)"},
    {.name = "ctx", .letter = 'c', .kind = CLI_INT, .arg = "N", .at = AT(ctx), .max = 1 << 30,
     .help = "most tokens in memory (default: the model's own)"},
    {.name = "kv", .kind = CLI_CHOICE, .arg = "TYPE", .at = AT(kv), .choices = kv_choices,
     .help = "type of keys and values: f16 (default), f32, bf16"},
};

static const cli_option sampling_options[] = {
    {.name = "temp", .kind = CLI_REAL, .arg = "X", .at = AT(temperature), .max = 100,
     .help = "temperature (default 0: always the likeliest token)"},
    {.name = "top-k", .kind = CLI_INT, .arg = "N", .at = AT(top_k), .max = 1 << 30,
     .help = "only the N likeliest (default 0: all)"},
    {.name = "top-p", .kind = CLI_REAL, .arg = "X", .at = AT(top_p), .max = 1,
     .help = "only the likeliest that add up to X (default 1: all)"},
    {.name = "min-p", .kind = CLI_REAL, .arg = "X", .at = AT(min_p), .max = 1,
     .help = "only those X times as likely as the likeliest"},
    {.name = "typical", .kind = CLI_REAL, .arg = "X", .at = AT(typical_p), .max = 1,
     .help = "locally typical sampling with mass X (default 1: off)"},
    {.name = "repeat-penalty", .kind = CLI_REAL, .arg = "X", .at = AT(repeat_penalty), .max = 100,
     .help = "make seen tokens less likely (default 1: off)"},
    {.name = "frequency-penalty", .kind = CLI_REAL, .arg = "X", .at = AT(frequency_penalty), .min = -100, .max = 100,
     .help = "for each time a token was seen"},
    {.name = "presence-penalty", .kind = CLI_REAL, .arg = "X", .at = AT(presence_penalty), .min = -100, .max = 100,
     .help = "for every token that was seen"},
    {.name = "penalty-window", .kind = CLI_INT, .arg = "N", .at = AT(penalty_window), .min = -1, .max = 1 << 30,
     .help = "tokens that the penalties look back on (64; -1: all)"},
    {.name = "seed", .kind = CLI_INT, .arg = "N", .at = AT(seed), .max = 9007199254740992.0,
     .help = "the same seed gives the same draws (default 0)"},
    {.name = "stop", .kind = CLI_TEXTS, .arg = "TEXT", .at = AT(stop),
     .help = "end before this text (can be given again)"},
};

const cli_group cli_group_common = {"Common", common_options, CLI_COUNT(common_options)};
const cli_group cli_group_model = {"Model", model_options, CLI_COUNT(model_options)};
const cli_group cli_group_context = {"Computing", context_options, CLI_COUNT(context_options)};
const cli_group cli_group_sampling = {"Sampling", sampling_options, CLI_COUNT(sampling_options)};
