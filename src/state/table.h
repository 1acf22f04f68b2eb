/* Page tables, one for each track of a sequence. A table has two levels, so that a fork copies one pointer for each
 * HLMI_LEAF_PAGES pages: leaves are shared by reference, and who changes a shared leaf makes its own first. */
#ifndef HLMI_STATE_TABLE_H
#define HLMI_STATE_TABLE_H

#include "state/page.h"

typedef struct hlmi_leaf {
    atomic_uint refs;
    uint32_t n; /* pages, from the first on */
    hlmi_page *page[HLMI_LEAF_PAGES]; /* references, or NULL: given back */
    hlmi_leaf_rows rows; /* of those, for ops */
} hlmi_leaf;

typedef struct hlmi_table {
    hlmi_leaf **leaves; /* [n] references, or NULL: all is given back; all but the last have all their pages */
    size_t n, cap;
} hlmi_table;

/** How many pages there are, those that are given back included. */
static inline size_t hlmi_table_pages(const hlmi_table *t)
{
    const hlmi_leaf *last = t->n ? t->leaves[t->n - 1] : NULL;
    return t->n * HLMI_LEAF_PAGES - (last ? HLMI_LEAF_PAGES - last->n : 0);
}

/** Page i, or NULL. */
static inline hlmi_page *hlmi_table_page(const hlmi_table *t, size_t i)
{
    const hlmi_leaf *leaf = i / HLMI_LEAF_PAGES < t->n ? t->leaves[i / HLMI_LEAF_PAGES] : NULL;
    return leaf && i % HLMI_LEAF_PAGES < leaf->n ? leaf->page[i % HLMI_LEAF_PAGES] : NULL;
}

/** Puts a page, or NULL, in place of number i, or behind the last; the table takes the reference, also on failure.
 *  HLM_E_NOMEM: the table is as before. */
hlm_status hlmi_table_put(hlm_pool *pool, hlmi_table *t, size_t i, hlmi_page *page);
/** An empty table gets n pages, which are NULL. HLM_E_NOMEM: what there is stays with it. */
hlm_status hlmi_table_blank(hlm_pool *pool, hlmi_table *t, size_t n);
/** The 64 pages of leaf i are given back. */
void hlmi_table_drop_leaf(hlm_pool *pool, hlmi_table *t, size_t i);
/** The first n pages of another, shared; `t` is empty. A leaf of which more is there is copied: its other pages would
 *  stay for as long as this table does. */
hlm_status hlmi_table_share(hlm_pool *pool, hlmi_table *t, const hlmi_table *from, size_t n);
/** Only the first n pages are left; where there is no memory for a leaf of its own, all of that leaf. */
void hlmi_table_cut(hlm_pool *pool, hlmi_table *t, size_t n);
void hlmi_table_free(hlm_pool *pool, hlmi_table *t);

/** `claim` began as a share of all of `own`: is page i of `claim`, which is there, known to these two alone? */
bool hlmi_table_alone(const hlmi_table *claim, const hlmi_table *own, size_t i);

#endif
