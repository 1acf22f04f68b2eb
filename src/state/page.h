/* Pages: where the KV rows and token ids of consecutive positions live. A page
 * covers page_tokens positions of every attention layer. Pages are shared by
 * reference; `filled` is how many of its positions have been given to a writer,
 * so that of two sequences that share a partial page only the first to append
 * writes in place and the other copies.
 *
 * Inside a page, for each attention layer and KV head: K transposed
 * [head_dim][stride] with positions side by side, then V [page_tokens][v_dim]. Where rows are int8, the f32 scales of the
 * head's positions follow each.
 *
 * Where a pool gives rows behind attention windows back (state/window.h), the rows of layers with a window lie in a second
 * allocation in the same way, the page's *part*: it may be gone. */
#ifndef HLMI_STATE_PAGE_H
#define HLMI_STATE_PAGE_H

#include <stdatomic.h>

#include "base/fresh.h"
#include "kernel/kernel.h"
#include "plan/plan.h"

/** Where things lie in a page of one pool. */
typedef struct hlmi_page_layout {
    hlmi_kv_format format;
    size_t item; /* bytes of a KV element */
    size_t tokens; /* positions */
    size_t stride; /* positions rounded up to a multiple of 16: row stride of K */
    size_t *k_at; /* [n_kv] offset of the layer's first K head, in the page or its part */
    size_t *k_head; /* [n_kv] bytes of a K head */
    size_t *v_at; /* [n_kv] offset of the layer's first V head */
    size_t *v_head; /* [n_kv] bytes of a V head */
    size_t *k_scale, *v_scale; /* [n_kv] where in a head its scales are; int8 only */
    size_t *in_part; /* [n_kv] 1: the layer's rows lie in the page's part */
    size_t bytes; /* of a whole page, header included, without its part */
    size_t part_bytes; /* of its part; 0: pages have none */
    size_t window, part_per_token; /* the widest of the layers in the part; bytes of a position there */
    size_t per_token; /* bytes of one position, those in the part included */
} hlmi_page_layout;

typedef struct hlmi_page {
    atomic_uint refs;
    atomic_uint filled;
    unsigned held; /* by nodes of the prefix cache, which guards it (state/radix.h) */
    bool again; /* a step that is running computes the part's rows again: only it knows the page (state/window.h) */
    void *part; /* rows of layers with a window; NULL: given back, or pages have none */
    hlmi_fresh fresh, part_fresh; /* pages of memory that the page and its part lack */
    int32_t *tokens; /* [page tokens] symbols (state/symbol.h), inside the page */
} hlmi_page;

/** kv_type HLM_TYPE_DEFAULT: f16, or f32 where activations are not to be rounded. parts: layers with a window have their rows in
 *  parts. */
hlm_status hlmi_page_layout_init(hlmi_page_layout *l, const hlmi_plan *plan, int32_t kv_type, bool f32_activations,
                                 size_t tokens, bool parts, const hlmi_mem *mem);
void hlmi_page_layout_free(hlmi_page_layout *l, const hlmi_mem *mem);

/** Where the rows of a layer are counted from; NULL when they are given back. */
static inline char *hlmi_page_base(const hlmi_page *p, const hlmi_page_layout *l, size_t kv)
{
    return l->in_part[kv] ? p->part : (char *)(uintptr_t)p;
}

static inline void *hlmi_page_k(const hlmi_page *p, const hlmi_page_layout *l, size_t kv, size_t head)
{
    return hlmi_page_base(p, l, kv) + l->k_at[kv] + head * l->k_head[kv];
}

static inline void *hlmi_page_v(const hlmi_page *p, const hlmi_page_layout *l, size_t kv, size_t head)
{
    return hlmi_page_base(p, l, kv) + l->v_at[kv] + head * l->v_head[kv];
}

/** The scales of a head's positions, or NULL where rows have none. */
static inline float *hlmi_page_k_scale(const hlmi_page *p, const hlmi_page_layout *l, size_t kv, size_t head)
{
    if (l->format != HLMI_KV_ROWS_INT8) return NULL;
    return (float *)(void *)((char *)hlmi_page_k(p, l, kv, head) + l->k_scale[kv]);
}

static inline float *hlmi_page_v_scale(const hlmi_page *p, const hlmi_page_layout *l, size_t kv, size_t head)
{
    if (l->format != HLMI_KV_ROWS_INT8) return NULL;
    return (float *)(void *)((char *)hlmi_page_v(p, l, kv, head) + l->v_scale[kv]);
}

/** Sets the fields of a fresh page (refs 1, filled 0, no part). */
void hlmi_page_init(hlmi_page *p);
/** Copies positions 0..n-1: ids and the KV rows of all layers; those in parts where both have one. */
void hlmi_page_copy(hlmi_page *dst, const hlmi_page *src, const hlmi_page_layout *l, const hlmi_plan *plan, size_t n);
/** As hlmi_page_copy, positions from .. from+n-1 to positions at .. at+n-1 of a page of another size, with the same type of rows. */
void hlmi_page_copy_rows(hlmi_page *dst, const hlmi_page_layout *to, size_t at, const hlmi_page *src,
                         const hlmi_page_layout *l, size_t from, size_t n, const hlmi_plan *plan);

#endif
