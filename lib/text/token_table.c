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

/* An array of n items, the new ones zeroed. */
static hlm_status grow_zeroed(const hlmi_mem *mem, void **p, size_t old, size_t n, size_t size)
{
    char *q = hlmi_realloc(mem, *p, old * size, n * size);
    if (!q) return hlmi_nomem(n * size, "token table");
    memset(q + old * size, 0, (n - old) * size);
    *p = q;
    return HLM_OK;
}

hlm_status hlmi_tokens_reserve(hlmi_tokens *t, size_t n, size_t bytes)
{
    hlm_status st = HLM_OK;
    if (n > HLMI_MAX_TOKENS)
        return hlmi_fail(HLM_E_LIMIT, "a token id of %zu; at most %d are supported", n - 1, HLMI_MAX_TOKENS - 1);
    if (bytes > UINT32_MAX - t->text_len) return hlmi_fail(HLM_E_LIMIT, "more than 4 GB of token texts");
    if (n > t->cap) { /* one by one, later, they shall not cost a copy each */
        const size_t cap = t->cap ? hlmi_max_size(n, t->cap + t->cap / 4) : n;
        void *entry = t->entry, *attr = t->attr;
        st = grow_zeroed(&t->mem, &entry, t->cap, cap, sizeof *t->entry);
        t->entry = entry;
        if (st != HLM_OK) return st;
        st = grow_zeroed(&t->mem, &attr, t->cap, cap, sizeof *t->attr);
        t->attr = attr;
        if (st != HLM_OK) return st;
        t->cap = cap;
    }
    if (t->text_len + bytes > t->text_cap) {
        const size_t cap = t->text_len + bytes + t->text_cap / 4;
        char *text = hlmi_realloc(&t->mem, t->text, t->text_len, cap);
        if (!text) return hlmi_nomem(cap, "token texts");
        t->text = text;
        t->text_cap = cap;
    }
    t->n = hlmi_max_size(t->n, n);
    return grow_slots(t, t->n + 1);
}

void hlmi_tokens_set(hlmi_tokens *t, int32_t id, hlmi_str text, uint8_t attr)
{
    const uint32_t at = (uint32_t)t->text_len, id1 = (uint32_t)id + 1;
    if (text.len) memcpy(t->text + at, text.s, text.len);
    t->text_len += text.len;
    t->entry[id].at = at;
    t->entry[id].len = (uint32_t)text.len;
    t->attr[id] = (uint8_t)(attr | HLMI_TOK_PRESENT);
    if (attr & HLMI_TOK_MODEL) t->n_model++;
    const uint32_t hash = hlmi_text_hash(text.s, text.len);
    for (size_t i = hash & t->mask; t->slots[i].id1; i = (i + 1) & t->mask) {
        const hlmi_str old = hlmi_tokens_text(t, (int32_t)(t->slots[i].id1 - 1));
        if (t->slots[i].hash == hash && old.len == text.len && memcmp(old.s, t->text + at, text.len) == 0) {
            t->slots[i].id1 = id1;
            return;
        }
    }
    slot_put(t->slots, t->mask, hash, id1);
}

int32_t hlmi_tokens_find(const hlmi_tokens *t, const char *s, size_t len)
{
    if (!t->slots) return -1;
    const uint32_t hash = hlmi_text_hash(s, len);
    for (size_t i = hash & t->mask; t->slots[i].id1; i = (i + 1) & t->mask) {
        if (t->slots[i].hash != hash) continue;
        const struct hlmi_token_entry e = t->entry[t->slots[i].id1 - 1];
        if (e.len == len && memcmp(t->text + e.at, s, len) == 0)
            return t->slots[i].id1 <= t->n ? (int32_t)(t->slots[i].id1 - 1) : -1; /* those beyond a limit are gone */
    }
    return -1;
}

int32_t hlmi_tokens_find_model(const hlmi_tokens *t, const char *s, size_t len)
{
    const int32_t id = hlmi_tokens_find(t, s, len);
    return id >= 0 && (t->attr[id] & HLMI_TOK_MODEL) ? id : -1;
}

hlmi_str hlmi_tokens_text(const hlmi_tokens *t, int32_t id)
{
    return (hlmi_str){t->text + t->entry[id].at, t->entry[id].len};
}

hlm_status hlmi_tokens_respell(hlmi_tokens *t, int32_t id, hlmi_str text)
{
    HLMI_DO(hlmi_tokens_reserve(t, t->n, text.len));
    HLMI_DO(HLMI_GROW(&t->mem, t->respelled, t->respelled_cap, t->n_respelled + 1, "token texts"));
    t->respelled[t->n_respelled++] = (struct hlmi_respelled){id, (uint32_t)t->text_len, (uint32_t)text.len};
    if (text.len) memcpy(t->text + t->text_len, text.s, text.len);
    t->text_len += text.len;
    t->attr[id] = (uint8_t)((t->attr[id] | HLMI_TOK_RESPELLED) & ~(unsigned)HLMI_TOK_SPECIAL);
    return HLM_OK;
}

hlmi_str hlmi_tokens_shown(const hlmi_tokens *t, int32_t id)
{
    if (t->attr[id] & HLMI_TOK_RESPELLED)
        for (size_t i = 0; i < t->n_respelled; i++)
            if (t->respelled[i].id == id) return (hlmi_str){t->text + t->respelled[i].at, t->respelled[i].len};
    return hlmi_tokens_text(t, id);
}

void hlmi_tokens_free(hlmi_tokens *t)
{
    hlmi_free(&t->mem, t->text);
    hlmi_free(&t->mem, t->entry);
    hlmi_free(&t->mem, t->attr);
    hlmi_free(&t->mem, t->slots);
    hlmi_free(&t->mem, t->respelled);
    t->respelled = NULL;
    t->text = NULL;
    t->entry = NULL;
    t->attr = NULL;
    t->slots = NULL;
}
