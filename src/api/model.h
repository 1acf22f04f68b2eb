/* What the engine sees of a model. */
#ifndef HLMI_API_MODEL_H
#define HLMI_API_MODEL_H

#include <stdatomic.h>

#include "api/templates.h"
#include "arch/fingerprint.h"
#include "base/log.h"
#include "kernel/kernel.h"
#include "plan/plan.h"
#include "chat/chat.h"
#include "text/tokenizer.h"
#include "weights/store.h"

struct hlm_model {
    atomic_uint refs;
    hlmi_mem mem;
    hlmi_logger log;
    uint32_t flags;
    bool f32_activations;
    hlmi_kernels kernels;
    hlmi_store *store;
    hlmi_plan plan;
    hlmi_fingerprint fingerprint;
    hlmi_tokenizer *tokenizer; /* NULL: the files have none */
    hlmi_templates templates; /* of the files */
    hlmi_template *chat_template; /* their default, parsed from chat_text; or NULL */
    const char *chat_text;
    char *arch, *name; /* never NULL */
};

/** The allocator of everything made from the model. */
const hlmi_mem *hlmi_model_mem(const hlm_model *model);
/** NULL for a model without weights. */
const hlmi_plan *hlmi_model_plan(const hlm_model *model);

#endif
