/* The settings of an adapter's file. Those that this version knows are read, or mean nothing for what is computed;
 * every other is refused by name unless it is null, false, {} or []. */
#ifndef HLMI_ARCH_ADAPTER_SETTINGS_H
#define HLMI_ARCH_ADAPTER_SETTINGS_H

#include "arch/adapter.h"
#include "arch/adapter_match.h"

enum { HLMI_MOST_INVOCATION = 1024 /* tokens */ };

typedef struct hlmi_adapter_settings {
    hlmi_dialect dialect; /* the file's */
    double alpha;
    int64_t rank; /* 0: the tensors say */
    bool root, dora; /* scale by the root of the rank; rows have magnitudes of their own */
    hlmi_adapter_match match; /* of folders */
    int32_t *invocation; /* [n_invocation] */
    size_t n_invocation;
} hlmi_adapter_settings;

/** Errors  HLM_E_FORMAT, HLM_E_UNSUPPORTED, HLM_E_LIMIT, HLM_E_TOKEN (an invocation token), HLM_E_NOMEM: the sentence
 *          names file and
 *  setting. */
hlm_status hlmi_adapter_settings_read(hlmi_adapter_settings *s, const hlmi_adapter_file *f, const hlmi_mem *mem);
void hlmi_adapter_settings_free(hlmi_adapter_settings *s, const hlmi_mem *mem);

#endif
