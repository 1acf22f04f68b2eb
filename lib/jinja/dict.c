/* Dictionaries: entries in order, and an index once there are many. */
#include "jinja/number.h"
#include "jinja/ops.h"

enum { LINEAR_MAX = 8 };

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    const unsigned char *u = p;
    for (size_t i = 0; i < n; i++) h = (h ^ u[i]) * 0x100000001B3u;
    return h ^ (h >> 29);
}

static uint64_t hash_number(jv v)
{
    int64_t i = jv_is_intlike(v) ? jv_intval(v) : 0;
    double f = hlmi_jfloat_of(v);
    if (!jv_is_intlike(v)) {
        if (!(f >= -9007199254740992.0 && f <= 9007199254740992.0 && f == (double)(int64_t)f))
            return mix(7, &f, sizeof f);
        i = (int64_t)f;
    }
    return mix(11, &i, sizeof i);
}

bool hlmi_jhash(jx *x, jv v, uint64_t *out)
{
    *out = 0;
    switch (v.kind) {
    case JV_NONE: *out = 3; return true;
    case JV_BOOL:
    case JV_INT:
    case JV_FLOAT: *out = hash_number(v); return true;
    case JV_BIG:
    case JV_STR: *out = mix(0xCBF29CE484222325u, v.u.s, v.n); return hlmi_jstep(x, v.n / 32);
    case JV_TUPLE: {
        uint64_t h = 5, one;
        if (!hlmi_jenter(x)) return false;
        for (uint32_t i = 0; i < v.n && hlmi_jstep(x, 1) && hlmi_jhash(x, v.u.at[i], &one); i++)
            h = mix(h, &one, sizeof one);
        hlmi_jleave(x);
        *out = h;
        return x->st == HLM_OK;
    }
    case JV_UNDEF: *out = 13; return true;
    case JV_RANGE: { /* equal ones have equal items */
        const jrange *r = v.u.range;
        const int64_t of[3] = {(int64_t)r->count, r->count > 0 ? r->start : 0, r->count > 1 ? r->step : 0};
        *out = mix(7, of, sizeof of);
        return true;
    }
    case JV_GEN:
    case JV_VALUES:
    case JV_NS:
    case JV_LOOP:
    case JV_MACRO:
    case JV_FUNC:
    case JV_METHOD:
    case JV_CYCLER:
    case JV_JOINER:
    case JV_SELF: *out = v.kind; return true; /* equal to themselves only */
    default: hlmi_jfail(x, "unhashable type: '%s'", hlmi_jtype(v)); return false;
    }
}

jdict *hlmi_jdict_new(jx *x, size_t cap)
{
    jdict *d = hlmi_jalloc(x, sizeof *d);
    if (!d) return NULL;
    *d = (jdict){0};
    if (cap == 0) return d;
    d->at = hlmi_jalloc(x, cap * sizeof *d->at);
    if (!d->at) return NULL;
    d->cap = (uint32_t)cap;
    return d;
}

static bool same_key(jx *x, const jent *e, jv key, uint64_t hash)
{
    if (e->hash != hash) return false;
    if (e->key.kind == JV_STR && key.kind == JV_STR) return hlmi_jstep(x, key.n / 128) && jv_same_text(e->key, key);
    return hlmi_jequal(x, e->key, key);
}

/* The entry of key, or d->n; *slot receives where the index would hold it. */
static uint32_t find(jx *x, const jdict *d, jv key, uint64_t hash, uint32_t *slot)
{
    if (!d->slot) {
        for (uint32_t i = 0; i < d->n && hlmi_jstep(x, 1); i++)
            if (same_key(x, &d->at[i], key, hash)) return i;
        return d->n;
    }
    uint32_t s = (uint32_t)hash & (d->slots - 1);
    for (; d->slot[s]; s = (s + 1) & (d->slots - 1)) {
        if (!hlmi_jstep(x, 1)) break;
        if (same_key(x, &d->at[d->slot[s] - 1], key, hash)) return d->slot[s] - 1;
    }
    *slot = s;
    return d->n;
}

static bool reindex(jx *x, jdict *d)
{
    const uint32_t slots = d->slots ? d->slots * 2 : 32;
    uint32_t *t = hlmi_jalloc(x, slots * sizeof *t);
    if (!t) return false;
    memset(t, 0, slots * sizeof *t);
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t s = (uint32_t)d->at[i].hash & (slots - 1);
        while (t[s]) s = (s + 1) & (slots - 1);
        t[s] = i + 1;
    }
    d->slot = t;
    d->slots = slots;
    return true;
}

void hlmi_jdict_set(jx *x, jdict *d, jv key, jv val)
{
    uint64_t hash;
    uint32_t slot = 0;
    if (!d || !hlmi_jhash(x, key, &hash)) return;
    const uint32_t i = find(x, d, key, hash, &slot);
    if (x->st != HLM_OK) return;
    if (i < d->n) {
        d->at[i].val = val;
        return;
    }
    if (d->n == d->cap) {
        const uint32_t cap = d->cap ? d->cap * 2 : 4;
        jent *at = hlmi_jalloc(x, cap * sizeof *at);
        if (!at) return;
        if (d->n) memcpy(at, d->at, d->n * sizeof *at);
        d->at = at;
        d->cap = cap;
    }
    d->at[d->n++] = (jent){.key = key, .val = val, .hash = hash};
    if (d->slot && d->n <= d->slots / 2) d->slot[slot] = d->n;
    else if (d->n > LINEAR_MAX) reindex(x, d);
}

const jv *hlmi_jdict_get(jx *x, const jdict *d, jv key)
{
    uint64_t hash;
    uint32_t slot;
    if (!hlmi_jhash(x, key, &hash)) return NULL;
    const uint32_t i = find(x, d, key, hash, &slot);
    return i < d->n ? &d->at[i].val : NULL;
}

const jv *hlmi_jdict_lit(const jdict *d, const char *key)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (jv_eq_lit(d->at[i].key, key)) return &d->at[i].val;
    return NULL;
}
