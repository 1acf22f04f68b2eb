/* A sequence's state: its length and the pages that hold it. The page table has
 * two levels, so that a fork copies one pointer for each HLMI_LEAF_PAGES pages:
 * leaves are shared by reference, and a sequence that changes a shared leaf
 * makes its own first. */
#ifndef HLMI_STATE_CACHE_H
#define HLMI_STATE_CACHE_H

#include "state/marks.h"
#include "state/pool.h"
#include "state/symbol.h"

typedef struct hlmi_leaf {
    atomic_uint refs;
    uint32_t n; /* pages present, from the first on */
    hlmi_page *page[HLMI_LEAF_PAGES];
    hlmi_leaf_rows rows; /* of those */
} hlmi_leaf;

static inline void hlmi_leaf_set(hlmi_leaf *leaf, size_t i, hlmi_page *page)
{
    leaf->page[i] = page;
    leaf->rows.at[0][i] = page->rows;
    leaf->rows.at[1][i] = page->part;
}

/* A position inside the running step whose state is kept. */
typedef struct hlmi_cut {
    int64_t pos;
    hlmi_state *state; /* a reference */
    bool mark; /* becomes an automatic mark */
} hlmi_cut;

/* Pages that the running step computes again (state/window.h). */
typedef struct hlmi_again {
    hlmi_leaf **was; /* [n] the table from leaf number `leaf` on, before the step; references */
    size_t n, leaf, first, end; /* pages first .. end - 1; end 0: none */
} hlmi_again;

/* The positions given to the step that is running, and what undoes that. */
typedef struct hlmi_claim {
    int64_t end;
    size_t leaves, leaf; /* leaves there were; the one that holds the first position */
    uint32_t leaf_pages, last_pages; /* pages of that one and of the last */
    uint32_t filled; /* of the page that holds `length` */
    bool in_place; /* that page is being filled */
    hlmi_page *shared; /* the page whose place a copy took, or NULL */
    hlmi_state *next; /* the state that the step writes; NULL without recurrence */
    hlmi_state *now; /* where computing has got to: the sequence's state, a cut's, or `next` */
    hlmi_undo *log[HLMI_UNDO_STRETCHES]; /* what the log will be, references */
    int64_t log_from[HLMI_UNDO_STRETCHES]; /* first row to be written */
} hlmi_claim;

/* What is known of an adapter that waits for tokens in a sequence's first `upto` own tokens: their symbols are right for it. */
typedef struct hlmi_invoked {
    uint32_t number; /* of the adapter; 0: nothing is known */
    int64_t at, end; /* its tokens' last occurrence there (state/invoke.h) */
    int64_t upto;
} hlmi_invoked;

struct hlm_cache {
    hlm_pool *pool; /* retained */
    int64_t length, max_tokens; /* positions held, the prefix included; most tokens, without it */
    int64_t prefix; /* positions that the plan's prefix takes: 0 before the first step, which puts it in */
    hlmi_state *state; /* at its own position, at most `length`; NULL without recurrence */
    hlmi_state *first; /* the state behind the prefix, of a sequence that was loaded; NULL: the pool's */
    hlmi_marks marks;
    hlmi_undo *log[HLMI_UNDO_STRETCHES]; /* older first; references */
    hlmi_cut *cuts; /* of the running step */
    size_t n_cuts, cap_cuts;
    hlmi_leaf **leaves;
    size_t n_leaves, cap_leaves;
    atomic_uint users; /* HLMI_CACHE_...: who is using it (state/guard.h) */
    int64_t branch; /* a position whose state becomes a mark if the next step computes it again (hlm_cache_reuse) */
    int64_t
        stale; /* positions before `length` that the next step computes again, since rows of windows are not there */
    size_t given, sweep; /* pages whose parts have been looked at; the next of them to be looked at again */
    hlmi_again again;
    hlmi_invoked invoked;
    bool drafts; /* steps of several tokens are no prompts (state/draft.h) */
    hlmi_claim claim;
};

/** Page number i, of those that there are. */
static inline hlmi_page *hlmi_cache_page_at(const hlm_cache *c, size_t i)
{
    return c->leaves[i / HLMI_LEAF_PAGES]->page[i % HLMI_LEAF_PAGES];
}

static inline void hlmi_cache_set_page(hlm_cache *c, size_t i, hlmi_page *page)
{
    hlmi_leaf_set(c->leaves[i / HLMI_LEAF_PAGES], i % HLMI_LEAF_PAGES, page);
}

/** The part of page number i goes back; the cache is the page's only holder. */
static inline void hlmi_cache_drop_part(hlm_cache *c, size_t i)
{
    hlmi_pool_drop_part(c->pool, hlmi_cache_page_at(c, i));
    hlmi_cache_set_page(c, i, hlmi_cache_page_at(c, i));
}

/** The page of a position below the sequence's prepared end. */
static inline hlmi_page *hlmi_cache_page(const hlm_cache *c, int64_t pos)
{
    return hlmi_cache_page_at(c, (size_t)pos / c->pool->layout.tokens);
}

/** Pages that the sequence holds, those behind its length included. */
static inline size_t hlmi_cache_pages(const hlm_cache *c)
{
    return c->n_leaves ? (c->n_leaves - 1) * HLMI_LEAF_PAGES + c->leaves[c->n_leaves - 1]->n : 0;
}

