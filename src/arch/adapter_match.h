/* Which modules PEFT's settings speak of: alpha_pattern and rank_pattern, and those that say for which modules there is
 * an adapter. A module goes by the name that the adapter's tensors have for it: "model.layers.0.self_attn.q_proj". */
#ifndef HLMI_ARCH_ADAPTER_MATCH_H
#define HLMI_ARCH_ADAPTER_MATCH_H

#include "base/json.h"
#include "text/pyre.h"

/** An object {expression: number}. */
typedef struct hlmi_adapter_pattern {
    const char *key; /* the setting */
    const hlmi_json *json; /* NULL: it is not there */
    hlmi_pattern *re; /* [members], in their order; without code: a name */
} hlmi_adapter_pattern;

typedef struct hlmi_adapter_match {
    hlmi_mem mem;
    const char *path;
    hlmi_adapter_pattern alphas, ranks;
    const hlmi_json *targets, *excluded, *layers; /* NULL: the setting is not there */
    hlmi_pattern target, exclude; /* where those are strings */
    bool all_linear; /* target_modules is "all-linear": all but the head */
    hlmi_pattern *numbers; /* [n_numbers] of layers_pattern */
    size_t n_numbers;
} hlmi_adapter_match;

/** Reads the settings of an adapter_config.json, which must outlive it. Errors  HLM_E_FORMAT, HLM_E_UNSUPPORTED, HLM_E_LIMIT,
 *  HLM_E_NOMEM: the sentence names the setting. */
hlm_status hlmi_adapter_match_open(hlmi_adapter_match *m, const hlmi_mem *mem, const hlmi_json *config,
                                   const char *path);
void hlmi_adapter_match_close(hlmi_adapter_match *m);
/** The number that a pattern has for a module; *out is left as it is where it has none. */
hlm_status hlmi_adapter_match_value(const hlmi_adapter_match *m, const hlmi_adapter_pattern *p, const char *module,
                                    double *out);
/** HLM_E_FORMAT when the settings say that the module has no adapter: PEFT would not use what there is for it. */
hlm_status hlmi_adapter_match_targets(const hlmi_adapter_match *m, const char *module);

#endif
