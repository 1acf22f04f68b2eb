/* Calls: described functions and macros. */
#include "jinja/eval.h"
#include "jinja/trust.h"

struct jmacro {
    const jnode *node;
    jscope *scope; /* where it was defined */
};

const jdesc *hlmi_jfind(const jdesc *table, size_t n, jv name)
{
    for (size_t i = 0; i < n; i++)
        if (jv_eq_lit(name, table[i].name)) return &table[i];
    return NULL;
}

/* ---- described functions */

/* Position of the parameter called `name` in a list of names, -1 if there is none. */
static int param_index(const char *params, jv name)
{
    for (int i = 0; *params; i++) {
        const size_t n = strcspn(params, " ");
        if (n == name.n && *params != '-' && memcmp(params, name.u.s, n) == 0) return i;
        params += n + (params[n] == ' ');
    }
    return -1;
}

static size_t param_count(const char *params)
{
    size_t n = *params != '\0';
    for (; *params; params++) n += *params == ' ';
    return n;
}

static jv run_desc(jx *x, const jdesc *d, const jv *p, const jargs *a)
{
    const bool trusted = hlmi_jtrust_call(x, p[0], a);
    const jv v = d->fn(x, p, a);
    x->trusted = trusted;
    return v;
}

jv hlmi_jcall_desc(jx *x, const jdesc *d, jv self, const jargs *a)
{
    jv p[1 + JFN_ARGS] = {{0}};
    if (x->st != HLM_OK) return jv_none();
    p[0] = self;
    if (!d->params) return run_desc(x, d, p, a);
    const size_t count = param_count(d->params);
    if (a->n > count) return hlmi_jfail(x, "%s() takes at most %zu arguments (%zu given)", d->name, count, a->n);
    for (size_t i = 0; i < a->n; i++) p[1 + i] = a->at[i];
    for (size_t i = 0; i < a->nkw; i++) {
        const jv name = a->kw[i].name;
        const int at = param_index(d->params, name);
        const int n = (int)(name.n < 80 ? name.n : 80);
        if (at < 0) return hlmi_jfail(x, "%s() got an unexpected keyword argument '%.*s'", d->name, n, name.u.s);
        if (jv_given(p[1 + at])) return hlmi_jfail(x, "%s() got two values for '%.*s'", d->name, n, name.u.s);
        p[1 + at] = a->kw[i].val;
    }
    for (size_t i = 0; i < d->need; i++)
        if (!jv_given(p[1 + i])) return hlmi_jfail(x, "%s() misses its argument %zu", d->name, i + 1);
    return run_desc(x, d, p, a);
}

/* ---- macros */

jv hlmi_jmacro_new(jx *x, const jnode *n)
{
    jmacro *m = hlmi_jalloc(x, sizeof *m);
    if (!m) return jv_none();
    *m = (jmacro){.node = n, .scope = x->scope};
    return (jv){.kind = JV_MACRO, .u.macro = m};
}

jv hlmi_jmacro_attr(jx *x, const jmacro *m, jv name)
{
    if (jv_eq_lit(name, "name")) return m->node->v;
    if (jv_eq_lit(name, "catch_varargs")) return jv_bool((m->node->op & JM_VARARGS) != 0);
    if (jv_eq_lit(name, "catch_kwargs")) return jv_bool((m->node->op & JM_KWARGS) != 0);
    if (jv_eq_lit(name, "caller")) return jv_bool((m->node->op & JM_CALLER) != 0);
    if (!jv_eq_lit(name, "arguments")) return jv_missing();
    jvec v = jvec_new(x);
    for (const jnode *p = m->node->args; p; p = p->next) hlmi_jvec_add(&v, p->v);
    return jvec_done(&v, JV_TUPLE);
}

static const jkw *keyword(jx *x, const jargs *a, jv name)
{
    if (!hlmi_jstep(x, a->nkw / 16)) return NULL;
    for (size_t i = 0; i < a->nkw; i++)
        if (jv_same_text(a->kw[i].name, name)) return &a->kw[i];
    return NULL;
}

static bool is_param(const jnode *params, jv name)
{
    for (; params; params = params->next)
        if (jv_same_text(params->v, name)) return true;
    return false;
}

