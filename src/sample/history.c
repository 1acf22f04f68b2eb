/* The window of accepted tokens and its counts. */
#include "sample/history.h"

#include <string.h>

#include "base/size.h"

/* Layout of the one block: count, seen, place, [vocab] each. */
hlm_status hlmi_history_init(hlmi_history *h, size_t vocab, size_t window, const hlmi_mem *mem)
{
    *h = (hlmi_history){.vocab = vocab, .window = window};
    h->count = hlmi_calloc(mem, vocab, 3 * sizeof *h->count);
    if (!h->count) return hlmi_nomem(vocab * 3 * sizeof *h->count, "the sampler's token counts");
    h->seen = (int32_t *)(h->count + vocab);
    h->place = h->seen + vocab;
    return HLM_OK;
}

hlm_status hlmi_history_assign(hlmi_history *to, const hlmi_history *from, const hlmi_mem *mem)
{
    HLMI_DO(HLMI_GROW(mem, to->ring, to->cap, from->len, "the sampler's window"));
    if (from->ring && from->len) memcpy(to->ring, from->ring, from->len * sizeof *to->ring);
    memcpy(to->count, from->count, from->vocab * 3 * sizeof *to->count);
    to->n_seen = from->n_seen;
    to->len = from->len;
    to->oldest = from->oldest;
    return HLM_OK;
}

static void forget(hlmi_history *h, int32_t token)
{
    if (--h->count[token] != 0) return;
    const int32_t last = h->seen[--h->n_seen];
    h->seen[h->place[token]] = last;
    h->place[last] = h->place[token];
}

static void count(hlmi_history *h, int32_t token)
{
    if (h->count[token]++ != 0) return;
    h->place[token] = (int32_t)h->n_seen;
    h->seen[h->n_seen++] = token;
}

hlm_status hlmi_history_add(hlmi_history *h, int32_t token, const hlmi_mem *mem)
{
    if (h->window == 0) {
        if (h->count[token] < UINT32_MAX) count(h, token);
        return HLM_OK;
    }
    if (h->len < h->window) { /* still filling: grown as needed, windows may be far larger than texts */
        HLMI_DO(HLMI_GROW(mem, h->ring, h->cap, h->len + 1, "the sampler's window"));
        h->ring[h->len++] = token;
    } else {
        forget(h, h->ring[h->oldest]);
        h->ring[h->oldest] = token;
        h->oldest = h->oldest + 1 < h->window ? h->oldest + 1 : 0;
    }
    count(h, token);
    return HLM_OK;
}

void hlmi_history_free(hlmi_history *h, const hlmi_mem *mem)
{
    hlmi_free(mem, h->count);
    hlmi_free(mem, h->ring);
    *h = (hlmi_history){.vocab = 0};
}
