/* Expressions. */
#include "jinja/eval.h"

static jv eval_name(jx *x, const jnode *n)
{
    const jv v = hlmi_jget(x, x->scope, n->v);
    return jv_given(v) ? v : hlmi_jundef(x, jv_missing(), n->v);
}

static jv eval_items(jx *x, const jnode *list, jv_kind kind)
{
    jvec v = jvec_new(x);
    for (; list && x->st == HLM_OK; list = list->next) hlmi_jvec_add(&v, hlmi_jeval(x, list));
    return jvec_done(&v, kind);
}

static jv eval_dict(jx *x, const jnode *n)
{
    jdict *d = hlmi_jdict_new(x, 0);
    for (const jnode *k = n->a; k && x->st == HLM_OK; k = k->next->next) {
        const jv key = hlmi_jeval(x, k);
        hlmi_jdict_set(x, d, key, hlmi_jeval(x, k->next));
    }
    return x->st == HLM_OK ? jv_dict(JV_DICT, d) : jv_none();
}

static jv eval_item(jx *x, const jnode *n)
{
    const jv of = hlmi_jeval(x, n->a);
    if (n->b->kind != JN_SLICE) return hlmi_jitem(x, of, hlmi_jeval(x, n->b));
    const jnode *s = n->b;
    const jv start = s->a ? hlmi_jeval(x, s->a) : jv_none();
    const jv stop = s->b ? hlmi_jeval(x, s->b) : jv_none();
    return hlmi_jslice(x, of, start, stop, s->c ? hlmi_jeval(x, s->c) : jv_none());
}

static bool compare(jx *x, uint16_t op, jv a, jv b)
{
    switch (op) {
    case '=' << 8 | '=': return hlmi_jequal(x, a, b);
    case '!' << 8 | '=': return !hlmi_jequal(x, a, b);
    case '<': return hlmi_jless(x, a, b);
    case '>': return hlmi_jless(x, b, a);
    case '<' << 8 | '=': return hlmi_jless_equal(x, a, b);
    case '>' << 8 | '=': return hlmi_jless_equal(x, b, a);
    case 'i': return hlmi_jcontains(x, b, a);
    default: return !hlmi_jcontains(x, b, a);
    }
}

static jv eval_compare(jx *x, const jnode *n)
{
    jv a = hlmi_jeval(x, n->a);
    for (const jnode *o = n->b; o && x->st == HLM_OK; o = o->next) {
        const jv b = hlmi_jeval(x, o->a);
        if (x->st != HLM_OK || !compare(x, o->op, a, b)) return jv_bool(false);
        a = b;
    }
    return jv_bool(true);
}

static jv eval_concat(jx *x, const jnode *n)
{
    jv out = hlmi_jtext(x, hlmi_jeval(x, n->a));
    for (const jnode *i = n->a->next; i && x->st == HLM_OK; i = i->next) {
        const jv part = hlmi_jtext(x, hlmi_jeval(x, i));
        if (x->st == HLM_OK) out = hlmi_jconcat(x, out, part);
    }
    out.flags = 0;
    return out;
}

/* ---- arguments */

static size_t spread(jx *x, jv v, jvec *out)
{
    jiter it;
    jv item;
    if (hlmi_jiter(x, v, &it))
        while (hlmi_jnext(x, &it, &item)) hlmi_jvec_add(out, item);
    return out->n;
}

/* Keyword arguments lie in pairs of name and value until the count is known. */
static void spread_keywords(jx *x, jv v, jvec *out)
{
    if (v.kind != JV_DICT) {
        if (x->st == HLM_OK) hlmi_jfail(x, "argument after ** must be a mapping, not %s", hlmi_jtype(v));
        return;
    }
    for (uint32_t i = 0; i < v.u.dict->n && hlmi_jstep(x, 1); i++) {
        if (v.u.dict->at[i].key.kind != JV_STR) hlmi_jfail(x, "keywords must be strings");
        hlmi_jvec_add(out, v.u.dict->at[i].key);
        hlmi_jvec_add(out, v.u.dict->at[i].val);
    }
}

_Static_assert(sizeof(jkw) == 2 * sizeof(jv), "pairs of values read as keyword arguments");

