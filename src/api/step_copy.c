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

/* Request i of a step into memory of its type, struct_size first. */
typedef hlm_status read_fn(const hlm_step *s, size_t i, void *item);

static hlm_status read_hidden(const hlm_step *s, size_t i, void *item)
{
    return hlmi_step_hidden(s, i, item);
}

static hlm_status read_attention(const hlm_step *s, size_t i, void *item)
{
    return hlmi_step_attention(s, i, item);
}

/* n requests of `size` bytes as this library knows them; out: the list of them. */
static hlm_status keep_requests(room *r, const hlm_step *s, size_t n, size_t size, read_fn *read, const void **out)
{
    const void **list = take(r, n, sizeof *list);
    char *items = take(r, n, size);
    hlm_status st = HLM_OK;
    for (size_t i = 0; list && i < n && st == HLM_OK; i++) {
        char *item = items + i * size;
        st = read(s, i, item);
        memcpy(item, &size, sizeof size);
        list[i] = item;
    }
    *out = list;
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
        uint32_t adapter; /* the caller's may go: the pool's stays */
        st = hlmi_pool_number(s.cache->pool, s.adapter, &adapter);
        if (st != HLM_OK) break;
        s.adapter = hlmi_pool_adapter(s.cache->pool, adapter);
        s.tokens = keep(r, s.tokens, s.tokens ? s.n_tokens : 0, sizeof *s.tokens);
        s.n_rows = s.logit_rows == HLM_ROWS_LIST ? s.n_rows : 0;
        s.rows = keep(r, s.rows, s.n_rows, sizeof *s.rows);
        const void *hidden, *attention = NULL;
        st = keep_requests(r, &s, s.n_hidden, sizeof(hlm_hidden), read_hidden, &hidden);
        if (st == HLM_OK) st = keep_requests(r, &s, s.n_attention, sizeof(hlm_attention), read_attention, &attention);
        s.hidden = hidden;
        s.attention = attention;
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
