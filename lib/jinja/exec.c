/* Statements and the loop object. */
#include "jinja/eval.h"

struct jloop {
    const jnode *node;
    jscope *outer; /* where the loop stands */
    jiter it;
    bool filtered; /* `it` runs over items that passed the filter already */
    bool has_ahead;
    jv prev, cur, ahead;
    int64_t index0, length; /* length is -1 until asked for */
    int64_t depth0;
    jv changed; /* last arguments of loop.changed */
};

static jflow run_loop(jx *x, const jnode *n, jv over, int64_t depth0);

/* ---- assignment */

static void assign_tuple(jx *x, const jnode *target, jscope *s, jv v)
{
    jiter it;
    jv item;
    if (v.kind == JV_UNDEF) hlmi_juse_undef(x, v);
    if (!hlmi_jiter(x, v, &it)) return;
    for (const jnode *t = target->a; t && x->st == HLM_OK; t = t->next) {
        if (hlmi_jnext(x, &it, &item)) hlmi_jassign(x, t, s, item);
        else hlmi_jfail(x, "not enough values to unpack");
    }
    if (hlmi_jnext(x, &it, &item)) hlmi_jfail(x, "too many values to unpack");
}

void hlmi_jassign(jx *x, const jnode *target, jscope *s, jv v)
{
    if (x->st != HLM_OK) return;
    if (target->kind == JN_NAME) {
        hlmi_jset(x, s, target->v, v);
    } else if (target->kind == JN_TUPLE) {
        assign_tuple(x, target, s, v);
    } else {
        const jv ns = hlmi_jget(x, x->scope, target->v);
        if (ns.kind == JV_NS) hlmi_jdict_set(x, ns.u.dict, target->b->v, v);
        else hlmi_jfail(x, "cannot assign attribute on non-namespace object");
    }
}

jv hlmi_jcapture(jx *x, const jnode *list, jscope *s)
{
    jsb text = jsb_new(x), *out = x->out;
    jscope *scope = x->scope;
    x->out = &text;
    x->scope = s;
    hlmi_jexec(x, list);
    x->scope = scope;
    x->out = out;
    return hlmi_jsb_done(&text);
}

/* ---- loops */

/* The next item that passes the filter. */
static bool pull(jx *x, jloop *l, jv *out)
{
    const jnode *test = l->filtered ? NULL : l->node->c;
    while (hlmi_jnext(x, &l->it, out)) {
        if (!test) return true;
        jscope *scope = x->scope;
        x->scope = l->outer;
        jscope *s = hlmi_jscope_push(x);
        if (s) hlmi_jassign(x, l->node->a, s, *out);
        const bool pass = x->st == HLM_OK && hlmi_jtruth(hlmi_jeval(x, test));
        x->scope = scope;
        if (pass) return x->st == HLM_OK;
    }
    return false;
}

static bool peek(jx *x, jloop *l)
{
    if (!l->has_ahead) l->has_ahead = pull(x, l, &l->ahead);
    return l->has_ahead;
}

static int64_t loop_length(jx *x, jloop *l)
{
    if (l->length >= 0) return l->length;
    hlmi_jstep(x, l->it.of.kind == JV_STR ? l->it.of.n / 16 : 0);
    const int64_t known = l->node->c ? -1 : hlmi_jlen(l->it.of);
    if (known >= 0) return l->length = known;
    jvec rest = jvec_new(x);
    jv item;
    while (pull(x, l, &item)) hlmi_jvec_add(&rest, item);
    l->it = (jiter){.of = jv_seq(JV_LIST, rest.at, rest.n)};
    l->filtered = true;
    return l->length = (int64_t)rest.n + l->index0 + 1 + l->has_ahead;
}