static jargs eval_args(jx *x, const jnode *list, jv caller)
{
    jvec pos = jvec_new(x), kw = jvec_new(x);
    for (; list && x->st == HLM_OK; list = list->next) {
        if (list->kind == JN_STAR) {
            spread(x, hlmi_jeval(x, list->a), &pos);
        } else if (list->kind == JN_STAR2) {
            spread_keywords(x, hlmi_jeval(x, list->a), &kw);
        } else if (list->kind == JN_KEYWORD) {
            const jv v = hlmi_jeval(x, list->a);
            hlmi_jvec_add(&kw, list->v);
            hlmi_jvec_add(&kw, v);
        } else {
            hlmi_jvec_add(&pos, hlmi_jeval(x, list));
        }
    }
    if (jv_given(caller)) {
        hlmi_jvec_add(&kw, jv_lit("caller"));
        hlmi_jvec_add(&kw, caller);
    }
    return (jargs){.at = pos.at, .n = pos.n, .kw = (const jkw *)(const void *)kw.at, .nkw = kw.n / 2};
}

jv hlmi_jeval_call(jx *x, const jnode *n, jv caller)
{
    const jv f = hlmi_jeval(x, n->a);
    if (x->st != HLM_OK) return jv_none();
    const jargs a = eval_args(x, n->args, caller);
    x->line = n->line;
    return x->st == HLM_OK ? hlmi_jcall(x, f, &a) : jv_none();
}

jv hlmi_jeval_filter(jx *x, const jnode *n, jv v)
{
    if (x->st != HLM_OK) return jv_none();
    x->line = n->line;
    if (!n->desc) return hlmi_jno_such(x, n);
    const jargs a = eval_args(x, n->args, jv_missing());
    x->line = n->line;
    return x->st == HLM_OK ? hlmi_jcall_desc(x, n->desc, v, &a) : jv_none();
}

static jv eval_test(jx *x, const jnode *n)
{
    x->line = n->line;
    if (!n->desc) return hlmi_jno_such(x, n);
    const jv v = hlmi_jeval(x, n->a);
    const jargs a = eval_args(x, n->args, jv_missing());
    return x->st == HLM_OK ? hlmi_jcall_desc(x, n->desc, v, &a) : jv_none();
}

static jv eval_deep(jx *x, const jnode *n)
{
    jv v;
    switch (n->kind) {
    case JN_TUPLE: return eval_items(x, n->a, JV_TUPLE);
    case JN_LIST: return eval_items(x, n->a, JV_LIST);
    case JN_DICT: return eval_dict(x, n);
    case JN_ATTR: v = hlmi_jeval(x, n->a); return hlmi_jattr(x, v, n->v);
    case JN_ITEM: return eval_item(x, n);
    case JN_CALL: return hlmi_jeval_call(x, n, jv_missing());
    case JN_FILTER: return hlmi_jeval_filter(x, n, hlmi_jeval(x, n->a));
    case JN_TEST: return eval_test(x, n);
    case JN_UNARY: v = hlmi_jeval(x, n->a); return x->st == HLM_OK ? hlmi_junary(x, n->op, v) : v;
    case JN_BINARY: {
        v = hlmi_jeval(x, n->a);
        const jv b = hlmi_jeval(x, n->b);
        return x->st == HLM_OK ? hlmi_jbinary(x, n->op, v, b) : v;
    }
    case JN_AND: v = hlmi_jeval(x, n->a); return x->st == HLM_OK && hlmi_jtruth(v) ? hlmi_jeval(x, n->b) : v;
    case JN_OR: v = hlmi_jeval(x, n->a); return x->st == HLM_OK && !hlmi_jtruth(v) ? hlmi_jeval(x, n->b) : v;
    case JN_CONCAT: return eval_concat(x, n);
    case JN_COMPARE: return eval_compare(x, n);
    case JN_COND:
        v = hlmi_jeval(x, n->a);
        if (x->st != HLM_OK) return v;
        if (hlmi_jtruth(v)) return hlmi_jeval(x, n->b);
        return n->c ? hlmi_jeval(x, n->c) : hlmi_jundef(x, jv_missing(), jv_lit("the value of an 'if' without 'else'"));
    default: return hlmi_jfail(x, "an expression is malformed");
    }
}

jv hlmi_jeval(jx *x, const jnode *n)
{
    if (!hlmi_jstep(x, 1)) return jv_none();
    if (n->kind == JN_CONST) return n->v;
    if (n->kind == JN_NAME) return eval_name(x, n);
    if (!hlmi_jenter(x)) return jv_none();
    const jv v = eval_deep(x, n);
    hlmi_jleave(x);
    return v;
}
