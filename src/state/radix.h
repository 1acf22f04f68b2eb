/* The prefix cache: what a pool remembers of texts that were run in it. A radix tree over token ids. A node owns a
 * stretch of text, the pages that hold its KV rows, and the states that were kept inside it; the way from the root to a
 * node is a text. A stretch ends where texts part, or where one was added to. The root owns the plan's prefix
 * (state/prefix.h).
 *
 * Positions are those of caches: they count the plan's prefix. A node's first page may begin before the node does; it
 * then holds the rows of its parent's last positions too, and stands in for the parent's last page. In a model with
 * recurrence a leaf ends at a state: what lies behind the last state of a text would be computed again anyway.
 *
 * Texts are made of symbols (state/symbol.h): the same ids with another adapter are another text.
 *
 * Locks: a cache is locked (hlmi_cache_lock) before the tree, the tree before the pool. Nothing is taken from the pool
 * while the tree is locked, because the pool asks the tree to give way (hlmi_radix_give_way). */
#ifndef HLMI_STATE_RADIX_H
#define HLMI_STATE_RADIX_H

#include "state/cache.h"

typedef struct hlmi_radix_node {
    struct hlmi_radix_node *parent, **children; /* ascending by `first` */
    size_t n, cap;
    int32_t first; /* symbol at `from` */
    int64_t from, end;
    hlmi_page **pages; /* [n_pages][tracks] those with positions from .. end - 1, references, or NULL: not there */
    size_t n_pages;
    hlmi_state **states; /* [n_states] positions in (from, end], ascending, references */
    size_t n_states, cap_states;
    double clock; /* the tree's when the node was used last */
    uint64_t used; /* number of that use */
} hlmi_radix_node;

typedef struct hlmi_radix {
    hlm_pool *pool; /* borrowed: the tree is its */
    hlmi_lock lock; /* guards what follows, and `held` of pages and states */
    hlmi_radix_node root;
    hlmi_state *first; /* the state behind the plan's prefix, with the root's pages; a reference, not counted */
    double clock; /* worth of what was evicted last (radix_evict.c) */
    uint64_t uses;
    hlm_prefix_info info;
} hlmi_radix;

/** A text: positions begin .. end - 1 of ids [end - begin], whose symbols are `offset` more from position `from` on, or
 *  of a sequence when ids is NULL. */
typedef struct hlmi_radix_text {
    const hlmi_seq *seq;
    const int32_t *ids;
    int32_t offset;
    int64_t from, begin, end;
} hlmi_radix_text;

/** Where a text leaves the tree: position `at` of `node`, node->from < at <= node->end (or the root's end). */
typedef struct hlmi_radix_place {
    hlmi_radix_node *node;
    int64_t at;
} hlmi_radix_place;

/** The budget of a tree by hlm_pool_params.prefix_bytes; 0: there is none. */
uint64_t hlmi_radix_budget(const hlmi_page_layout *pages, uint64_t prefix_bytes);
/** The pool's tree, empty. max_bytes: less than a page makes none. */
hlm_status hlmi_radix_init(hlm_pool *pool, uint64_t max_bytes);
void hlmi_radix_free(hlm_pool *pool);

/** How far positions begin .. end - 1 of a sequence and a text are the same ids, from begin on. */
int64_t hlmi_radix_common(const hlm_pool *pool, const hlmi_seq *s, const hlmi_radix_text *text);

void hlmi_radix_lock(hlmi_radix *r);
void hlmi_radix_unlock(hlmi_radix *r);
/** Does the calling thread have a tree locked? For assertions. */
bool hlmi_radix_mine(void);

/* The rest with the tree locked. */

/** The node behind another (NULL: the first) of all but the root, in an order in which children stand before their
 *  parents and are in theirs; NULL: that was the last. */
hlmi_radix_node *hlmi_radix_next(const hlmi_radix *r, const hlmi_radix_node *node);
/** The longest beginning of a text that the tree has. */
hlmi_radix_place hlmi_radix_find(hlmi_radix *r, const hlmi_radix_text *text);
/** The latest state on the way to a place, or NULL. */
hlmi_state *hlmi_radix_state(const hlmi_radix_place *place);
/** The way to a place was used. */
void hlmi_radix_touch(hlmi_radix *r, const hlmi_radix_place *place);
/** Add what a sequence holds, whose cache is locked. */
hlm_status hlmi_radix_add(hlmi_radix *r, const hlmi_seq *s);
/** Pages of the way to a place and states behind `from` on it, in an empty sequence; with recurrence there is one. The
 *  states become marks for this reason, automatic ones as many as fit. HLM_E_NOMEM: the caller frees it. */
hlm_status hlmi_radix_fill(hlmi_seq *s, const hlmi_radix *r, const hlmi_radix_place *place, int64_t from,
                           uint32_t mark);
/** Take a leaf out of the tree. */
void hlmi_radix_remove(hlmi_radix *r, hlmi_radix_node *leaf);
/** A leaf's end becomes `end`, which is behind its beginning; states behind are gone already. */
void hlmi_radix_shorten(hlmi_radix *r, hlmi_radix_node *leaf, int64_t end);
/** Take the state with index i out of a node. */
void hlmi_radix_drop_state(hlmi_radix *r, hlmi_radix_node *node, size_t i);

/** Evict until the budget is kept. */
void hlmi_radix_keep_budget(hlmi_radix *r);

/** Without the lock: the pages of the first n positions [n] of a text of symbols, which are whole pages, in an empty
 *  sequence. HLM_E_FORMAT, with a sentence that begins with `name`: the tree has not all of them. */
hlm_status hlmi_radix_share(hlm_pool *pool, hlmi_seq *s, const int32_t *ids, int64_t n, const char *name);

/** Memory is needed: evicts something, without the lock. False when there is nothing. */
bool hlmi_radix_give_way(hlm_pool *pool);
/** Evicts everything, without the lock. */
void hlmi_radix_clear(hlm_pool *pool);

#endif