/* Keyword arguments that no parameter takes: for `caller`, `kwargs`, or too many. */
static void bind_rest(jx *x, const jnode *n, size_t taken, const jargs *a, jscope *s)
{
    const jv caller = jv_lit("caller");
    jdict *rest = n->op & JM_KWARGS ? hlmi_jdict_new(x, 0) : NULL;
    if ((n->op & JM_CALLER) && !is_param(n->args, caller)) {
        const jkw *k = keyword(x, a, caller);
        hlmi_jset(x, s, caller, k ? k->val : hlmi_jundef(x, jv_missing(), caller));
    }
    for (size_t i = 0; i < a->nkw && x->st == HLM_OK; i++) {
        const jv name = a->kw[i].name;
        size_t at = 0;
        const jnode *p = n->args;
        while (p && !jv_same_text(p->v, name)) p = p->next, at++;
        hlmi_jstep(x, at / 16);
        if ((p && at >= taken) || ((n->op & JM_CALLER) && jv_same_text(name, caller))) continue;
        if (rest) hlmi_jdict_set(x, rest, name, a->kw[i].val);
        else
            hlmi_jfail(x, "macro '%.*s' takes no keyword argument '%.*s'", (int)n->v.n, n->v.u.s, (int)name.n,
                       name.u.s);
    }
    if (rest) hlmi_jset(x, s, jv_lit("kwargs"), jv_dict(JV_DICT, rest));
}

static void bind(jx *x, const jnode *n, const jargs *a, jscope *s)
{
    size_t i = 0;
    for (const jnode *p = n->args; p && x->st == HLM_OK; p = p->next, i++) {
        const jkw *k = i < a->n ? NULL : keyword(x, a, p->v);
        hlmi_jset(x, s, p->v, i < a->n ? a->at[i] : k ? k->val : hlmi_jundef(x, jv_missing(), p->v));
    }
    bind_rest(x, n, a->n < i ? a->n : i, a, s);
    if (n->op & JM_VARARGS) {
        const jv rest = jv_seq(JV_TUPLE, a->n > i ? a->at + i : NULL, a->n > i ? a->n - i : 0);
        hlmi_jset(x, s, jv_lit("varargs"), rest);
    } else if (a->n > i) {
        hlmi_jfail(x, "macro '%.*s' takes not more than %zu argument(s)", (int)n->v.n, n->v.u.s, i);
    }
    i = 0;
    for (const jnode *p = n->args; p && x->st == HLM_OK; p = p->next, i++)
        if (p->a && i >= a->n && !keyword(x, a, p->v)) hlmi_jset(x, s, p->v, hlmi_jeval(x, p->a));
}

static jv call_macro(jx *x, const jmacro *m, const jargs *a)
{
    if (!hlmi_jenter(x)) return jv_none();
    jscope *scope = x->scope;
    jv text = jv_none();
    x->scope = m->scope;
    jscope *s = hlmi_jscope_push(x);
    if (s) bind(x, m->node, a, s);
    if (x->st == HLM_OK) text = hlmi_jcapture(x, m->node->body, s);
    x->scope = scope;
    hlmi_jleave(x);
    return text;
}

/* ---- any call */

static jv call_joiner(jx *x, jcycler *c, const jargs *a)
{
    (void)a;
    if (c->pos++ == 0) return jv_lit("");
    return hlmi_jtext(x, c->sep);
}

/* What a method of escaped text returns: the text, or texts in a list or tuple, is escaped too. */
static jv as_markup(jx *x, jv v)
{
    if (v.kind == JV_STR) v.flags |= JV_SAFE;
    if (!jv_is_seq(v) || v.n == 0) return v;
    jv *at = hlmi_jalloc_values(x, v.n);
    if (!at) return jv_none();
    for (uint32_t i = 0; i < v.n; i++) at[i] = as_markup(x, v.u.at[i]);
    return jv_seq(v.kind, at, v.n);
}

static jv call_method(jx *x, const jmethod *m, const jargs *a)
{
    const jv v = hlmi_jcall_desc(x, m->desc, m->self, a);
    return m->self.kind == JV_STR && m->self.flags & JV_SAFE && x->st == HLM_OK ? as_markup(x, v) : v;
}

jv hlmi_jcall(jx *x, jv f, const jargs *a)
{
    if (x->st != HLM_OK) return jv_none();
    switch (f.kind) {
    case JV_FUNC: return hlmi_jcall_desc(x, f.u.func, jv_missing(), a);
    case JV_METHOD: return call_method(x, f.u.method, a);
    case JV_MACRO: return call_macro(x, f.u.macro, a);
    case JV_JOINER: return call_joiner(x, f.u.cycler, a);
    case JV_LOOP:
        if (a->n != 1 || a->nkw) return hlmi_jfail(x, "loop() takes one argument");
        return hlmi_jloop_recurse(x, f.u.loop, a->at[0]);
    case JV_UNDEF: return hlmi_juse_undef(x, f);
    default: return hlmi_jfail(x, "'%s' object is not callable", hlmi_jtype(f));
    }
}

int64_t hlmi_jint_arg(jx *x, jv v, int64_t def, const char *what)
{
    if (!jv_given(v)) return def;
    if (jv_is_intlike(v)) return jv_intval(v);
    if (v.kind == JV_UNDEF) hlmi_juse_undef(x, v);
    else hlmi_jfail(x, "%s must be an integer, not %s", what, hlmi_jtype(v));
    return def;
}
