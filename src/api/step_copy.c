/* Copies of steps, for a caller that goes on with something else in the meantime. */
#include <string.h>

#include "api/step.h"
#include "base/size.h"

/* Memory that is measured first (base NULL) and then given out in the same order. */
typedef struct room {
    uint8_t *base;
    size_t at;
    bool fits;
} room;

static void *take(room *r, size_t n, size_t size)
{
    size_t bytes, end;
    uint8_t *p = r->base ? r->base + r->at : NULL;
    r->fits = r->fits && hlmi_mul_size(n, size, &bytes) && bytes <= SIZE_MAX - HLMI_ALIGN &&
        hlmi_add_size(r->at, hlmi_round_up(bytes, HLMI_ALIGN), &end);
    if (r->fits) r->at = end;
    return p;
}

static const void *keep(room *r, const void *from, size_t n, size_t size)
{
    void *p = take(r, n, size);
    if (p && n) memcpy(p, from, n * size);
    return from ? p : NULL;
}

static hlm_status keep_hidden(room *r, hlm_step *s)
{
    const hlm_hidden **list = take(r, s->n_hidden, sizeof *list);
    hlm_hidden *items = take(r, s->n_hidden, sizeof *items);
    hlm_status st = HLM_OK;
    for (size_t i = 0; list && i < s->n_hidden && st == HLM_OK; i++) {
        st = hlmi_step_hidden(s, i, &items[i]);
        items[i].struct_size = sizeof *items;
        list[i] = &items[i];
    }
    s->hidden = list;
    return st;
}

static hlm_status keep_attention(room *r, hlm_step *s)
{
    const hlm_attention **list = take(r, s->n_attention, sizeof *list);
    hlm_attention *items = take(r, s->n_attention, sizeof *items);
    hlm_status st = HLM_OK;
    for (size_t i = 0; list && i < s->n_attention && st == HLM_OK; i++) {
        st = hlmi_step_attention(s, i, &items[i]);
        items[i].struct_size = sizeof *items;
        list[i] = &items[i];
    }
    s->attention = list;
    return st;
}

/* Everything into r; out: the list of steps. */
static hlm_status keep_all(room *r, const hlm_step *const *from, size_t n, const hlm_step *const **out)
{
    const hlm_step **list = take(r, n, sizeof *list);
    hlm_step *items = take(r, n, sizeof *items);
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < n && st == HLM_OK; i++) {
        hlm_step s;
        st = hlmi_step_read(from, i, &s);
        if (st != HLM_OK) break;
        s.struct_size = sizeof s;
        s.tokens = keep(r, s.tokens, s.tokens ? s.n_tokens : 0, sizeof *s.tokens);
        s.n_rows = s.logit_rows == HLM_ROWS_LIST ? s.n_rows : 0;
        s.rows = keep(r, s.rows, s.n_rows, sizeof *s.rows);
        st = keep_hidden(r, &s);
        if (st == HLM_OK) st = keep_attention(r, &s);
        if (!items) continue;
        items[i] = s;
        list[i] = &items[i];
    }
    *out = list;
    return st;
}

hlm_status hlmi_step_copy(const hlmi_mem *mem, const hlm_step *const *from, size_t n, void **block,
                          const hlm_step *const **steps)
{
    room r = {.fits = true};
    hlm_status st = keep_all(&r, from, n, steps);
    *block = NULL;
    if (st != HLM_OK) return st;
    if (r.fits) *block = hlmi_alloc(mem, r.at);
    if (!*block) return hlmi_nomem(r.fits ? r.at : SIZE_MAX, "a begun step");
    r = (room){.base = *block, .fits = true};
    return keep_all(&r, from, n, steps);
}
