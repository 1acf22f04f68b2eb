/* The pool of pages of one model: hands them out, takes them back, keeps a byte cap. */
#ifndef HLMI_STATE_POOL_H
#define HLMI_STATE_POOL_H

#include "base/lock.h"
#include "state/page.h"

enum { HLMI_PAGE_TOKENS = 64 /* positions in a page by default */ };

struct hlm_pool {
    atomic_uint refs;
    hlm_model *model; /* retained */
    hlmi_mem mem;
    const hlmi_plan *plan;
    hlmi_page_layout layout;
    uint64_t max_bytes; /* 0: none */
    hlmi_lock lock; /* guards what follows */
    hlmi_page *free;
    uint64_t used, held; /* bytes */
};

/** A page with refs 1 and nothing filled, or NULL: out of memory or at the cap (sentence set). */
hlmi_page *hlmi_pool_take(hlm_pool *pool);
/** One reference less; the last one gives the page back. NULL is fine. */
void hlmi_pool_drop(hlm_pool *pool, hlmi_page *page);

#endif
