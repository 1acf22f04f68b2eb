/* Leaves of page tables: sharing, changing, cutting. */
#include "state/table.h"

#include "base/size.h"
#include "state/pool.h"

static void leaf_drop(hlm_pool *pool, hlmi_leaf *leaf)
{
    if (!leaf || atomic_fetch_sub(&leaf->refs, 1) != 1) return;
    for (uint32_t i = 0; i < leaf->n; i++) hlmi_pool_drop(pool, leaf->page[i]);
    hlmi_free(&pool->mem, leaf);
}

static void leaf_set(hlmi_leaf *leaf, size_t i, hlmi_page *page)
{
    leaf->page[i] = page;
    leaf->rows.at[i] = page ? hlmi_page_rows(page) : NULL;
}

/* A leaf of the first n pages of another (NULL: of nothing); NULL without memory (sentence set). */
static hlmi_leaf *leaf_copy(hlm_pool *pool, const hlmi_leaf *from, uint32_t n)
{
    hlmi_leaf *leaf = hlmi_calloc(&pool->mem, 1, sizeof *leaf);
    if (!leaf) {
        hlmi_nomem(sizeof *leaf, "a page table");
        return NULL;
    }
    atomic_init(&leaf->refs, 1);
    for (; leaf->n < n; leaf->n++) leaf_set(leaf, leaf->n, from ? hlmi_item_retain(from->page[leaf->n]) : NULL);
    return leaf;
}

/* Leaf i, which may be the next, becomes the table's own, with the first n of its pages if it is not. */
static hlm_status leaf_own(hlm_pool *pool, hlmi_table *t, size_t i, uint32_t n)
{
    hlmi_leaf *old = i < t->n ? t->leaves[i] : NULL;
    if (old && atomic_load(&old->refs) == 1) return HLM_OK;
    HLMI_DO(HLMI_GROW(&pool->mem, t->leaves, t->cap, i + 1, "a page table"));
    hlmi_leaf *leaf = leaf_copy(pool, old, n);
    if (!leaf) return HLM_E_NOMEM;
    t->leaves[i] = leaf;
    if (i == t->n) t->n++;
    leaf_drop(pool, old);
    return HLM_OK;
}

hlm_status hlmi_table_put(hlm_pool *pool, hlmi_table *t, size_t i, hlmi_page *page)
{
    const size_t l = i / HLMI_LEAF_PAGES, slot = i % HLMI_LEAF_PAGES;
    const size_t left = hlmi_table_pages(t) - hlmi_min_size(hlmi_table_pages(t), l * HLMI_LEAF_PAGES);
    const hlm_status st = leaf_own(pool, t, l, (uint32_t)hlmi_min_size(left, HLMI_LEAF_PAGES));
    if (st != HLM_OK) {
        hlmi_pool_drop(pool, page);
        return st;
    }
    hlmi_leaf *leaf = t->leaves[l];
    if (slot == leaf->n) leaf->n++;
    else hlmi_pool_drop(pool, leaf->page[slot]);
    leaf_set(leaf, slot, page);
    return HLM_OK;
}

hlm_status hlmi_table_blank(hlm_pool *pool, hlmi_table *t, size_t n)
{
    for (size_t i = 0; i < n; i += HLMI_LEAF_PAGES) {
        HLMI_DO(leaf_own(pool, t, t->n, 0));
        t->leaves[t->n - 1]->n = (uint32_t)hlmi_min_size(n - i, HLMI_LEAF_PAGES);
    }
    return HLM_OK;
}

hlm_status hlmi_table_share(hlm_pool *pool, hlmi_table *t, const hlmi_table *from, size_t n)
{
    const size_t leaves = hlmi_div_up(n, HLMI_LEAF_PAGES);
    HLMI_DO(HLMI_GROW(&pool->mem, t->leaves, t->cap, leaves, "a page table"));
    for (; t->n < leaves; t->n++) {
        hlmi_leaf *leaf = from->leaves[t->n];
        const uint32_t keep = (uint32_t)hlmi_min_size(n - t->n * HLMI_LEAF_PAGES, HLMI_LEAF_PAGES);
        if (keep < HLMI_LEAF_PAGES && (!leaf || leaf->n > keep)) {
            leaf = leaf_copy(pool, leaf, keep);
            if (!leaf) return HLM_E_NOMEM;
        } else if (leaf) {
            atomic_fetch_add(&leaf->refs, 1);
        }
        t->leaves[t->n] = leaf;
    }
    return HLM_OK;
}

void hlmi_table_cut(hlm_pool *pool, hlmi_table *t, size_t n)
{
    const size_t leaves = hlmi_div_up(n, HLMI_LEAF_PAGES);
    while (t->n > leaves) leaf_drop(pool, t->leaves[--t->n]);
    if (t->n < leaves || n == 0) return;
    const uint32_t keep = (uint32_t)(n - (leaves - 1) * HLMI_LEAF_PAGES);
    if (hlmi_table_pages(t) <= n || leaf_own(pool, t, leaves - 1, keep) != HLM_OK) return;
    hlmi_leaf *leaf = t->leaves[leaves - 1];
    while (leaf->n > keep) hlmi_pool_drop(pool, leaf->page[--leaf->n]);
}

void hlmi_table_drop_leaf(hlm_pool *pool, hlmi_table *t, size_t i)
{
    leaf_drop(pool, t->leaves[i]);
    t->leaves[i] = NULL;
}

void hlmi_table_free(hlm_pool *pool, hlmi_table *t)
{
    hlmi_table_cut(pool, t, 0);
    hlmi_free(&pool->mem, t->leaves);
    *t = (hlmi_table){0};
}

bool hlmi_table_alone(const hlmi_table *claim, const hlmi_table *own, size_t i)
{
    const size_t l = i / HLMI_LEAF_PAGES, slot = i % HLMI_LEAF_PAGES;
    const hlmi_leaf *a = claim->leaves[l], *b = l < own->n ? own->leaves[l] : NULL;
    const hlmi_page *page = a->page[slot];
    /* the page's count last: who parts from a leaf has references of its own on its pages before it drops the leaf */
    const unsigned mine = atomic_load(&a->refs);
    if (a == b) return mine == 2 && atomic_load(&page->item.refs) == 1;
    if (mine != 1) return false;
    if (!b || slot >= b->n || b->page[slot] != page) return atomic_load(&page->item.refs) == 1;
    return atomic_load(&b->refs) == 1 && atomic_load(&page->item.refs) == 2;
}