/** The symbol (state/symbol.h) of a position below the length. */
static inline int32_t hlmi_cache_symbol(const hlm_cache *c, int64_t pos)
{
    return hlmi_cache_page(c, pos)->tokens[(size_t)pos % c->pool->layout.tokens];
}

/** Has a step claimed positions that it has not committed yet? */
static inline bool hlmi_cache_claimed(const hlm_cache *c)
{
    return c->claim.end > c->length;
}

/** Positions before `length` that the state has not seen, but the log has: the next step runs them through the recurrences. */
static inline int64_t hlmi_cache_replay(const hlm_cache *c)
{
    return c->state && !c->stale && c->state->pos < c->length && hlmi_undo_covers(c) ? c->length - c->state->pos : 0;
}

/** Positions before `length` that the state has not seen, nor the log, or whose rows of windows are not there: the next step
 *  computes them again first. */
static inline int64_t hlmi_cache_pending(const hlm_cache *c)
{
    if (c->stale) return c->stale;
    return c->state && c->state->pos < c->length && !hlmi_undo_covers(c) ? c->length - c->state->pos : 0;
}

/** Is the final hidden row of the last position there, so that the head alone gives its logits? */
static inline bool hlmi_cache_keeps_row(const hlm_cache *c)
{
    return c->state && c->state->pos == c->length && c->state->hidden;
}

/** The page of a committed position, also beside a step that computes it again. */
hlmi_page *hlmi_cache_committed_page(const hlm_cache *c, int64_t pos);

/** The state before the sequence's own first token; NULL without recurrence. */
hlmi_state *hlmi_cache_first_state(const hlm_cache *c);
/** The latest state up to a position. */
hlmi_state *hlmi_cache_nearest(const hlm_cache *c, int64_t pos);

/** A leaf of the first `keep` pages of another, which it shares; NULL without memory (sentence set). */
hlmi_leaf *hlmi_leaf_copy(hlm_pool *pool, const hlmi_leaf *from, uint32_t keep);
/** One reference less. */
void hlmi_leaf_drop(hlm_pool *pool, hlmi_leaf *leaf);

/** An empty sequence. */
hlm_status hlmi_cache_make(hlm_cache **out, hlm_pool *pool, int64_t max_tokens);
/** Frees the cache, but for its reference of the pool. */
void hlmi_cache_destroy(hlm_cache *c);
/** Appends a page that has been taken from the pool; on failure it is given back. */
hlm_status hlmi_cache_add_page(hlm_cache *c, hlmi_page *page);
/** The pages of the first n positions of another cache, shared; c has none so far. `from` may be in a step, whose claim stays
 *  its own. */
hlm_status hlmi_cache_share(hlm_cache *c, const hlm_cache *from, int64_t n);

/** The state at pos will be kept when the step is done; true also when it is there already, false when it can not be had. */
bool hlmi_cut_ask(hlm_cache *c, int64_t pos);
/** The state at pos that the step has kept or came in with, or NULL. */
hlmi_state *hlmi_cut_find(const hlm_cache *c, int64_t pos);
/** The next cut behind pos, or INT64_MAX: a span must not reach over it. */
int64_t hlmi_cut_next(const hlm_cache *c, int64_t pos);
/** States before and after a span of the running step that ends before position `end`. */
void hlmi_cache_advance(hlm_cache *c, int64_t end, const hlmi_state **in, hlmi_state **out);

/** An empty sequence gets a table of n pages, whose places are NULL. HLM_E_NOMEM: what there is stays with it. */
hlm_status hlmi_cache_table(hlm_cache *c, size_t n);
/** Two idle caches of a pool change their sequences; handles, with most tokens and locks, stay. */
void hlmi_cache_swap(hlm_cache *a, hlm_cache *b);
/** The cache takes what another of the same text has computed again: its state, and the way to it; the other has its own then. */
void hlmi_cache_swap_states(hlm_cache *a, hlm_cache *b);
/** The state from which the last position is run again with the least computing becomes the cache's. It is not empty. */
void hlmi_cache_step_back(hlm_cache *c);
/** What hlmi_cache_pending would say after the positions from pos on are forgotten. */
int64_t hlmi_cache_pending_at(const hlm_cache *c, int64_t pos);
/** From which state position `length` is reached, of those that the sequence has. */
void hlmi_cache_restore(hlm_cache *c);
/** Forget the positions from `length` on. */
void hlmi_cache_truncate(hlm_cache *c, int64_t length);
/** The same, but the first `keep_pages` pages stay. */
void hlmi_cache_cut(hlm_cache *c, int64_t length, size_t keep_pages);

/** Make positions length .. length+n-1 writable: own leaves, own or claimed pages. The length stays.
 *  HLM_E_FULL, HLM_E_NOMEM: nothing has changed for readers. The cache is locked by the caller. */
hlm_status hlmi_cache_claim(hlm_cache *c, size_t n);
/** The claimed positions are written: the length grows by them, and `tokens` are their ids (NULL: embeddings), run with the
 *  adapter of a number; or they have symbols of their own (NULL: these). */
void hlmi_cache_commit(hlm_cache *c, const int32_t *tokens, size_t n, uint32_t adapter, const int32_t *symbols);
/** The claim is void: its pages go back to the pool. */
void hlmi_cache_abort(hlm_cache *c);
/** The claim is void, but its pages stay with the sequence. */
void hlmi_cache_keep(hlm_cache *c);

#endif
