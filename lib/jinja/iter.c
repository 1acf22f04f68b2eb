/* Iterating over values, generators, and lists that grow. */
#include "base/size.h"
#include "jinja/ops.h"
#include "jinja/utext.h"

bool hlmi_jiter(jx *x, jv v, jiter *it)
{
    *it = (jiter){.of = v};
    if (x->st != HLM_OK) return false;
    switch (v.kind) {
    case JV_UNDEF:
    case JV_STR:
    case JV_LIST:
    case JV_TUPLE:
    case JV_DICT:
    case JV_RANGE:
    case JV_GEN:
    case JV_KEYS:
    case JV_VALUES:
    case JV_ITEMS: return true;
    default: hlmi_jfail(x, "'%s' object is not iterable", hlmi_jtype(v)); return false;
    }
}

static bool next_char(jiter *it, jv *out)
{
    if (it->i >= it->of.n) return false;
    size_t len = hlmi_u8_len((unsigned char)it->of.u.s[it->i]);
    if (len > it->of.n - it->i) len = it->of.n - it->i;
    *out = jv_str(it->of.u.s + it->i, len);
    it->i += len;
    return true;
}

static bool next_entry(jx *x, jiter *it, jv *out)
{
    const jdict *d = it->of.u.dict;
    if (it->i >= d->n) return false;
    const jent *e = &d->at[it->i++];
    if (it->of.kind == JV_VALUES) {
        *out = e->val;
    } else if (it->of.kind == JV_ITEMS) {
        jv *pair = hlmi_jalloc_values(x, 2);
        if (!pair) return false;
        pair[0] = e->key;
        pair[1] = e->val;
        *out = jv_seq(JV_TUPLE, pair, 2);
    } else {
        *out = e->key;
    }
    return true;
}

bool hlmi_jnext(jx *x, jiter *it, jv *out)
{
    if (!hlmi_jstep(x, 1)) return false;
    switch (it->of.kind) {
    case JV_STR: return next_char(it, out);
    case JV_LIST:
    case JV_TUPLE:
        if (it->i >= it->of.n) return false;
        *out = it->of.u.at[it->i++];
        return true;
    case JV_RANGE: {
        const jrange *r = it->of.u.range;
        if (it->i >= r->count) return false;
        *out = jv_int((int64_t)((uint64_t)r->start + it->i++ * (uint64_t)r->step));
        return true;
    }
    case JV_DICT:
    case JV_KEYS:
    case JV_VALUES:
    case JV_ITEMS: return next_entry(x, it, out);
    case JV_GEN: { /* generators may run over generators */
        jgen *g = it->of.u.gen;
        if (!hlmi_jenter(x)) return false;
        const bool more = g->next ? g->next(x, g, out) : hlmi_jnext(x, &g->src, out);
        hlmi_jleave(x);
        return more;
    }
    default: return false;
    }
}

jv hlmi_jlist_of(jx *x, jv v)
{
    if (jv_is_seq(v)) return jv_seq(JV_LIST, v.u.at, v.n);
    jiter it;
    jv item;
    jvec list = jvec_new(x);
    if (!hlmi_jiter(x, v, &it)) return jv_seq(JV_LIST, NULL, 0);
    while (hlmi_jnext(x, &it, &item)) hlmi_jvec_add(&list, item);
    return x->st == HLM_OK ? jvec_done(&list, JV_LIST) : jv_seq(JV_LIST, NULL, 0);
}

int64_t hlmi_jlen(jv v)
{
    switch (v.kind) {
    case JV_UNDEF: return 0;
    case JV_STR: return (int64_t)hlmi_u8_count(v.u.s, v.n);
    case JV_LIST:
    case JV_TUPLE: return v.n;
    case JV_DICT:
    case JV_KEYS:
    case JV_VALUES:
    case JV_ITEMS: return v.u.dict->n;
    case JV_RANGE: return v.u.range->count > INT64_MAX ? INT64_MAX : (int64_t)v.u.range->count;
    default: return -1;
    }
}

jv hlmi_jgen_new(jx *x, jv over, jgen_next *next, jgen **out)
{
    jgen *g = hlmi_jalloc(x, sizeof *g);
    if (out) *out = g;
    if (!g) return jv_none();
    *g = (jgen){.next = next};
    if (!hlmi_jiter(x, over, &g->src)) return jv_none();
    return (jv){.kind = JV_GEN, .u.gen = g};
}

void hlmi_jvec_add(jvec *v, jv item)
{
    if (v->x->st != HLM_OK) return;
    if (v->n == v->cap) {
        const size_t cap = hlmi_max_size(8, v->cap * 2);
        if (!v->at || !hlmi_arena_extend(v->x->arena, v->at, v->cap * sizeof *v->at, cap * sizeof *v->at)) {
            jv *at = hlmi_jalloc_values(v->x, cap);
            if (!at) return;
            if (v->n) memcpy(at, v->at, v->n * sizeof *at);
            v->at = at;
        }
        v->cap = cap;
    }
    v->at[v->n++] = item;
}
