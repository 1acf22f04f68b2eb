/* Copying positions of pages. */
#include "state/page.h"

#include <string.h>

void hlmi_page_init(hlmi_page *p)
{
    atomic_init(&p->refs, 1);
    atomic_init(&p->filled, 0);
    p->held = 0;
    p->again = false;
    p->part = NULL;
    p->tokens = (int32_t *)(p + 1);
}

hlmi_page *hlmi_page_alone(const hlmi_page_layout *l, const hlmi_mem *mem)
{
    const size_t rows = hlmi_round_up(hlmi_page_header(l), HLMI_ALIGN),
                 part = rows + hlmi_round_up(l->bytes, HLMI_ALIGN);
    const size_t bytes = part + HLMI_ALIGN + l->part_bytes;
    char *p = hlmi_calloc(mem, 1, bytes);
    hlmi_page *page = (hlmi_page *)(void *)p;
    if (!p) {
        hlmi_nomem(bytes, "a snapshot's page");
        return NULL;
    }
    hlmi_page_init(page);
    page->item.rows[0] = p + rows;
    if (l->part_bytes == 0) return page;
    page->part = (hlmi_item *)(void *)(p + part);
    page->part->rows[0] = p + part + HLMI_ALIGN;
    return page;
}

void hlmi_page_copy_rows(hlmi_page *dst, const hlmi_page_layout *to, size_t at, const hlmi_page *src,
                         const hlmi_page_layout *l, size_t from, size_t n, const hlmi_plan *plan)
{
    const size_t item = l->item;
    memcpy(dst->tokens + at, src->tokens + from, n * sizeof *dst->tokens);
    for (size_t i = 0; i < plan->n_kv; i++) {
        const hlmi_kv_layer *kv = &plan->kv[i];
        char *d = hlmi_page_base(dst, to, i), *s = hlmi_page_base(src, l, i);
        if (!d || !s) continue;
        for (size_t h = 0; h < kv->n_kv_heads; h++) {
            char *k = hlmi_page_k(d, to, i, h), *v = hlmi_page_v(d, to, i, h);
            const char *k_from = hlmi_page_k(s, l, i, h), *v_from = hlmi_page_v(s, l, i, h);
            for (size_t e = 0; e < kv->head_dim; e++)
                memcpy(k + (e * to->stride + at) * item, k_from + (e * l->stride + from) * item, n * item);
            memcpy(v + at * kv->v_dim * item, v_from + from * kv->v_dim * item, n * kv->v_dim * item);
            if (l->format != HLMI_KV_ROWS_INT8) continue;
            memcpy(hlmi_page_k_scale(d, to, i, h) + at, hlmi_page_k_scale(s, l, i, h) + from, n * sizeof(float));
            memcpy(hlmi_page_v_scale(d, to, i, h) + at, hlmi_page_v_scale(s, l, i, h) + from, n * sizeof(float));
        }
    }
}

void hlmi_page_copy(hlmi_page *dst, const hlmi_page *src, const hlmi_page_layout *l, const hlmi_plan *plan, size_t n)
{
    hlmi_page_copy_rows(dst, l, 0, src, l, 0, n, plan);
}