jv hlmi_jloop_attr(jx *x, jloop *l, jv name)
{
    if (jv_eq_lit(name, "index")) return jv_int(l->index0 + 1);
    if (jv_eq_lit(name, "index0")) return jv_int(l->index0);
    if (jv_eq_lit(name, "first")) return jv_bool(l->index0 == 0);
    if (jv_eq_lit(name, "last")) return jv_bool(!peek(x, l));
    if (jv_eq_lit(name, "length")) return jv_int(loop_length(x, l));
    if (jv_eq_lit(name, "revindex")) return jv_int(loop_length(x, l) - l->index0);
    if (jv_eq_lit(name, "revindex0")) return jv_int(loop_length(x, l) - l->index0 - 1);
    if (jv_eq_lit(name, "depth")) return jv_int(l->depth0 + 1);
    if (jv_eq_lit(name, "depth0")) return jv_int(l->depth0);
    if (jv_eq_lit(name, "previtem"))
        return l->index0 ? l->prev : hlmi_jundef(x, jv_missing(), jv_lit("the item before the first"));
    if (jv_eq_lit(name, "nextitem"))
        return peek(x, l) ? l->ahead : hlmi_jundef(x, jv_missing(), jv_lit("the item after the last"));
    return jv_missing();
}

jv hlmi_jloop_cycle(jx *x, jloop *l, const jargs *a)
{
    if (a->n == 0) return hlmi_jfail(x, "no items for cycling given");
    return a->at[(size_t)l->index0 % a->n];
}

jv hlmi_jloop_changed(jx *x, jloop *l, const jargs *a)
{
    const jv now = jv_seq(JV_TUPLE, a->at, a->n);
    if (jv_given(l->changed) && hlmi_jequal(x, l->changed, now)) return jv_bool(false);
    l->changed = now;
    return jv_bool(true);
}

jv hlmi_jloop_recurse(jx *x, jloop *l, jv over)
{
    if (!l->node->op) return hlmi_jfail(x, "the loop is not marked 'recursive', so it can not be called");
    jsb text = jsb_new(x), *out = x->out;
    jscope *scope = x->scope;
    x->out = &text;
    x->scope = l->outer;
    if (hlmi_jenter(x)) {
        run_loop(x, l->node, over, l->depth0 + 1);
        hlmi_jleave(x);
    }
    x->scope = scope;
    x->out = out;
    return hlmi_jsb_done(&text);
}

/* One scope serves all rounds; what a round set is forgotten before the next. Returns whether a round ran to its end:
 * as in Jinja2, `else` also follows a loop whose rounds all ended by break or continue. */
static bool run_rounds(jx *x, jloop *l, jv first)
{
    jscope *s = hlmi_jscope_push(x);
    jv item = first;
    bool whole = false;
    if (!s) return true;
    for (;;) {
        size_t n = 0;
        for (jvar *v = s->vars; v; v = v->next, n++) v->val = jv_missing();
        hlmi_jstep(x, n / 16);
        l->cur = item;
        hlmi_jset(x, s, jv_lit("loop"), (jv){.kind = JV_LOOP, .u.loop = l});
        hlmi_jassign(x, l->node->a, s, item);
        const jflow flow = hlmi_jexec(x, l->node->body);
        whole = whole || flow == FLOW_NEXT;
        if (flow == FLOW_BREAK || x->st != HLM_OK) return whole;
        l->prev = l->cur;
        if (!peek(x, l)) return whole;
        item = l->ahead;
        l->has_ahead = false;
        l->index0++;
    }
}

static jflow run_loop(jx *x, const jnode *n, jv over, int64_t depth0)
{
    jscope *outer = x->scope;
    jloop *l = hlmi_jalloc(x, sizeof *l);
    jv first;
    if (!l) return FLOW_NEXT;
    *l = (jloop){.node = n, .outer = outer, .length = -1, .depth0 = depth0};
    if (!hlmi_jiter(x, over, &l->it)) return FLOW_NEXT;
    jflow flow = FLOW_NEXT;
    const bool whole = pull(x, l, &first) && run_rounds(x, l, first);
    x->scope = outer;
    if (!whole && x->st == HLM_OK && n->other && hlmi_jscope_push(x)) flow = hlmi_jexec(x, n->other);
    x->scope = outer;
    return flow;
}

