/* What Jinja2's compiler refuses beside the grammar: filters and tests that do not exist. Inside conditions, and what
 * depends on them, it leaves that to the rendering, since templates ask there whether a filter is known. */
#include "jinja/ast.h"

static void check(jx *x, const jnode *list, bool soft);

static void check_inside(jx *x, const jnode *n, bool soft)
{
    switch (n->kind) {
    case JN_IF:
    case JN_COND:
        check(x, n->a, true);
        check(x, n->b, true);
        check(x, n->c, true);
        check(x, n->body, true);
        check(x, n->other, true);
        return;
    case JN_SETBLOCK:
    case JN_FILTERBLOCK:
    case JN_MACRO: soft = false; break;
    default: break;
    }
    const bool loop = n->kind == JN_FOR; /* what it runs over belongs to what is around it, all else is its own */
    check(x, n->a, soft);
    check(x, n->b, soft);
    check(x, n->c, soft && !loop);
    check(x, n->args, soft);
    check(x, n->body, false);
    check(x, n->other, false);
}

static void check(jx *x, const jnode *list, bool soft)
{
    for (const jnode *n = list; n && x->st == HLM_OK; n = n->next) {
        if ((n->kind == JN_FILTER || n->kind == JN_TEST) && !n->desc && !soft) {
            x->line = n->line;
            hlmi_jno_such(x, n);
            return;
        }
        check_inside(x, n, soft);
    }
}

bool hlmi_jcheck(jx *x, const jnode *root)
{
    check(x, root, false);
    return x->st == HLM_OK;
}

jv hlmi_jno_such(jx *x, const jnode *n)
{
    return hlmi_jfail(x, "no %s named '%.*s'", n->kind == JN_FILTER ? "filter" : "test",
                      (int)(n->v.n < 80 ? n->v.n : 80), n->v.u.s);
}
