/* Global functions: Jinja's, and the two that chat templates are given. */
#include "jinja/ops.h"
#include "jinja/strftime.h"

static jv g_range(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const bool one = !jv_given(p[2]);
    const int64_t start = one ? 0 : hlmi_jint_arg(x, p[1], 0, "range()'s start");
    const int64_t stop = hlmi_jint_arg(x, one ? p[1] : p[2], 0, "range()'s stop");
    const int64_t step = hlmi_jint_arg(x, p[3], 1, "range()'s step");
    if (x->st != HLM_OK) return jv_none();
    if (step == 0) return hlmi_jfail(x, "range() arg 3 must not be zero");
    const uint64_t size = step < 0 ? 0 - (uint64_t)step : (uint64_t)step;
    const uint64_t span = step > 0 ? (start < stop ? (uint64_t)stop - (uint64_t)start : 0)
                                   : (stop < start ? (uint64_t)start - (uint64_t)stop : 0);
    jrange *r = hlmi_jalloc(x, sizeof *r);
    if (!r) return jv_none();
    *r = (jrange){.start = start, .stop = stop, .step = step, .count = span / size + (span % size != 0)};
    if (r->count > 100000) return hlmi_jlimit(x, "a range is longer than the 100000 allowed");
    return (jv){.kind = JV_RANGE, .u.range = r};
}

/* dict(pairs or mapping, name=value...) and the arguments of namespace() */
static jdict *new_dict(jx *x, const jargs *a)
{
    jdict *d = hlmi_jdict_new(x, 0);
    jiter it;
    jv item;
    if (a->n > 1) hlmi_jfail(x, "dict expected at most 1 argument, got %zu", a->n);
    if (a->n == 1) {
        const jv from = a->at[0];
        if (!hlmi_jiter(x, from.kind == JV_DICT || from.kind == JV_NS ? jv_dict(JV_ITEMS, from.u.dict) : from, &it))
            return d;
        while (hlmi_jnext(x, &it, &item)) {
            const jv pair = hlmi_jlist_of(x, item);
            if (x->st == HLM_OK && pair.n != 2)
                hlmi_jfail(x, "dictionary update sequence element has length %u; 2 is required", pair.n);
            if (x->st == HLM_OK) hlmi_jdict_set(x, d, pair.u.at[0], pair.u.at[1]);
        }
    }
    for (size_t i = 0; i < a->nkw; i++) hlmi_jdict_set(x, d, a->kw[i].name, a->kw[i].val);
    return d;
}

static jv g_dict(jx *x, const jv *p, const jargs *a)
{
    (void)p;
    jdict *d = new_dict(x, a);
    return x->st == HLM_OK ? jv_dict(JV_DICT, d) : jv_none();
}

static jv g_namespace(jx *x, const jv *p, const jargs *a)
{
    (void)p;
    jdict *d = new_dict(x, a);
    return x->st == HLM_OK ? jv_dict(JV_NS, d) : jv_none();
}

static jv new_cycler(jx *x, jv_kind kind, const jv *at, size_t n, jv sep)
{
    jcycler *c = hlmi_jalloc(x, sizeof *c);
    if (!c) return jv_none();
    *c = (jcycler){.at = at, .n = n, .sep = sep};
    return (jv){.kind = (uint8_t)kind, .u.cycler = c};
}

static jv g_cycler(jx *x, const jv *p, const jargs *a)
{
    (void)p;
    if (a->n == 0) return hlmi_jfail(x, "at least one item has to be provided");
    return new_cycler(x, JV_CYCLER, a->at, a->n, jv_none());
}

static jv g_joiner(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return new_cycler(x, JV_JOINER, NULL, 0, jv_given(p[1]) ? p[1] : jv_lit(", "));
}

static jv g_lipsum(jx *x, const jv *p, const jargs *a)
{
    (void)p;
    (void)a;
    return hlmi_jfail(x, "lipsum() is not available, since a rendering must not be random");
}

static jv g_raise(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv s = hlmi_jtext(x, p[1]);
    return x->st == HLM_OK ? hlmi_jfail(x, "%.*s", (int)(s.n < HLMI_ERROR_MAX ? s.n : HLMI_ERROR_MAX), s.u.s)
                           : jv_none();
}

static jv g_strftime_now(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (p[1].kind == JV_STR) return hlmi_jstrftime(x, p[1], x->now);
    return hlmi_jfail(x, "strftime_now() needs a format, not %s", hlmi_jtype(p[1]));
}

static const jdesc descs[] = {
    {"cycler", g_cycler, 0, NULL},       {"dict", g_dict, 0, NULL},
    {"joiner", g_joiner, 0, "sep"},      {"lipsum", g_lipsum, 0, NULL},
    {"namespace", g_namespace, 0, NULL}, {"raise_exception", g_raise, 1, "message"},
    {"range", g_range, 1, "- - -"},      {"strftime_now", g_strftime_now, 1, "format"},
};

const jdesc *hlmi_jglobal_at(size_t i)
{
    return i < sizeof descs / sizeof *descs ? &descs[i] : NULL;
}

const jdesc *hlmi_jglobal(jv name)
{
    return hlmi_jfind(descs, sizeof descs / sizeof *descs, name);
}