/* ---- the other statements */

static jflow exec_if(jx *x, const jnode *n)
{
    for (;;) {
        const jv v = hlmi_jeval(x, n->a);
        if (x->st != HLM_OK) return FLOW_NEXT;
        if (hlmi_jtruth(v)) return hlmi_jexec(x, n->body);
        if (!n->op) return hlmi_jexec(x, n->other);
        n = n->other;
        x->line = n->line;
    }
}

/* Runs a chain of filters whose innermost has no expression on `v`. */
static jv filter_chain(jx *x, const jnode *n, jv v)
{
    if (!n) return v;
    v = filter_chain(x, n->a, v);
    return hlmi_jeval_filter(x, n, v);
}

static jv capture_scoped(jx *x, const jnode *body)
{
    jscope *outer = x->scope, *s = hlmi_jscope_push(x);
    const jv text = s ? hlmi_jcapture(x, body, s) : jv_none();
    x->scope = outer;
    return text;
}

static void exec_call_block(jx *x, const jnode *n)
{
    const jv caller = hlmi_jmacro_new(x, n->b);
    const jv v = hlmi_jeval_call(x, n->a, caller);
    if (x->st == HLM_OK) hlmi_jtext_to(x, x->out, v);
}

static jflow exec_with(jx *x, const jnode *n)
{
    jscope *outer = x->scope;
    jscope *s = hlmi_jscope_push(x);
    jflow flow = FLOW_NEXT;
    for (const jnode *t = n->a; t && s && x->st == HLM_OK; t = t->next->next) {
        x->scope = outer;
        const jv v = hlmi_jeval(x, t->next);
        x->scope = s;
        hlmi_jassign(x, t, s, v);
    }
    x->scope = s;
    if (s) flow = hlmi_jexec(x, n->body);
    x->scope = outer;
    return flow;
}

static jflow exec_one(jx *x, const jnode *n)
{
    jv v;
    x->line = n->line;
    switch (n->kind) {
    case JN_DATA: hlmi_jsb_add(x->out, n->v.u.s, n->v.n); break;
    case JN_PRINT:
        v = hlmi_jeval(x, n->a);
        if (x->st == HLM_OK) hlmi_jtext_to(x, x->out, v);
        break;
    case JN_FOR: v = hlmi_jeval(x, n->b); return x->st == HLM_OK ? run_loop(x, n, v, 0) : FLOW_NEXT;
    case JN_IF: return exec_if(x, n);
    case JN_SET:
        v = hlmi_jeval(x, n->b);
        hlmi_jassign(x, n->a, x->scope, v);
        break;
    case JN_SETBLOCK:
        v = filter_chain(x, n->b, capture_scoped(x, n->body));
        hlmi_jassign(x, n->a, x->scope, v);
        break;
    case JN_MACRO:
        v = hlmi_jmacro_new(x, n);
        if (x->st == HLM_OK) hlmi_jset(x, x->scope, n->v, v);
        break;
    case JN_CALLBLOCK: exec_call_block(x, n); break;
    case JN_FILTERBLOCK:
        v = filter_chain(x, n->a, capture_scoped(x, n->body));
        if (x->st == HLM_OK) hlmi_jtext_to(x, x->out, v);
        break;
    case JN_WITH:
    case JN_SCOPE: return exec_with(x, n);
    case JN_BREAK: return FLOW_BREAK;
    case JN_CONTINUE: return FLOW_CONTINUE;
    default: hlmi_jfail(x, "%.*s", (int)n->v.n, n->v.u.s); break;
    }
    return FLOW_NEXT;
}

jflow hlmi_jexec(jx *x, const jnode *n)
{
    jflow flow = FLOW_NEXT;
    if (!n || !hlmi_jenter(x)) return flow;
    for (; n && flow == FLOW_NEXT && hlmi_jstep(x, 1); n = n->next) flow = exec_one(x, n);
    hlmi_jleave(x);
    return flow;
}
