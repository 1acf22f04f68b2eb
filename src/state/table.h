/* Page tables. A table has two levels, so that a fork copies one pointer for each HLMI_LEAF_PAGES pages: leaves are shared by
 * reference, and who changes a shared leaf makes its own first. */
#ifndef HLMI_STATE_TABLE_H
#define HLMI_STATE_TABLE_H

#include "state/page.h"

typedef struct hlmi_leaf {
    atomic_uint refs;
    uint32_t n; /* pages present, from the first on */
    hlmi_page *page[HLMI_LEAF_PAGES]; /* references */
    hlmi_leaf_rows rows; /* of those, for ops */
} hlmi_leaf;

static inline void hlmi_leaf_set(hlmi_leaf *leaf, size_t i, hlmi_page *page)
{
    leaf->page[i] = page;
    for (size_t piece = 0; piece < HLMI_PIECES; piece++) leaf->rows.at[piece][i] = hlmi_page_rows(page, piece);
}

typedef struct hlmi_table {
    hlmi_leaf **leaves; /* [n] references; all but the last have all their pages */
    size_t n, cap;
} hlmi_table;

/** Page i of those that there are. */
static inline hlmi_page *hlmi_table_page(const hlmi_table *t, size_t i)
{
    return t->leaves[i / HLMI_LEAF_PAGES]->page[i % HLMI_LEAF_PAGES];
}

/** How many there are. */
static inline size_t hlmi_table_pages(const hlmi_table *t)
{
    return t->n ? (t->n - 1) * HLMI_LEAF_PAGES + t->leaves[t->n - 1]->n : 0;
}

/** Puts page i, which is one that there is or the next, into a table of its own leaf; the table takes the reference, also on failure.
 *  HLM_E_NOMEM: the table is as before. */
hlm_status hlmi_table_put(hlm_pool *pool, hlmi_table *t, size_t i, hlmi_page *page);
/** An empty table gets n pages, which are NULL. HLM_E_NOMEM: what there is stays with it. */
hlm_status hlmi_table_blank(hlm_pool *pool, hlmi_table *t, size_t n);
/** The first n pages of another, shared; `t` is empty. A leaf of which more is there is copied: its other pages would stay
 *  for as long as this table does. */
hlm_status hlmi_table_share(hlm_pool *pool, hlmi_table *t, const hlmi_table *from, size_t n);
/** Only the first n pages are left; where there is no memory for a leaf of its own, all of that leaf. */
void hlmi_table_cut(hlm_pool *pool, hlmi_table *t, size_t n);
void hlmi_table_free(hlm_pool *pool, hlmi_table *t);

/** `claim` began as a share of all of `own`: is page i of `claim` known to these two alone? */
bool hlmi_table_alone(const hlmi_table *claim, const hlmi_table *own, size_t i);

#endif
