/* A context: the programs recorded for a model and pool, the team that runs them, and scratch. */
#ifndef HLMI_API_CONTEXT_H
#define HLMI_API_CONTEXT_H

#include "api/step.h"
#include "plan/model.h"
#include "state/pool.h"

/** What is recorded for a context. */
enum {
    HLMI_PLAIN,
    HLMI_TAPPED, /* with hidden states */
    HLMI_REPLAY, /* recurrences alone, fed from the undo log */
    HLMI_HEAD, /* the head alone, fed from what states keep */
    HLMI_PROGRAMS
};

enum { HLMI_CTX_BLOCKS = 16 };

struct hlm_context {
    hlm_model *model; /* retained */
    hlm_pool *pool; /* retained */
    hlmi_mem mem;
    hlmi_team *team;
    hlmi_program programs[HLMI_PROGRAMS];
    size_t max_rows, slice_rows; /* of a tile; of one in a step that runs in slices */
    void *blocks[HLMI_CTX_BLOCKS]; /* memory that never grows: scratch, and what follows up to `caches` */
    size_t n_blocks;
    hlmi_tile tile; /* its arrays have max_rows entries */
    hlm_cache **caches; /* [max_rows] whose its spans are */
    const hlmi_leaf_rows **leaves; /* page tables of the sequences that are computed */
    size_t cap_leaves;
    hlmi_tap *taps; /* grown when a step asks for more */
    size_t cap_taps;
    hlmi_attn_tap *attn_taps;
    size_t cap_attn_taps;
    hlmi_entry *entries; /* of the step, and what they ask for; grown likewise */
    size_t cap_entries;
    hlmi_asked *asked;
    size_t n_asked, cap_asked;
    volatile _Atomic int32_t cancel;
    atomic_int busy; /* api/step.c */
    hlmi_stepper step; /* that is running, or was begun */
    char error[HLMI_ERROR_MAX];
};

/** hlm_ctx_new with another op table for the CPU (NULL: its own). */
hlm_status hlmi_ctx_new(hlm_context **out, hlm_model *model, const hlm_ctx_params *params, const hlmi_ops *ops);

/** Scratch of a context in bytes; n_threads and max_rows as in hlm_ctx_params. */
hlm_status hlmi_scratch_size(const hlm_model *model, const hlmi_page_layout *pages, const hlmi_state_layout *states,
                             int32_t n_threads, size_t max_rows, uint64_t *bytes);

/** Of each weight of the model's plan, whether a step adds to it what adapters have for it: what its ops say while they
 *  are recorded. */
hlm_status hlmi_ctx_adds(const hlm_model *model, bool *adds);

#endif
