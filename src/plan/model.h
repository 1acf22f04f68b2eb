/* What the engine sees of a model. Loading it is for src/api, its files and texts are for that alone. */
#ifndef HLMI_PLAN_MODEL_H
#define HLMI_PLAN_MODEL_H

#include <stdatomic.h>

#include "base/log.h"
#include "kernel/kernel.h"
#include "place/place.h"
#include "plan/model_mem.h"
#include "plan/plan.h"
#include "weights/fingerprint.h"

struct hlm_model {
    atomic_uint refs;
    void (*end)(hlm_model *model); /* frees all of it after the last release */
    hlmi_mem mem;
    hlmi_logger log;
    uint32_t flags;
    bool f32_activations;
    hlmi_kernels kernels;
    hlmi_plan plan;
    hlmi_place cpu; /* number 0 of its places (api/places.h) */
    hlmi_place *places[HLMI_PLACES];
    size_t n_places;
    hlmi_fingerprint fingerprint;
    struct hlmi_store *store;
    struct hlmi_tokenizer *tokenizer; /* NULL: the files have none */
    struct hlmi_templates *templates; /* of the files */
    struct hlmi_template *chat_template; /* their default, parsed from chat_text; or NULL */
    const char *chat_text;
    char *arch, *name; /* never NULL */
};

/** HLM_E_UNSUPPORTED for a model without a plan; without weights, too. */
hlm_status hlmi_model_planned(const hlm_model *model);
hlm_status hlmi_model_runs(const hlm_model *model);

#endif
