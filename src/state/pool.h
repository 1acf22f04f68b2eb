/* The pool of pages of one model: hands them out, takes them back, keeps a byte cap. */
#ifndef HLMI_STATE_POOL_H
#define HLMI_STATE_POOL_H

#include "base/lock.h"
#include "state/page.h"
#include "state/undo.h"

enum {
    HLMI_PAGE_TOKENS = 64, /* positions in a page by default */
    HLMI_MAX_PAGE_TOKENS = 4096,
    HLMI_MAX_UNDO_TOKENS = 4096
};

struct hlm_pool {
    atomic_uint refs;
    hlm_model *model; /* retained */
    hlmi_mem mem;
    const hlmi_plan *plan;
    hlmi_place *places[HLMI_PLACES]; /* the model's */
    hlmi_page_layout layout;
    hlmi_state_layout states;
    hlmi_state *origin; /* the state before the first token: zeros; NULL where the plan has no recurrence */
    uint32_t prefix_adapter; /* number of what the plan's prefix is run with */
    hlm_cache *_Atomic prefix; /* the sequence of the plan's prefix (state/prefix.h); NULL until it is computed */
    struct hlmi_radix *radix; /* the prefix cache (state/radix.h); NULL: none */
    uint64_t max_bytes; /* 0: none */
    int64_t slack; /* tokens that can be taken back though rows behind windows are given back; 0 where they are kept */
    int64_t mark_stride; /* 0: no automatic marks but at the ends of prompts */
    size_t auto_marks; /* of a sequence at most */
    int64_t undo_tokens; /* positions of a stretch of the undo log; 0: none */
    hlmi_lock lock; /* guards what follows */
    hlmi_shelf shelves[HLMI_SHELVES];
    uint64_t used, held; /* bytes */
    uint64_t own; /* of `used`: the states that sequences begin with */
    hlm_adapter **adapters; /* [n_adapters] references (state/symbol.h) */
    size_t n_adapters, cap_adapters;
};

/** Bytes that a sequence of a pool with default parameters takes at any length: the state that is read and the one that
 *  is written, the undo log with its anchors, and as many automatic marks as there may be; and hlm_pool.slack. */
hlm_status hlmi_pool_sequence_bytes(const hlmi_page_layout *pages, const hlmi_state_layout *states, uint64_t *bytes,
                                    int64_t *slack);

/** An item with one reference and any contents, or NULL: out of memory or at the cap (sentence set). */
void *hlmi_pool_take(hlm_pool *pool, hlmi_shelf_kind kind);
/** One reference less; the last one gives the item back, and the rows of a stretch. NULL is fine. */
void hlmi_pool_drop(hlm_pool *pool, void *item);

/** A page of a track with nothing filled, or NULL as above. */
hlmi_page *hlmi_pool_take_page(hlm_pool *pool, size_t track);
/** Bytes of the pages of positions side by side, those of all tracks. */
uint64_t hlmi_pool_pages_bytes(const hlmi_page_layout *l);
/** Where the rows of a page lie. */
static inline hlmi_place *hlmi_pool_place(const hlm_pool *pool, const hlmi_page *page)
{
    return pool->places[page->place];
}
/** Most pages that positions side by side lie in; n > 0. */
static inline uint64_t hlmi_pages_of(uint64_t n, uint64_t tokens)
{
    return (n + tokens - 2) / tokens + 1;
}

/** A state block without its final hidden row, or NULL as above. Only where the plan has a recurrence. */
hlmi_state *hlmi_pool_take_state(hlm_pool *pool);
/** Say that `bytes` in use are the pool's own and no cache's. */
void hlmi_pool_own(hlm_pool *pool, uint64_t bytes);

#endif
