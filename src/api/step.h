/* A step from its beginning to its end. hlm_decode_step and hlm_step_begin, _run, _abort are the same machine: it reads
 * and checks the step, takes its caches and memory, and then runs tile after tile, to the end or for a while; when the
 * last is done it commits.
 *
 * Where the pool lacks the rows that stand before every text (state/prefix.h), they are a batch of their own that runs
 * first. */
#ifndef HLMI_API_STEP_H
#define HLMI_API_STEP_H

#include "exec/program.h"
#include "exec/slice.h"
#include "state/cache.h"

/** What one sequence does in a step: a caller's hlm_step, read once and checked, or one of the engine's own. */
typedef struct hlmi_entry {
    hlm_cache *cache;
    const int32_t *tokens; /* [n_tokens], or NULL: */
    const float *embeddings; /* [n_tokens] rows in their place */
    size_t n_tokens;
    const hlm_adapter *adapter; /* the pool's, or NULL; and its number */
    uint32_t number;
    const int32_t *symbols; /* [n_tokens] what the tokens become (api/turn.c); NULL: ids with that adapter */
    float *logits; /* [n_out] rows, of the tokens in `rows`, or (NULL) of the last ones */
    const size_t *rows;
    size_t n_out;
    size_t asked; /* the first of its requests among the context's: for hidden states, then for attention weights */
    size_t n_hidden, n_attention;
    /* since the claim: rows that it runs before its tokens, of the undo log and through all blocks; its page table */
    size_t replay, old;
    const hlmi_leaf_rows *const *pages;
    size_t n_leaves;
} hlmi_entry;

/** A hlm_hidden or hlm_attention. */
typedef struct hlmi_asked {
    int32_t layer, kind;
    float *out;
} hlmi_asked;

/** Where filling tiles has got to. */
typedef struct hlmi_cursor {
    size_t entry, row, logit; /* next of each; row: of the entry */
} hlmi_cursor;

/** Sequences that are computed together. */
typedef struct hlmi_batch {
    hlmi_entry *entries;
    size_t n;
    size_t locked, claimed; /* the first ones, whose caches the step has, and which have claimed their positions */
    size_t replayed, replay_row; /* entries whose logs have been replayed; rows of the next one's */
    hlmi_cursor at;
} hlmi_batch;

/** An entry whose adapter waits for tokens (api/turn.c). */
typedef struct hlmi_turn {
    hlm_cache *cache,
        *fork; /* the sequence; NULL, or its text up to where tokens are run again, and later the sequence as it was */
    int64_t at; /* where it acts from */
    int32_t *symbols; /* of the entry's tokens; NULL: its adapter waits for nothing */
    int32_t *again; /* tokens that are run again, and behind them what they become */
} hlmi_turn;

typedef struct hlmi_turns {
    hlmi_turn *items; /* [n], one for each entry; NULL: no adapter waits */
    hlmi_entry *again; /* [n_again] what is run again */
    size_t n, n_again;
    bool placed; /* forks and sequences have changed places */
} hlmi_turns;

typedef struct hlmi_stepper {
    /* run in this order: rows before every text, where the pool lacks them, and tokens with other adapters than before,
     * where there are any, each a batch of its own (n 0: there is nothing) */
    hlmi_batch prefix, again, main;
    hlmi_turns turns;
    hlmi_entry before; /* of the first */
    void *lists; /* of a begun step, whose caller may throw away its own */
    const hlmi_program *program; /* the tile's; NULL: there is none yet, or it is done */
    size_t region; /* of the program, from which on it runs */
    hlmi_stop stop;
} hlmi_stepper;

/** A caller's step as entry number i of the context's: read, checked, and its adapter known to the pool. */
hlm_status hlmi_entry_read(hlm_context *c, size_t i, const hlm_step *from);
/** The ids and rows of n entries move to one block of memory. */
hlm_status hlmi_entries_own(const hlmi_mem *mem, hlmi_entry *entries, size_t n, void **block);
/** All caches of the batch have claimed their positions: finds what its entries run first, and lists their pages. */
hlm_status hlmi_batch_claimed(hlm_context *c, hlmi_batch *b);

/** What the entries' adapters that wait for tokens ask for. The caches are locked; *failed: an entry, when it fails. */
hlm_status hlmi_turns_find(const hlmi_mem *mem, hlmi_turns *turns, hlmi_entry *entries, size_t n, size_t *failed);
/** Forks and sequences change places, or back. The caches are entered. */
void hlmi_turns_place(hlmi_turns *turns);
/** Entry i is committed. */
void hlmi_turns_note(const hlmi_turns *turns, const hlmi_entry *e, size_t i);
void hlmi_turns_free(const hlmi_mem *mem, hlmi_turns *turns);

/** Runs the context's tile on, through the program of its step from where that stands: to the end, or until the slice
 *  is over (NULL: never). */
hlm_status hlmi_tile_run(hlm_context *c, hlmi_slice *slice, bool *done);
/** Fills the context's tile with the batch's next rows, at most so many. *program: what to run on them; NULL: there are
 *  none. */
hlm_status hlmi_batch_tile(hlm_context *c, hlmi_batch *b, size_t most, const hlmi_program **program);

/** Puts pages behind the memory that the context's tile is the first to write (base/fresh.h). False: the slice is
 *  over. */
bool hlmi_tile_touch(const hlm_context *c, hlmi_slice *slice);

/** The context is the caller's: HLM_E_BUSY, or until hlmi_ctx_leave, which ends what there is of a step and keeps a
 *  failure's sentence. */
hlm_status hlmi_ctx_enter(hlm_context *c);
void hlmi_ctx_leave(hlm_context *c, hlm_status st);
/** Ends what there is of a begun step. False: the context is in use. */
bool hlmi_step_drop(hlm_context *c);
/** Computes what the next step of a cache would compute again first; with logits [n_out], at least its last row, and
 *  its logits. The context is the caller's. On failure the cache is as before. */
hlm_status hlmi_ctx_again(hlm_context *c, hlm_cache *cache, float *logits);

#endif
