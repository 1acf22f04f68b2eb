/* A cache: a sequence (state/seq.h) in somebody's hands, and what a step that is running has claimed for it. The step
 * works on tables and points of its own, which take the places of the sequence's when it is committed; until then
 * readers see the sequence as it was. The one thing that both share is the page in which the sequence ends, where the
 * step may fill what nobody has filled. */
#ifndef HLMI_STATE_CACHE_H
#define HLMI_STATE_CACHE_H

#include "state/seq.h"
#include "state/undo.h"

/** What a running step will make of a sequence. Empty outside a step. */
typedef struct hlmi_claim {
    int64_t end; /* the length it will have */
    hlmi_table tracks[HLMI_TRACKS]; /* pages up to there, shared with the sequence as far as they are the same */
    hlmi_points points; /* new ones, and anchors that stay; the last is where it will stand */
    hlmi_state *now; /* where computing has got to: the sequence's state, or one of the points' */
    bool in_place[HLMI_TRACKS]; /* the page in which the sequence's track ends is filled further */
} hlmi_claim;

struct hlm_cache {
    hlm_pool *pool; /* retained */
    int64_t max_tokens; /* most tokens, without the prefix */
    atomic_uint users; /* HLMI_CACHE_...: who is using it (state/guard.h), which guards what follows */
    bool drafts; /* steps of several tokens are no prompts (state/draft.h) */
    hlmi_seq seq;
    hlmi_claim claim; /* the running step's */
};

/** The page of a track's position as the running step has it. */
static inline hlmi_page *hlmi_claim_page(const hlm_cache *c, size_t track, int64_t pos)
{
    return hlmi_table_page(&c->claim.tracks[track], (size_t)pos / c->pool->layout.tokens);
}

/** Is the final hidden row of the last position there, so that the head alone gives its logits? */
static inline bool hlmi_cache_keeps_row(const hlm_cache *c)
{
    const hlmi_point *now = hlmi_points_now(&c->seq.points);
    return now->pos == c->seq.length && now->state && now->state->hidden;
}

/** A cache of an empty sequence. */
hlm_status hlmi_cache_make(hlm_cache **out, hlm_pool *pool, int64_t max_tokens);
/** A cache of the first `pos` positions of another's sequence. */
hlm_status hlmi_cache_fork(hlm_cache **out, const hlm_cache *from, int64_t pos);
/** Frees the cache, but for its reference of the pool. */
void hlmi_cache_destroy(hlm_cache *c);

/** Two idle caches of a pool change their sequences; handles, with most tokens and locks, stay. */
void hlmi_cache_swap(hlm_cache *a, hlm_cache *b);
/** The cache takes what another of the same text has computed again: its points; the other has its own then. */
void hlmi_cache_swap_points(hlm_cache *a, hlm_cache *b);
/** The state from which the last position is run again with the least computing becomes the cache's. It is not
 *  empty. */
void hlmi_cache_step_back(hlm_cache *c);
/** Forgets automatic marks: memory is needed. True when there were any. */
bool hlmi_cache_give_up_marks(hlm_cache *c);

/** A point of the claim for more reasons. `state` is the state there, if it is known (NULL: not); else the step writes
 *  it, unless the sequence stands there. NULL when there is no memory. Valid until the next call. */
hlmi_point *hlmi_claim_point(hlm_cache *c, int64_t pos, hlmi_state *state, uint32_t flags);
/** The next position behind pos whose state the step keeps, or INT64_MAX: a span must not reach over it. */
int64_t hlmi_claim_next(const hlm_cache *c, int64_t pos);
/** States before and after a span of the running step that ends before position `end`. */
void hlmi_claim_advance(hlm_cache *c, int64_t end, const hlmi_state **in, hlmi_state **out);

/** Make positions length .. length+n-1 writable: own or claimed pages. The sequence stays. HLM_E_FULL, HLM_E_NOMEM:
 *  nothing has changed for readers. The cache is locked by the caller. */
hlm_status hlmi_cache_claim(hlm_cache *c, size_t n);
/** The claimed positions are written: the length grows by them, and `tokens` are their ids (NULL: embeddings), run with
 *  the adapter of a number; or they have symbols of their own (NULL: these). */
void hlmi_cache_commit(hlm_cache *c, const int32_t *tokens, size_t n, uint32_t adapter, const int32_t *symbols);
/** The claim is void: its pages go back to the pool. */
void hlmi_cache_abort(hlm_cache *c);
/** The claim is void, but its pages stay with the sequence. */
void hlmi_cache_keep(hlm_cache *c);

#endif
