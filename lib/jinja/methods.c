/* Methods of dictionaries, lists, numbers and Jinja's own objects. */
#include "jinja/methods.h"

#include "jinja/number.h"
#include "jinja/ops.h"

/* ---- dictionaries */

static jv m_get(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv *v = hlmi_jdict_get(x, p[0].u.dict, p[1]);
    return v ? *v : jv_given(p[2]) ? p[2] : jv_none();
}

static jv m_items(jx *x, const jv *p, const jargs *a)
{
    (void)x;
    (void)a;
    return jv_dict(JV_ITEMS, p[0].u.dict);
}
static jv m_keys(jx *x, const jv *p, const jargs *a)
{
    (void)x;
    (void)a;
    return jv_dict(JV_KEYS, p[0].u.dict);
}
static jv m_values(jx *x, const jv *p, const jargs *a)
{
    (void)x;
    (void)a;
    return jv_dict(JV_VALUES, p[0].u.dict);
}
static jv m_copy(jx *x, const jv *p, const jargs *a)
{
    (void)x;
    (void)a;
    return p[0];
}

/* ---- lists and tuples */

static jv m_count(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jiter it;
    jv v;
    int64_t n = 0;
    if (!hlmi_jiter(x, p[0], &it)) return jv_none();
    while (hlmi_jnext(x, &it, &v)) n += hlmi_jequal(x, v, p[1]);
    return jv_int(n);
}

static jv m_index(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    int64_t from = hlmi_jint_arg(x, p[2], 0, "start"), to = hlmi_jint_arg(x, p[3], p[0].n, "stop");
    if (from < 0) from = from < -(int64_t)p[0].n ? 0 : from + p[0].n;
    if (to < 0) to += p[0].n;
    for (int64_t i = from; i < to && i < p[0].n && x->st == HLM_OK; i++)
        if (hlmi_jequal(x, p[0].u.at[i], p[1])) return jv_int(i);
    return hlmi_jfail(x, "the value is not in the %s", hlmi_jtype(p[0]));
}

static jv m_range_index(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jrange *r = p[0].u.range;
    const double f = p[1].kind == JV_FLOAT ? p[1].u.f : 0.5; /* a whole one equals an item */
    const bool whole = f > -9e15 && f < 9e15 && f == (double)(int64_t)f;
    if (whole || jv_is_intlike(p[1])) {
        const int64_t v = whole ? (int64_t)f : jv_intval(p[1]);
        for (uint64_t i = 0; i < r->count && hlmi_jstep(x, 1); i++)
            if (r->start + (int64_t)i * r->step == v) return jv_int((int64_t)i);
    }
    return hlmi_jfail(x, "the value is not in the %s", hlmi_jtype(p[0]));
}

/* ---- numbers */

static jv m_is_integer(jx *x, const jv *p, const jargs *a)
{
    (void)x;
    (void)a;
    return jv_bool(p[0].kind != JV_FLOAT || (hlmi_jfinite(p[0].u.f) && hlmi_jfloor(p[0].u.f) == p[0].u.f));
}

static jv m_conjugate(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_junary(x, '+', p[0]);
}

static jv m_bit_length(jx *x, const jv *p, const jargs *a)
{
    (void)x;
    (void)a;
    const int64_t i = jv_intval(p[0]);
    uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    int64_t n = 0;
    for (; u; u >>= 1) n++;
    return jv_int(n);
}

/* ---- Jinja's objects */

static jv m_cycle(jx *x, const jv *p, const jargs *a)
{
    return hlmi_jloop_cycle(x, p[0].u.loop, a);
}
static jv m_changed(jx *x, const jv *p, const jargs *a)
{
    return hlmi_jloop_changed(x, p[0].u.loop, a);
}

static jv m_next(jx *x, const jv *p, const jargs *a)
{
    (void)x;
    (void)a;
    jcycler *c = p[0].u.cycler;
    const jv v = c->at[c->pos];
    c->pos = (c->pos + 1) % c->n;
    return v;
}

static jv m_reset(jx *x, const jv *p, const jargs *a)
{
    (void)x;
    (void)a;
    p[0].u.cycler->pos = 0;
    return jv_none();
}

static const jdesc dict_descs[] = {
    {"copy", m_copy, 0, ""}, {"get", m_get, 1, "- -"},    {"items", m_items, 0, ""},
    {"keys", m_keys, 0, ""}, {"values", m_values, 0, ""},
};
static const jdesc list_descs[] = {
    {"copy", m_copy, 0, ""},
    {"count", m_count, 1, "-"},
    {"index", m_index, 1, "- - -"},
};
static const jdesc range_descs[] = {{"count", m_count, 1, "-"}, {"index", m_range_index, 1, "-"}};
static const jdesc int_descs[] = {
    {"bit_length", m_bit_length, 0, ""},
    {"conjugate", m_conjugate, 0, ""},
    {"is_integer", m_is_integer, 0, ""},
};
static const jdesc loop_descs[] = {{"changed", m_changed, 0, NULL}, {"cycle", m_cycle, 0, NULL}};
static const jdesc cycler_descs[] = {{"next", m_next, 0, ""}, {"reset", m_reset, 0, ""}};

#define TABLE(t)            \
  {                         \
    t, sizeof t / sizeof *t \
  }
static const struct {
    jv_kind kind;
    jtable table;
} tables[] = {
    {JV_DICT, TABLE(dict_descs)},   {JV_LIST, TABLE(list_descs)}, {JV_TUPLE, {list_descs + 1, 2}},
    {JV_RANGE, TABLE(range_descs)}, {JV_INT, TABLE(int_descs)},   {JV_BOOL, TABLE(int_descs)},
    {JV_FLOAT, {int_descs + 1, 2}}, {JV_LOOP, TABLE(loop_descs)}, {JV_CYCLER, TABLE(cycler_descs)},
};

const jdesc *hlmi_jmethod_at(size_t i, const char **of)
{
    *of = hlmi_jtype((jv){.kind = JV_STR});
    if (i < hlmi_jstr_methods.n) return &hlmi_jstr_methods.at[i];
    i -= hlmi_jstr_methods.n;
    for (size_t k = 0; k < sizeof tables / sizeof *tables; i -= tables[k++].table.n) {
        *of = hlmi_jtype((jv){.kind = (uint8_t)tables[k].kind});
        if (i < tables[k].table.n) return &tables[k].table.at[i];
    }
    return NULL;
}

const jdesc *hlmi_jmethod_find(jv of, jv name)
{
    if (of.kind == JV_STR) return hlmi_jfind(hlmi_jstr_methods.at, hlmi_jstr_methods.n, name);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (tables[i].kind == of.kind) return hlmi_jfind(tables[i].table.at, tables[i].table.n, name);
    return NULL;
}

bool hlmi_jmutates(jv of, jv name)
{
    static const char *const list[] = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};
    static const char *const dict[] = {"clear", "pop", "popitem", "setdefault", "update"};
    const char *const *names = of.kind == JV_LIST ? list : dict;
    const size_t n = of.kind == JV_LIST ? sizeof list / sizeof *list
        : of.kind == JV_DICT            ? sizeof dict / sizeof *dict
                                        : 0;
    for (size_t i = 0; i < n; i++)
        if (jv_eq_lit(name, names[i])) return true;
    return false;
}
