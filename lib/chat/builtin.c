/* Which of the library's own chat templates fits a model. */
#include "chat/builtin.h"

#include <string.h>

/* The first line whose conditions all hold decides. Markers say more than architectures, since fine-tuned models add
 * markers and keep the architecture. */
static const struct {
    const char *name;
    const char *arch; /* NULL: any */
    const char *markers[2]; /* special tokens that must be there; NULL: none */
} rules[] = {
    {"chatml", NULL, {"<|im_start|>", "<|im_end|>"}},
    {"llama3", NULL, {"<|start_header_id|>", "<|eot_id|>"}},
    {"huozi", NULL, {"<|beginofutterance|>", "<|endofutterance|>"}},
    {"hymba", "hymba", {"<extra_id_0>", "<extra_id_1>"}},
    {"persimmon", "persimmon", {NULL, NULL}},
    {"phi", "phi", {NULL, NULL}},
    {"phi", "phi2", {NULL, NULL}},
    {"phi", "phi-msft", {NULL, NULL}},
    {"mixtral", "mixtral", {NULL, NULL}},
};

static bool has(const hlmi_tokenizer *t, const char *marker)
{
    return !marker || (t && hlmi_tokenizer_find(t, marker, strlen(marker)) >= 0);
}

const hlmi_builtin *hlmi_builtin_find(const char *name)
{
    for (size_t i = 0; i < hlmi_builtin_count; i++)
        if (strcmp(hlmi_builtin_templates[i].name, name) == 0) return &hlmi_builtin_templates[i];
    return NULL;
}

const hlmi_builtin *hlmi_builtin_for(const char *arch, const hlmi_tokenizer *t)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].arch && strcmp(rules[i].arch, arch) != 0) continue;
        if (has(t, rules[i].markers[0]) && has(t, rules[i].markers[1])) return hlmi_builtin_find(rules[i].name);
    }
    return NULL;
}
