/* Marks of a sequence. */
#include "state/marks.h"

#include <string.h>

#include "base/size.h"
#include "state/window.h"

hlm_status hlmi_marks_room(hlm_cache *c, size_t n)
{
    void *items = c->marks.items;
    const hlm_status st =
        hlmi_grow(&c->pool->mem, &items, &c->marks.cap, c->marks.n + n, sizeof *c->marks.items, "marks");
    c->marks.items = items;
    return st;
}

/* Index of the first mark at or behind pos. */
static size_t place(const hlmi_marks *m, int64_t pos)
{
    size_t i = m->n;
    while (i > 0 && m->items[i - 1].pos >= pos) i--;
    return i;
}

static void remove_at(hlm_cache *c, size_t i)
{
    hlmi_marks *m = &c->marks;
    const int64_t pos = m->items[i].pos;
    hlmi_pool_drop_state(c->pool, m->items[i].state);
    memmove(&m->items[i], &m->items[i + 1], (m->n - i - 1) * sizeof *m->items);
    m->n--;
    if (hlmi_windows(c)) hlmi_window_unmark(c, pos);
}

/* Automatic marks; *thin is the one without which the gap between its neighbours is smallest. */
static size_t count_automatic(const hlmi_marks *m, size_t *thin)
{
    size_t n = 0;
    int64_t smallest = INT64_MAX;
    for (size_t i = 0; i < m->n; i++) {
        if (!m->items[i].automatic) continue;
        n++;
        const int64_t before = i ? m->items[i - 1].pos : 0;
        const int64_t gap = i + 1 < m->n ? m->items[i + 1].pos - before : INT64_MAX; /* the newest stays longest */
        if (gap <= smallest) {
            if (gap < smallest || n == 1) *thin = i;
            smallest = gap;
        }
    }
    return n;
}

void hlmi_marks_add(hlm_cache *c, int64_t pos, hlmi_state *state, bool automatic)
{
    hlmi_marks *m = &c->marks;
    const size_t i = place(m, pos);
    if (i < m->n && m->items[i].pos == pos) {
        m->items[i].automatic = m->items[i].automatic && automatic;
        return;
    }
    memmove(&m->items[i + 1], &m->items[i], (m->n - i) * sizeof *m->items);
    m->items[i] = (hlmi_mark){.pos = pos, .state = hlmi_state_retain(state), .automatic = automatic};
    m->n++;
    size_t thin = 0;
    while (count_automatic(m, &thin) > c->pool->auto_marks) remove_at(c, thin);
}

void hlmi_marks_cut(hlm_cache *c, int64_t pos)
{
    while (c->marks.n && c->marks.items[c->marks.n - 1].pos > pos) remove_at(c, c->marks.n - 1);
}

void hlmi_marks_remove(hlm_cache *c, int64_t pos)
{
    const size_t i = place(&c->marks, pos);
    if (i < c->marks.n && c->marks.items[i].pos == pos) remove_at(c, i);
}

bool hlmi_marks_give_up(hlm_cache *c)
{
    const size_t before = c->marks.n;
    for (size_t i = c->marks.n; i-- > 0;)
        if (c->marks.items[i].automatic) remove_at(c, i);
    return c->marks.n < before;
}

hlmi_state *hlmi_marks_find(const hlm_cache *c, int64_t pos)
{
    const size_t i = place(&c->marks, pos + 1);
    return i ? c->marks.items[i - 1].state : NULL;
}

hlm_status hlmi_marks_share(hlm_cache *to, const hlm_cache *from, int64_t pos)
{
    const size_t n = place(&from->marks, pos + 1);
    if (n == 0) return HLM_OK;
    const hlm_status st = hlmi_marks_room(to, n);
    if (st != HLM_OK) return st;
    memcpy(to->marks.items, from->marks.items, n * sizeof *to->marks.items);
    for (size_t i = 0; i < n; i++) hlmi_state_retain(to->marks.items[i].state);
    to->marks.n = n;
    return HLM_OK;
}
