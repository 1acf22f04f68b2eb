/* Adapters from files: the folders that PEFT writes, and GGUF files. */
#ifndef HLMI_ARCH_ADAPTER_H
#define HLMI_ARCH_ADAPTER_H

#include "plan/adapter.h"
#include "weights/store.h"

/** What is read, and for what. */
typedef struct hlmi_adapter_file {
    const hlmi_store *store, *model; /* the adapter's; the model's, whose tensors' names are the adapter's */
    const char *arch; /* the model's, by its files */
    const hlmi_plan *plan;
    const bool *adds; /* [weights of the plan] a step adds to it */
    double scale; /* of what is added */
} hlmi_adapter_file;

/** Every tensor of the file is for a matrix of the plan, or it is refused.
 *  Errors  HLM_E_FORMAT, HLM_E_UNSUPPORTED, HLM_E_MISMATCH, HLM_E_NOMEM: the sentence names file, key or tensor, what
 *          was found and what was expected. */
hlm_status hlmi_adapter_read(const hlmi_adapter_file *f, hlm_adapter *ad);

#endif
