/* All architectures, and which one a model names. */
#include "arch/arch.h"

#include <stdio.h>
#include <string.h>

static const hlmi_arch *const archs[] = {
    &hlmi_arch_llama, &hlmi_arch_mistral, &hlmi_arch_persimmon, &hlmi_arch_phi, &hlmi_arch_qwen2, &hlmi_arch_qwen3,
};

/* Is the class in config.json's "architectures" one that continues text? */
static hlm_status check_class(const hlmi_config *c)
{
    static const char tail[] = "ForCausalLM";
    const char *name = json_string_value(json_array_get(json_object_get(c->json, "architectures"), 0));
    if (!name) return HLM_OK;
    const size_t n = strlen(name), m = sizeof tail - 1;
    if (n >= m && strcmp(name + n - m, tail) == 0) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: architectures[0] is %.80s; this version runs classes that end in %s",
                     hlmi_store_path(c->store), name, tail);
}

hlm_status hlmi_arch_find(const hlmi_store *store, hlmi_config *config, char *name, size_t cap, const hlmi_arch **out)
{
    const bool hf = hlmi_store_container(store) == HLMI_STORE_HF;
    *config = (hlmi_config){.store = store, .json = hlmi_store_config(store), .arch = ""};
    const hlmi_key key = {"model_type", "general.architecture"};
    const char *s = NULL;
    size_t len = 0;
    const hlm_status st = hlmi_config_string(config, key, &s, &len);
    if (st != HLM_OK) return st;
    if (!s) return hlmi_fail(HLM_E_FORMAT, "%s: %s is missing", hlmi_store_path(store), hf ? key.hf : key.gguf);
    snprintf(name, cap, "%.*s", (int)(len < 64 ? len : 64), s);
    config->arch = name;
    for (size_t i = 0; i < sizeof archs / sizeof *archs; i++) {
        const char *known = hf ? archs[i]->hf : archs[i]->gguf;
        if (!known || strcmp(known, name) != 0) continue;
        *out = archs[i];
        return hf ? check_class(config) : HLM_OK;
    }
    return hlmi_fail(HLM_E_UNSUPPORTED, "%s: the architecture \"%s\" is not known to this version",
                     hlmi_store_path(store), name);
}
