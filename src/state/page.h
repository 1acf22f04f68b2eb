/* Pages: where the KV rows and token ids of consecutive positions live. A page
 * covers page_tokens positions of every attention layer. Pages are shared by
 * reference; `filled` is how many of its positions have been given to a writer,
 * so that of two sequences that share a partial page only the first to append
 * writes in place and the other copies. Where rows lie in it says plan/page_layout.h. */
#ifndef HLMI_STATE_PAGE_H
#define HLMI_STATE_PAGE_H

#include <stdatomic.h>

#include "base/size.h"
#include "plan/page_layout.h"
#include "state/item.h"

typedef struct hlmi_page {
    hlmi_item item; /* with the rows of all layers, or those without a window */
    atomic_uint refs;
    atomic_uint filled;
    unsigned held; /* by nodes of the prefix cache, which guards it (state/radix.h) */
    bool again; /* a step that is running computes the part's rows again: only it knows the page (state/window.h) */
    hlmi_item *part; /* with the rows of layers with a window; NULL: given back, or pages have none */
    int32_t *tokens; /* [page tokens] symbols (state/symbol.h), inside the page */
} hlmi_page;

/** Bytes of a page's fields and symbols, and with its rows, without its part. */
static inline size_t hlmi_page_header(const hlmi_page_layout *l)
{
    return sizeof(hlmi_page) + l->tokens * sizeof(int32_t);
}

static inline size_t hlmi_page_bytes(const hlmi_page_layout *l)
{
    return hlmi_page_header(l) + l->bytes;
}

/** Bytes of a part; 0: pages have none. */
static inline size_t hlmi_part_bytes(const hlmi_page_layout *l)
{
    return l->part_bytes ? sizeof(hlmi_item) + l->part_bytes : 0;
}

/** Where a piece is; NULL when it is given back. */
static inline char *hlmi_page_rows(const hlmi_page *p, size_t piece)
{
    const hlmi_item *item = piece == HLMI_PART ? p->part : &p->item;
    return item ? item->rows[0] : NULL;
}

/** Where the rows of a layer are counted from; NULL when they are given back. */
static inline char *hlmi_page_base(const hlmi_page *p, const hlmi_page_layout *l, size_t kv)
{
    return hlmi_page_rows(p, l->in_part[kv]);
}

/** One reference more; returns p. */
static inline hlmi_page *hlmi_page_retain(hlmi_page *p)
{
    atomic_fetch_add(&p->refs, 1);
    return p;
}

/** Sets the fields of a fresh page, but for what the pool knows (refs 1, filled 0, no part). */
void hlmi_page_init(hlmi_page *p);
/** A page of no pool, with all its rows, in one block of the host's memory; NULL (sentence set). */
hlmi_page *hlmi_page_alone(const hlmi_page_layout *l, const hlmi_mem *mem);
/** Copies positions 0..n-1: ids and the KV rows of all layers; those in parts where both have one. */
void hlmi_page_copy(hlmi_page *dst, const hlmi_page *src, const hlmi_page_layout *l, const hlmi_plan *plan, size_t n);
/** As hlmi_page_copy, positions from .. from+n-1 to positions at .. at+n-1 of a page of another size, with the same type of rows. */
void hlmi_page_copy_rows(hlmi_page *dst, const hlmi_page_layout *to, size_t at, const hlmi_page *src,
                         const hlmi_page_layout *l, size_t from, size_t n, const hlmi_plan *plan);

#endif
