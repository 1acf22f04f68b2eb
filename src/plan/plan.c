/* The plan's memory: blocks, geometry, and what belongs to it. */
#include "plan/plan.h"

#include <string.h>

#include "base/assert.h"
#include "base/size.h"

void hlmi_plan_init(hlmi_plan *p, const hlmi_mem *mem)
{
    *p = (hlmi_plan){.mem = *mem};
}

void hlmi_plan_free(hlmi_plan *p)
{
    for (size_t i = 0; i < p->n_owned; i++) hlmi_free(&p->mem, p->owned[i]);
    hlmi_free(&p->mem, p->owned);
    hlmi_free(&p->mem, p->blocks);
    hlmi_free(&p->mem, p->kv);
    hlmi_free(&p->mem, p->rec);
    hlmi_free(&p->mem, p->ropes);
    hlmi_free(&p->mem, p->weights);
    *p = (hlmi_plan){.mem = p->mem};
}

hlm_status hlmi_plan_own(hlmi_plan *p, void *memory)
{
    const hlm_status st = HLMI_GROW(&p->mem, p->owned, p->cap_owned, p->n_owned + 1, "the layer plan");
    if (st != HLM_OK) {
        hlmi_free(&p->mem, memory);
        return st;
    }
    p->owned[p->n_owned++] = memory;
    return HLM_OK;
}

void *hlmi_plan_alloc(hlmi_plan *p, size_t n, size_t size)
{
    void *m = hlmi_calloc(&p->mem, n, size);
    if (!m) {
        hlmi_nomem(n * size, "the layer plan");
        return NULL;
    }
    return hlmi_plan_own(p, m) == HLM_OK ? m : NULL;
}

hlmi_weight *hlmi_plan_add_weight(hlmi_plan *p, const hlmi_want *want)
{
    hlmi_weight *w = hlmi_plan_alloc(p, 1, sizeof *w);
    if (!w || HLMI_GROW(&p->mem, p->weights, p->cap_weights, p->n_weights + 1, "the layer plan") != HLM_OK) return NULL;
    p->weights[p->n_weights++] = w;
    w->want = *want;
    w->block = p->n_blocks;
    w->matrix.number = p->n_weights;
    return w;
}

hlm_status hlmi_plan_name_weight(hlmi_plan *p, const hlmi_matrix *m, hlmi_key key, const char *tensor)
{
    const size_t len = strlen(tensor) + 1;
    char *name = hlmi_plan_alloc(p, len, 1);
    if (!name) return HLM_E_NOMEM;
    memcpy(name, tensor, len);
    p->weights[m->number - 1]->name = name;
    p->weights[m->number - 1]->key = key;
    return HLM_OK;
}

void *hlmi_plan_alloc_packed(hlmi_plan *p, size_t bytes)
{
    const size_t need = hlmi_round_up(bytes, HLMI_ALIGN), left = (size_t)(p->chunk_end - p->chunk_at);
    if (need <= left) {
        void *packed = p->chunk_at;
        p->chunk_at += need;
        return packed;
    }
    const bool alone = need > p->chunk / 4;
    const size_t size = alone ? need : p->chunk;
    uint8_t *m = hlmi_alloc(&p->mem, size);
    if (!m) hlmi_nomem(size, "weights");
    if (!m || hlmi_plan_own(p, m) != HLM_OK) return NULL;
    if (!alone) {
        p->chunk_at = m + need;
        p->chunk_end = m + size;
    }
    return m;
}

hlm_status hlmi_plan_add(hlmi_plan *p, hlmi_block_kind kind, const void *params, size_t size)
{
    void *copy = hlmi_plan_alloc(p, 1, size);
    if (!copy) return HLM_E_NOMEM;
    memcpy(copy, params, size);
    HLMI_DO(HLMI_GROW(&p->mem, p->blocks, p->cap_blocks, p->n_blocks + 1, "the layer plan"));
    p->blocks[p->n_blocks++] = (hlmi_block){.kind = kind, .params = copy};
    return HLM_OK;
}

/* The matrix as its place keeps it. */
static hlm_status lay_out(hlmi_plan *p, hlmi_weight *w, const hlmi_place *place, const char *path)
{
    hlmi_matrix *m = &w->matrix;
    size_t bytes;
    m->layout = place->layout(place, m->type);
    if (m->layout == HLMI_LAYOUT_NONE)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: place %s can not multiply tensor %s of type %s", path, place->name,
                         w->name, hlmi_type_get(m->type)->name);
    if (!hlmi_layout_bytes(m->layout, m->rows, m->cols, &bytes)) return hlmi_nomem(SIZE_MAX, w->name);
    p->weight_bytes = p->weight_bytes - m->bytes + bytes;
    m->bytes = bytes;
    return HLM_OK;
}

hlm_status hlmi_plan_place(hlmi_plan *p, hlmi_place *const *places, const char *path)
{
    static const char *const names[] = {
#define NAME(kind, name) [HLMI_BLOCK_##kind] = #name,
        HLMI_BLOCKS(NAME)
#undef NAME
    };
    for (size_t i = 0; i < p->n_blocks; i++) {
        const hlmi_place *place = places[p->blocks[i].place];
        if (!place->can(place, &p->blocks[i]))
            return hlmi_fail(HLM_E_UNSUPPORTED, "%s: place %s can not compute block %zu, %s", path, place->name, i,
                             names[p->blocks[i].kind]);
    }
    for (size_t i = 0; i < p->n_weights; i++) {
        hlmi_weight *w = p->weights[i];
        hlmi_assert(w->block < p->n_blocks);
        if (w->use == HLMI_USE_PRODUCT) HLMI_DO(lay_out(p, w, places[p->blocks[w->block].place], path));
    }
    return HLM_OK;
}

hlm_status hlmi_plan_add_kv(hlmi_plan *p, const hlmi_kv_layer *kv, size_t *index)
{
    HLMI_DO(HLMI_GROW(&p->mem, p->kv, p->cap_kv, p->n_kv + 1, "the layer plan"));
    *index = p->n_kv;
    p->kv[p->n_kv++] = *kv;
    return HLM_OK;
}

void hlmi_plan_read_kv(hlmi_plan *p, size_t index, size_t window)
{
    hlmi_kv_layer *kv = &p->kv[index];
    const bool all = window == 0 || (kv->read && kv->window == 0);
    kv->window = all ? 0 : hlmi_max_size(kv->window, window);
    kv->read = true;
}

hlm_status hlmi_plan_set_heads(hlmi_plan *p, size_t layer, size_t n)
{
    if (!p->layer_heads) p->layer_heads = hlmi_plan_alloc(p, p->n_layers, sizeof *p->layer_heads);
    if (!p->layer_heads) return HLM_E_NOMEM;
    p->layer_heads[layer] = (uint32_t)n;
    return HLM_OK;
}

hlm_status hlmi_plan_add_recurrence(hlmi_plan *p, const hlmi_recurrence *r, size_t *index)
{
    HLMI_DO(HLMI_GROW(&p->mem, p->rec, p->cap_rec, p->n_rec + 1, "the layer plan"));
    *index = p->n_rec;
    p->rec[p->n_rec++] = *r;
    return HLM_OK;
}
