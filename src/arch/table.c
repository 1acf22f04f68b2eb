/* All architectures, and which one a model names. */
#include "arch/decoder.h"
#include "arch/loader.h"

#include <stdio.h>
#include <string.h>

static const hlmi_arch *const archs[] = {
#define ENTRY(name) &hlmi_arch_##name,
    HLMI_ARCHS(ENTRY)
#undef ENTRY
};

/* Is it the class without a head, "LlamaModel" of "llama"? Others that end alike compute something else. */
static bool is_headless(const char *name, const hlmi_arch *arch)
{
    const char *type = arch->name.hf;
    for (;; name++, type++) {
        while (*name == '_') name++;
        while (*type == '_') type++;
        const char c = *name >= 'A' && *name <= 'Z' ? (char)(*name | 0x20) : *name;
        if (!*type || c != *type) break;
    }
    return !*type && strcmp(name, "Model") == 0;
}

/* What the class in config.json's "architectures" computes. */
static hlm_status read_class(hlmi_config *c, const hlmi_arch *arch)
{
    static const struct {
        const char *tail;
        int32_t head;
    } classes[] = {{"ForCausalLM", HLM_HEAD_TEXT},
                   {"ForConditionalGeneration", HLM_HEAD_TEXT},
                   {"ForSequenceClassification", HLM_HEAD_SEQUENCE},
                   {"ForTokenClassification", HLM_HEAD_TOKEN}};
    const char *name = hlmi_json_str(hlmi_json_at(hlmi_json_get(c->json, "architectures"), 0)).s;
    if (!name) return HLM_OK;
    const size_t n = strlen(name);
    if (is_headless(name, arch)) {
        c->head = HLM_HEAD_NONE;
        return HLM_OK;
    }
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const size_t m = strlen(classes[i].tail);
        if (n < m || strcmp(name + n - m, classes[i].tail) != 0) continue;
        if (classes[i].head != HLM_HEAD_TEXT && !arch->classifies) break;
        c->head = classes[i].head;
        return HLM_OK;
    }
    return hlmi_fail(HLM_E_UNSUPPORTED,
                     "%s: architectures[0] is %.80s; of %s this version runs the class without a head (...Model) and "
                     "those that end in "
                     "ForCausalLM%s",
                     hlmi_store_path(c->store), name, arch->name.hf,
                     arch->classifies ? ", ForSequenceClassification and ForTokenClassification" : "");
}

/* Settings that any class may have and that change what weights compute; of each one value is known. */
static hlm_status check_meaning(const hlmi_config *c)
{
    static const struct {
        hlmi_key key;
        bool known;
    } flags[] = {{{"is_causal", ".attention.causal"}, true},
                 {{"use_bidirectional_attention", NULL}, false},
                 {{"is_encoder_decoder", NULL}, false},
                 {{"add_cross_attention", NULL}, false}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        bool v = false;
        HLMI_DO(hlmi_config_bool(c, flags[i].key, flags[i].known, &v));
        if (v != flags[i].known)
            return hlmi_fail(HLM_E_UNSUPPORTED, "%s: %s%s is %s, which this version does not compute",
                             hlmi_store_path(c->store), c->json ? "" : c->arch,
                             c->json ? flags[i].key.hf : flags[i].key.gguf, v ? "true" : "false");
    }
    const hlmi_json *pruned = hlmi_json_get(c->json, "pruned_heads");
    if (hlmi_json_count(pruned) || !hlmi_json_is(pruned, HLMI_JSON_ABSENT | HLMI_JSON_NULL | HLMI_JSON_OBJECT))
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: pruned_heads is set, which this version does not compute",
                         hlmi_store_path(c->store));
    return HLM_OK;
}

/* Of a model with vision the text's settings lie in an object. */
static hlm_status check_meanings(const hlmi_config *c)
{
    hlmi_config text = *c;
    text.json = hlmi_json_get(c->json, "text_config");
    const hlm_status st = check_meaning(c);
    return st == HLM_OK && hlmi_json_is(text.json, HLMI_JSON_OBJECT) ? check_meaning(&text) : st;
}

const hlmi_arch *hlmi_arch_named(const char *name, hlmi_dialect dialect)
{
    for (size_t i = 0; i < sizeof archs / sizeof *archs; i++) {
        const char *known = hlmi_key_in(archs[i]->name, dialect);
        if (known && strcmp(known, name) == 0) return archs[i];
    }
    return NULL;
}

hlm_status hlmi_arch_find(const hlmi_store *store, hlmi_config *config, char *name, size_t cap, const hlmi_arch **out)
{
    *config = hlmi_loader_settings(store);
    const bool hf = config->dialect == HLMI_HF;
    const hlmi_key key = {"model_type", "general.architecture"};
    hlmi_str s;
    HLMI_DO(hlmi_config_string(config, key, &s));
    if (!s.s)
        return hlmi_fail(HLM_E_FORMAT, "%s: %s is missing", hlmi_store_path(store), hlmi_key_in(key, config->dialect));
    snprintf(name, cap, "%.*s", (int)(s.len < 64 ? s.len : 64), s.s);
    config->arch = name;
    *out = hlmi_arch_named(name, config->dialect);
    if (!*out)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: the architecture \"%s\" is not known to this version",
                         hlmi_store_path(store), name);
    const hlm_status meant = check_meanings(config);
    return hf && meant == HLM_OK ? read_class(config, *out) : meant;
}

/* The plan but for a look at what nothing has asked for. *w is to be freed, also after a failure. */
static hlm_status make_wants(const hlmi_arch *arch, const hlmi_config *config, hlmi_plan *plan, hlmi_wants *w)
{
    HLMI_DO(hlmi_wants_init(w, config, plan));
    hlmi_wants_leave_out(w, arch->left_out);
    return arch->build ? arch->build(config, w) : hlmi_decoder_build(arch->spec, config, w);
}

hlm_status hlmi_arch_build(const hlmi_arch *arch, const hlmi_config *config, hlmi_plan *plan)
{
    hlmi_wants w;
    hlm_status st = make_wants(arch, config, plan, &w);
    if (st == HLM_OK) st = hlmi_wants_finish(&w);
    hlmi_wants_free(&w);
    return st;
}

hlm_status hlmi_arch_review(const hlmi_arch *arch, const hlmi_config *config, const hlmi_mem *mem,
                            const hlmi_notes *notes)
{
    hlmi_wants w;
    hlmi_plan plan;
    hlmi_plan_init(&plan, mem);
    hlm_status st = make_wants(arch, config, &plan, &w);
    st = st == HLM_OK ? hlmi_wants_review(&w, notes) : hlmi_noted(notes, st);
    hlmi_wants_free(&w);
    hlmi_plan_free(&plan);
    return st;
}
