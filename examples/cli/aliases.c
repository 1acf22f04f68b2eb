/* The table of other programs' names: llama.cpp's, ollama's parameters and those of transformers (see aliases.h). */
#include "aliases.h"

#include <string.h>

static const cli_alias aliases[] = {
    {"temperature", "temp", NULL},
    {"repetition-penalty", "repeat-penalty", NULL},
    {"repeat-last-n", "penalty-window", NULL},
    {"typical-p", "typical", NULL},
    {"rng-seed", "seed", NULL},
    {"reverse-prompt", "stop", NULL},
    {"-r", "stop", NULL},
    {"stop-string", "stop", NULL},
    {"n-predict", "max-tokens", NULL},
    {"predict", "max-tokens", NULL},
    {"num-predict", "max-tokens", NULL},
    {"max-new-tokens", "max-tokens", NULL},
    {"ctx-size", "ctx", NULL},
    {"num-ctx", "ctx", NULL},
    {"n-ctx", "ctx", NULL},
    {"context", "ctx", NULL},
    {"context-length", "ctx", NULL},
    {"n-threads", "threads", NULL},
    {"num-thread", "threads", NULL},
    {"kv-type", "kv", NULL},
    {"system-prompt", "system", NULL},
    {"-sys", "system", NULL},
    {"chat-template-file", "chat-template", NULL},
    {"verbose", "stats", NULL},
    {"-v", "stats", NULL},
    {"show-timings", "stats", NULL},
    {"silent", "quiet", NULL},
    {"nowordwrap", "no-wrap", NULL},
    {"lora", "adapter", NULL},
    {"model-draft", "draft-model", NULL},
    {"-md", "draft-model", NULL},
    {"draft-max", "draft", NULL},
    {"special", "show-special", NULL},
    {"no-mmap", "read", NULL},
    {"n-gpu-layers", NULL, "This version computes on the CPU; leave it out."},
    {"gpu-layers", NULL, "This version computes on the CPU; leave it out."},
    {"-ngl", NULL, "This version computes on the CPU; leave it out."},
    {"flash-attn", NULL, "Attention never keeps whole score matrices here; leave it out."},
    {"-fa", NULL, "Attention never keeps whole score matrices here; leave it out."},
    {"cache-type-k", NULL, "--kv TYPE sets the type of keys and values together."},
    {"cache-type-v", NULL, "--kv TYPE sets the type of keys and values together."},
    {"-ctk", NULL, "--kv TYPE sets the type of keys and values together."},
    {"-ctv", NULL, "--kv TYPE sets the type of keys and values together."},
    {"lora-scaled", NULL, "Write --adapter PATH --adapter-scale X."},
};

const cli_alias *cli_aliases(size_t *n)
{
    *n = sizeof aliases / sizeof *aliases;
    return aliases;
}

const cli_alias *cli_alias_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strlen(aliases[i].name) == len && memcmp(aliases[i].name, name, len) == 0) return &aliases[i];
    return NULL;
}
