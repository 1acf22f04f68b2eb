/* Copying positions of pages. */
#include "state/page.h"

#include <string.h>

void hlmi_page_copy_rows(char *dst, const hlmi_page_layout *to, size_t at, char *src, const hlmi_page_layout *l,
                         size_t from, size_t n, const hlmi_plan *plan, size_t kv, hlmi_place *place)
{
    const hlmi_kv_layer *layer = &plan->kv[kv];
    const size_t item = l->item, v_row = layer->v_dim * item;
    const hlmi_rect columns = {n * item, layer->head_dim, to->stride * item, l->stride * item};
    const hlmi_rect rows = {n * v_row, 1, 0, 0}, scales = {n * sizeof(float), 1, 0, 0};
    for (size_t h = 0; h < layer->n_kv_heads; h++) {
        char *k = hlmi_page_k(dst, to, kv, h), *v = hlmi_page_v(dst, to, kv, h);
        const char *k_from = hlmi_page_k(src, l, kv, h), *v_from = hlmi_page_v(src, l, kv, h);
        place->copy(place, k + at * item, k_from + from * item, &columns);
        place->copy(place, v + at * v_row, v_from + from * v_row, &rows);
        if (l->format != HLMI_KV_ROWS_INT8) continue;
        place->copy(place, hlmi_page_k_scale(dst, to, kv, h) + at, hlmi_page_k_scale(src, l, kv, h) + from, &scales);
        place->copy(place, hlmi_page_v_scale(dst, to, kv, h) + at, hlmi_page_v_scale(src, l, kv, h) + from, &scales);
    }
}

void hlmi_page_copy(hlmi_page *dst, const hlmi_page *src, const hlmi_page_layout *l, const hlmi_plan *plan, size_t n,
                    hlmi_place *place)
{
    if (src->track == HLMI_IDS) memcpy(hlmi_page_symbols(dst), hlmi_page_symbols(src), n * sizeof(int32_t));
    for (size_t i = 0; i < plan->n_kv; i++)
        if (l->kv[i].track == src->track)
            hlmi_page_copy_rows(hlmi_page_rows(dst), l, 0, hlmi_page_rows(src), l, 0, n, plan, i, place);
}
