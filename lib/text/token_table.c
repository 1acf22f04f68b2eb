/* Token texts and the hash table over them. */
#include "text/token_table.h"

#include <string.h>

#include "base/size.h"

uint32_t hlmi_text_hash(const char *s, size_t n)
{
    const uint64_t k = 0x9E3779B97F4A7C15u;
    uint64_t h = n * k, w;
    for (; n >= sizeof w; s += sizeof w, n -= sizeof w) {
        memcpy(&w, s, sizeof w);
        h = (h ^ w) * k;
        h ^= h >> 32;
    }
    if (n >= 4) {
        uint32_t a, b;
        memcpy(&a, s, sizeof a);
        memcpy(&b, s + n - sizeof b, sizeof b);
        w = (uint64_t)a << 32 | b;
    } else if (n > 0) {
        w = (uint64_t)(unsigned char)s[0] << 16 | (uint64_t)(unsigned char)s[n / 2] << 8 | (unsigned char)s[n - 1];
    } else {
        w = 0;
    }
    h = (h ^ w) * k;
    return (uint32_t)(h >> 32) ^ (uint32_t)h;
}

static void slot_put(hlmi_token_slot *slots, size_t mask, uint32_t hash, uint32_t id1)
{
    size_t i = hash & mask;
    while (slots[i].id1) i = (i + 1) & mask;
    slots[i] = (hlmi_token_slot){hash, id1};
}

static hlm_status grow_slots(hlmi_tokens *t, size_t n)
{
    size_t want = 64;
    while (want < n * 2) want *= 2;
    if (t->slots && want <= t->mask + 1) return HLM_OK;
    hlmi_token_slot *slots = hlmi_calloc(&t->mem, want, sizeof *slots);
    if (!slots) return hlmi_nomem(want * sizeof *slots, "token table");
    for (size_t i = 0; t->slots && i <= t->mask; i++)
        if (t->slots[i].id1) slot_put(slots, want - 1, t->slots[i].hash, t->slots[i].id1);
    hlmi_free(&t->mem, t->slots);
    t->slots = slots;
    t->mask = want - 1;
    return HLM_OK;
}

hlm_status hlmi_tokens_reserve(hlmi_tokens *t, size_t n)
{
    const size_t cap = t->cap;
    if (n > HLMI_MAX_TOKENS)
        return hlmi_fail(HLM_E_LIMIT, "a token id of %zu; at most %d are supported", n - 1, HLMI_MAX_TOKENS - 1);
    HLMI_DO(HLMI_GROW(&t->mem, t->v, t->cap, n, "token table"));
    memset(t->v + cap, 0, (t->cap - cap) * sizeof *t->v);
    t->n = hlmi_max_size(t->n, n);
    return HLM_OK;
}

/* Appends a text; *at receives where it is. */
static hlm_status add_text(hlmi_tokens *t, hlmi_str text, uint32_t *at)
{
    if (text.len > UINT32_MAX - t->text_len) return hlmi_fail(HLM_E_LIMIT, "more than 4 GB of token texts");
    HLMI_DO(HLMI_GROW(&t->mem, t->text, t->text_cap, t->text_len + text.len, "token texts"));
    *at = (uint32_t)t->text_len;
    if (text.len) memcpy(t->text + t->text_len, text.s, text.len);
    t->text_len += text.len;
    return HLM_OK;
}

hlm_status hlmi_tokens_add(hlmi_tokens *t, int32_t id, hlmi_str text, uint8_t attr)
{
    const uint32_t id1 = (uint32_t)id + 1;
    uint32_t at = 0;
    HLMI_DO(hlmi_tokens_reserve(t, id1));
    HLMI_DO(grow_slots(t, t->n + 1));
    HLMI_DO(add_text(t, text, &at));
    t->v[id] = (hlmi_token){at, (uint32_t)text.len, (uint8_t)(attr | HLMI_TOK_PRESENT)};
    if (attr & HLMI_TOK_MODEL) t->n_model++;
    const uint32_t hash = hlmi_text_hash(text.s, text.len);
    for (size_t i = hash & t->mask; t->slots[i].id1; i = (i + 1) & t->mask) {
        const hlmi_str old = hlmi_tokens_text(t, (int32_t)(t->slots[i].id1 - 1));
        if (t->slots[i].hash == hash && old.len == text.len && memcmp(old.s, t->text + at, text.len) == 0) {
            t->slots[i].id1 = id1;
            return HLM_OK;
        }
    }
    slot_put(t->slots, t->mask, hash, id1);
    return HLM_OK;
}

int32_t hlmi_tokens_find(const hlmi_tokens *t, const char *s, size_t len)
{
    if (!t->slots) return -1;
    const uint32_t hash = hlmi_text_hash(s, len);
    for (size_t i = hash & t->mask; t->slots[i].id1; i = (i + 1) & t->mask) {
        if (t->slots[i].hash != hash) continue;
        const hlmi_token e = t->v[t->slots[i].id1 - 1];
        if (e.len == len && memcmp(t->text + e.at, s, len) == 0)
            return t->slots[i].id1 <= t->n ? (int32_t)(t->slots[i].id1 - 1) : -1; /* those beyond a limit are gone */
    }
    return -1;
}

int32_t hlmi_tokens_find_model(const hlmi_tokens *t, const char *s, size_t len)
{
    const int32_t id = hlmi_tokens_find(t, s, len);
    return id >= 0 && (t->v[id].attr & HLMI_TOK_MODEL) ? id : -1;
}

hlmi_str hlmi_tokens_text(const hlmi_tokens *t, int32_t id)
{
    return (hlmi_str){t->text + t->v[id].at, t->v[id].len};
}

hlm_status hlmi_tokens_respell(hlmi_tokens *t, int32_t id, hlmi_str text)
{
    uint32_t at = 0;
    HLMI_DO(add_text(t, text, &at));
    HLMI_DO(HLMI_GROW(&t->mem, t->respelled, t->respelled_cap, t->n_respelled + 1, "token texts"));
    t->respelled[t->n_respelled++] = (struct hlmi_respelled){id, at, (uint32_t)text.len};
    t->v[id].attr = (uint8_t)((t->v[id].attr | HLMI_TOK_RESPELLED) & ~(unsigned)HLMI_TOK_SPECIAL);
    return HLM_OK;
}

hlmi_str hlmi_tokens_shown(const hlmi_tokens *t, int32_t id)
{
    if (t->v[id].attr & HLMI_TOK_RESPELLED)
        for (size_t i = 0; i < t->n_respelled; i++)
            if (t->respelled[i].id == id) return (hlmi_str){t->text + t->respelled[i].at, t->respelled[i].len};
    return hlmi_tokens_text(t, id);
}

void hlmi_tokens_free(hlmi_tokens *t)
{
    hlmi_free(&t->mem, t->text);
    hlmi_free(&t->mem, t->v);
    hlmi_free(&t->mem, t->slots);
    hlmi_free(&t->mem, t->respelled);
}
