/* Finding invocation tokens in texts. */
#include "state/invoke.h"

/* A sequence's own tokens, and those of a step behind them. */
typedef struct text {
    const hlm_cache *cache;
    int64_t length;
    const int32_t *tokens;
} text;

static int32_t id_at(const text *t, int64_t i)
{
    if (i >= t->length) return t->tokens ? t->tokens[i - t->length] : HLM_TOKEN_NONE;
    return hlmi_symbol_token(t->cache->pool, hlmi_seq_symbol(t->cache->pool, &t->cache->seq, i + t->cache->seq.prefix));
}

static bool stands_at(const text *t, const hlm_adapter *ad, int64_t at)
{
    for (size_t i = 0; i < ad->n_invocation; i++)
        if (id_at(t, at + (int64_t)i) != ad->invocation[i]) return false;
    return true;
}

/* The last occurrence that ends behind `seen` of n tokens. */
static int64_t find(const text *t, const hlm_adapter *ad, int64_t seen, int64_t n)
{
    const int64_t m = (int64_t)ad->n_invocation, first = seen >= m ? seen - m + 1 : 0;
    for (int64_t at = n - m; at >= first; at--)
        if (stands_at(t, ad, at)) return at;
    return HLMI_NOWHERE;
}

int64_t hlmi_invoked_at(const hlm_adapter *ad, const int32_t *ids, size_t n)
{
    const text t = {.tokens = ids};
    return find(&t, ad, 0, (int64_t)n);
}

int32_t hlmi_invoked_symbol(const hlm_cache *c, uint32_t number, int64_t at, int64_t i, int32_t symbol)
{
    const uint32_t now = hlmi_symbol_adapter(c->pool, symbol);
    if (now != 0 && now != number) return symbol;
    return hlmi_symbol(c->pool, hlmi_symbol_token(c->pool, symbol), i >= at ? number : 0);
}

hlmi_invocation hlmi_invoke(const hlm_cache *c, const hlm_adapter *ad, uint32_t number, const int32_t *tokens, size_t n)
{
    const hlmi_invoked unknown = {.at = HLMI_NOWHERE};
    const hlmi_invoked known = c->seq.invoked.number == number ? c->seq.invoked : unknown;
    const text t = {.cache = c, .length = c->seq.length - c->seq.prefix, .tokens = tokens};
    const int64_t found = find(&t, ad, known.upto, t.length + (int64_t)n);
    hlmi_invocation v = {.at = found != HLMI_NOWHERE ? found : known.at};
    v.again = known.upto;
    if (found < v.again) v.again = found;
    if (v.at != known.at && known.at < v.again) v.again = known.at;
    for (; v.again < t.length; v.again++) {
        const int32_t symbol = hlmi_seq_symbol(c->pool, &c->seq, v.again + c->seq.prefix);
        if (hlmi_invoked_symbol(c, number, v.at, v.again, symbol) != symbol) break;
    }
    return v;
}

void hlmi_invoked_note(hlm_cache *c, const hlm_adapter *ad, uint32_t number, int64_t at)
{
    const int64_t end = at == HLMI_NOWHERE ? 0 : at + (int64_t)ad->n_invocation;
    c->seq.invoked = (hlmi_invoked){.number = number, .at = at, .end = end, .upto = c->seq.length - c->seq.prefix};
}

void hlmi_invoked_cut(hlmi_seq *s, int64_t length)
{
    hlmi_invoked *v = &s->invoked;
    if (v->end > length) *v = (hlmi_invoked){0};
    else if (v->upto > length) v->upto = length;
}
