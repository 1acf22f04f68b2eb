/* The pre-tokenizers that GGUF files name instead of carrying them. */
#ifndef HLMI_TEXT_PRE_H
#define HLMI_TEXT_PRE_H

#include "text/tokenizer.h"

enum { HLMI_PRE_PATTERNS = 6 };

typedef struct hlmi_pre {
    const char *names; /* divided by spaces */
    const char *pattern[HLMI_PRE_PATTERNS]; /* applied one after another; NULL ends */
    bool ignore_merges, add_bos;
} hlmi_pre;

/** The entry of a name; an empty name is "default". HLM_E_UNSUPPORTED for names that are unknown. */
hlm_status hlmi_pre_find(hlmi_str name, const hlmi_pre **out);

#endif
