/* A step from its beginning to its end. hlm_decode_step and hlm_step_begin, _run, _abort are the same machine: it checks the
 * step, takes its caches and memory, and then runs tile after tile, to the end or for a while; when the last is done it commits.
 *
 * Where the pool lacks the rows that stand before every text (state/prefix.h), they are a batch of their own that runs first. */
#ifndef HLMI_API_STEP_H
#define HLMI_API_STEP_H

#include "exec/program.h"
#include "exec/slice.h"

/** Where filling tiles has got to. */
typedef struct hlmi_cursor {
    size_t step, row, logit; /* next of each; row: of the step */
} hlmi_cursor;

/** Steps that are computed together. */
typedef struct hlmi_batch {
    const hlm_step *const *steps;
    size_t n;
    size_t locked, claimed; /* the first ones, whose caches the step has, and which have claimed their positions */
    const int32_t *const
        *symbols; /* [n] what the tokens of a step become (NULL: ids with its adapter); NULL: of none */
    size_t replayed, replay_row; /* steps whose logs have been replayed; rows of the next one's */
    hlmi_cursor at;
} hlmi_batch;

/** A step whose adapter waits for tokens (api/turn.c). */
typedef struct hlmi_turn {
    hlm_cache *cache,
        *fork; /* the sequence; NULL, or its text up to where tokens are run again, and later the sequence as it was */
    uint32_t number; /* of the adapter */
    int64_t at; /* where it acts from */
    int32_t *symbols; /* of the step's tokens; NULL: its adapter waits for nothing */
    int32_t *again, *again_symbols; /* tokens that are run again, and what they become */
    hlm_step step; /* of them */
} hlmi_turn;

typedef struct hlmi_turns {
    hlmi_turn *items; /* [n], one for each step; NULL: no adapter waits */
    size_t n, n_again;
    const int32_t **symbols; /* [n] of the steps; [n_again] behind them of what is run again */
    const hlm_step **steps; /* [n_again] */
    bool placed; /* forks and sequences have changed places */
} hlmi_turns;

typedef struct hlmi_stepper {
    /* run in this order: rows before every text, where the pool lacks them, and tokens with other adapters than before, where there
     * are any, each a batch of its own (n 0: there is nothing) */
    hlmi_batch prefix, again, main;
    hlmi_turns turns;
    hlm_step prefix_step;
    const hlm_step *prefix_list[1];
    void *copy; /* of what a begun step's caller may throw away */
    const hlmi_program *program; /* the tile's; NULL: there is none yet, or it is done */
    hlmi_work work;
    hlmi_place place;
} hlmi_stepper;

/** Step i as this library knows it; callers may have been compiled against an older header. Likewise request i of a step. */
hlm_status hlmi_step_read(const hlm_step *const *steps, size_t i, hlm_step *s);
hlm_status hlmi_step_hidden(const hlm_step *s, size_t i, hlm_hidden *h);
hlm_status hlmi_step_attention(const hlm_step *s, size_t i, hlm_attention *a);
/** Can the context run it? */
hlm_status hlmi_step_check(const hlm_context *c, const hlm_step *s);
/** A copy, in one block of memory, of n checked steps with their ids, rows and requests; *steps is what to read. */
hlm_status hlmi_step_copy(const hlmi_mem *mem, const hlm_step *const *from, size_t n, void **block,
                          const hlm_step *const **steps);

/** What the steps' adapters that wait for tokens ask for. The steps' caches are locked; *failed: a step, when it fails. */
hlm_status hlmi_turns_find(const hlmi_mem *mem, hlmi_turns *turns, const hlm_step *const *steps, size_t n,
                           size_t *failed);
/** Forks and sequences change places, or back. The caches are entered. */
void hlmi_turns_place(hlmi_turns *turns);
/** Step i is committed. */
void hlmi_turns_note(const hlmi_turns *turns, const hlm_step *s, size_t i);
void hlmi_turns_free(const hlmi_mem *mem, hlmi_turns *turns);

/** Fills the context's tile with the batch's next rows, at most so many. *program: what to run on them; NULL: there are none. */
hlm_status hlmi_batch_tile(hlm_context *c, hlmi_batch *b, size_t most, const hlmi_program **program);

/** Puts pages behind the memory that the context's tile is the first to write (base/fresh.h). False: the slice is over. */
bool hlmi_tile_touch(const hlm_context *c, hlmi_slice *slice);

/** The context is the caller's: HLM_E_BUSY, or until hlmi_ctx_leave, which ends what there is of a step and keeps a failure's
 *  sentence. */
hlm_status hlmi_ctx_enter(hlm_context *c);
void hlmi_ctx_leave(hlm_context *c, hlm_status st);
/** Ends what there is of a begun step. False: the context is in use. */
bool hlmi_step_drop(hlm_context *c);
/** Computes what the next step of a cache would compute again first; with logits [n_out], at least its last row, and its logits.
 *  The context is the caller's. On failure the cache is as before. */
hlm_status hlmi_ctx_again(hlm_context *c, hlm_cache *cache, float *logits);

#endif
