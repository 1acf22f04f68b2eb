/* Drafts: guesses of the tokens that come next, for speculative decoding. Each kind is one file and one line of the
 * table in speculate.c. Whatever a draft says, the text stays the same: a wrong one costs time, a right one saves
 * it. */
#ifndef HLMI_SESSION_DRAFT_H
#define HLMI_SESSION_DRAFT_H

#include "session/run.h"
#include "session/steps.h"

enum {
    HLMI_DRAFT_TOKENS = 64, /* of a draft at most */
    HLMI_DRAFT_BRANCHES = HLMI_STEPS_MOST,
    HLMI_DRAFT_TRUST = 8, /* classes of drafts of one kind that are right about equally often */
};

/** The ids of a sequence from its beginning on, HLM_TOKEN_NONE for embeddings. It only grows. */
typedef struct hlmi_text {
    int32_t *ids;
    size_t n, cap;
} hlmi_text;

typedef struct hlmi_proposal {
    int32_t tokens[HLMI_DRAFT_TOKENS]; /* what follows the text */
    size_t n;
    unsigned trust; /* below HLMI_DRAFT_TRUST */
} hlmi_proposal;

typedef struct hlmi_draft_kind {
    /** Refuses what can not work, before anything is run. params: with defaults filled in. */
    hlm_status (*check)(const hlmi_run *run, const hlm_speculation *params);
    /** *draft stays NULL when the parameters do not ask for this kind; after a failure it is closed, too. Run,
     *  parameters and text stay until then. */
    hlm_status (*open)(void **draft, const hlmi_run *run, const hlm_speculation *params, const hlmi_text *text);
    /** Up to *n proposals of 1 to `most` tokens that differ in the first, the likeliest first; *n: how many there
     *  are. */
    hlm_status (*propose)(void *draft, size_t most, hlmi_proposal *out, size_t *n);
    void (*close)(const hlmi_mem *mem, void *draft); /* mem: the run's; a draft NULL is fine */
    bool computes; /* proposals take time: they are asked for when they are likely to pay */
} hlmi_draft_kind;

/** What followed the last time that the text read as it does at its end. */
extern const hlmi_draft_kind hlmi_draft_ngram;
/** What a smaller model says. */
extern const hlmi_draft_kind hlmi_draft_model;

#endif
