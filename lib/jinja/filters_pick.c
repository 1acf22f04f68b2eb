/* Filters that pick or map items, one at a time as they are asked for. */
#include "jinja/filters.h"

/* A generator over `over`; what is false (none, too) counts as empty here. */
static jv lazy(jx *x, jv over, jgen_next *next, jgen **g)
{
    return hlmi_jgen_new(x, hlmi_jtruth(over) ? over : jv_seq(JV_LIST, NULL, 0), next, g);
}

static bool next_mapped(jx *x, jgen *g, jv *out)
{
    if (!hlmi_jnext(x, &g->src, out)) return false;
    *out = g->desc ? hlmi_jcall_desc(x, g->desc, *out, &g->args) : hlmi_jpath(x, *out, g->p[0], g->p[1]);
    return x->st == HLM_OK;
}

/* map(attribute=..., default=...) or map(filter, arguments...) */
static jv f_map(jx *x, const jv *p, const jargs *a)
{
    jgen *g;
    const jv v = lazy(x, p[0], next_mapped, &g);
    if (x->st != HLM_OK) return jv_none();
    if (a->n == 0) {
        for (size_t i = 0; i < a->nkw; i++) {
            if (jv_eq_lit(a->kw[i].name, "attribute")) g->p[0] = a->kw[i].val;
            else if (jv_eq_lit(a->kw[i].name, "default")) g->p[1] = a->kw[i].val;
            else return hlmi_jfail(x, "map() got an unexpected keyword argument");
        }
        return jv_given(g->p[0]) ? v : hlmi_jfail(x, "map requires a filter argument");
    }
    g->desc = a->at[0].kind == JV_STR ? hlmi_jfilter(a->at[0]) : NULL;
    if (!g->desc) return hlmi_jfail(x, "map() was given no known filter");
    g->args = (jargs){.at = a->at + 1, .n = a->n - 1, .kw = a->kw, .nkw = a->nkw};
    return v;
}

/* p[0]: attribute; desc: test, or truth; flag: wanted outcome */
static bool next_picked(jx *x, jgen *g, jv *out)
{
    while (hlmi_jnext(x, &g->src, out)) {
        jv v = hlmi_jpath(x, *out, g->p[0], jv_missing());
        if (x->st == HLM_OK && g->desc) v = hlmi_jcall_desc(x, g->desc, v, &g->args);
        if (x->st != HLM_OK) return false;
        if (hlmi_jtruth(v) == g->flag) return true;
    }
    return false;
}

static jv pick(jx *x, const jv *p, const jargs *a, bool by_attribute, bool wanted)
{
    jgen *g;
    const jv v = lazy(x, p[0], next_picked, &g);
    if (x->st != HLM_OK) return jv_none();
    size_t used = 0;
    if (by_attribute) {
        if (a->n == 0) return hlmi_jfail(x, "Missing parameter for attribute name");
        g->p[0] = a->at[used++];
    }
    g->flag = wanted;
    if (used < a->n) {
        g->desc = a->at[used].kind == JV_STR ? hlmi_jtest(a->at[used]) : NULL;
        if (!g->desc) return hlmi_jfail(x, "items can not be picked by an unknown test");
        used++;
        g->args = (jargs){.at = a->at + used, .n = a->n - used, .kw = a->kw, .nkw = a->nkw};
    }
    return v;
}

static jv f_select(jx *x, const jv *p, const jargs *a)
{
    return pick(x, p, a, false, true);
}
static jv f_reject(jx *x, const jv *p, const jargs *a)
{
    return pick(x, p, a, false, false);
}
static jv f_selectattr(jx *x, const jv *p, const jargs *a)
{
    return pick(x, p, a, true, true);
}
static jv f_rejectattr(jx *x, const jv *p, const jargs *a)
{
    return pick(x, p, a, true, false);
}

static const jdesc descs[] = {
    {"map", f_map, 0, NULL},       {"reject", f_reject, 0, NULL},         {"rejectattr", f_rejectattr, 0, NULL},
    {"select", f_select, 0, NULL}, {"selectattr", f_selectattr, 0, NULL},
};

const jtable hlmi_jfilters_pick = {descs, sizeof descs / sizeof *descs};
