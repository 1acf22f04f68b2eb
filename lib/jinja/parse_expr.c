/* Expressions: precedence, postfixes, filters, tests, calls. */
#include "jinja/parser.h"

static jnode *unary(parser *p, bool filters);

/* Binary operators by how tightly they bind; 1 is `or`. Comparisons and ~ make one node of a whole chain, and have
 * levels of their own. */
enum { LEVEL_OR = 1, LEVEL_AND, LEVEL_NOT, LEVEL_COMPARE, LEVEL_ADD, LEVEL_CONCAT, LEVEL_MUL, LEVEL_POW };

static uint16_t compare_op(parser *p)
{
    static const uint16_t ops[] = {JT_OP2('=', '='), JT_OP2('!', '='), JT_OP2('<', '='), JT_OP2('>', '='), '<', '>'};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (hlmi_jp_skip_op(p, ops[i])) return ops[i];
    if (hlmi_jp_skip_name(p, "in")) return 'i';
    if (hlmi_jp_name(p, "not") && p->t[1].kind == JT_NAME && jv_eq_lit(p->t[1].v, "in")) {
        p->t += 2;
        return 'n';
    }
    return 0;
}

static jnode *binary(parser *p, int level);

static jnode *compare(parser *p)
{
    jnode *left = binary(p, LEVEL_ADD);
    jlist list = {.last = &list.first};
    uint16_t op;
    while (p->x->st == HLM_OK && (op = compare_op(p)) != 0) {
        jnode *o = hlmi_jp_node(p, JN_OPERAND, p->t->line);
        if (!o) return NULL;
        o->op = op;
        o->a = binary(p, LEVEL_ADD);
        hlmi_jp_push(&list, hlmi_jp_deep(p, o));
    }
    if (!list.first) return left;
    jnode *n = hlmi_jp_node(p, JN_COMPARE, list.first->line);
    if (!n) return NULL;
    n->a = left;
    n->b = list.first;
    return hlmi_jp_deep(p, n);
}

static jnode *negation(parser *p)
{
    if (!hlmi_jp_name(p, "not")) return compare(p);
    if (!hlmi_jp_enter(p)) return NULL;
    jnode *n = hlmi_jp_node(p, JN_UNARY, p->t->line);
    p->t++;
    jnode *a = negation(p);
    p->depth--;
    if (!n) return NULL;
    n->op = '!';
    n->a = a;
    return hlmi_jp_deep(p, n);
}

static jnode *concat(parser *p)
{
    jnode *first = binary(p, LEVEL_MUL);
    if (!hlmi_jp_op(p, '~')) return first;
    jnode *n = hlmi_jp_node(p, JN_CONCAT, p->t->line);
    jlist list = {.last = &list.first};
    hlmi_jp_push(&list, first);
    while (hlmi_jp_skip_op(p, '~')) hlmi_jp_push(&list, binary(p, LEVEL_MUL));
    if (!n) return NULL;
    n->a = list.first;
    return hlmi_jp_deep(p, n);
}

static bool at_level(const parser *p, int level)
{
    switch (level) {
    case LEVEL_OR: return hlmi_jp_name(p, "or");
    case LEVEL_AND: return hlmi_jp_name(p, "and");
    case LEVEL_ADD: return hlmi_jp_op(p, '+') || hlmi_jp_op(p, '-');
    case LEVEL_MUL:
        return hlmi_jp_op(p, '*') || hlmi_jp_op(p, '/') || hlmi_jp_op(p, '%') || hlmi_jp_op(p, JT_OP2('/', '/'));
    default: return hlmi_jp_op(p, JT_OP2('*', '*'));
    }
}

static jnode *binary(parser *p, int level)
{
    if (p->x->st != HLM_OK) return NULL;
    if (level == LEVEL_NOT) return negation(p);
    if (level == LEVEL_CONCAT) return concat(p);
    if (level > LEVEL_POW) return unary(p, true);
    jnode *left = binary(p, level + 1);
    while (p->x->st == HLM_OK && at_level(p, level)) {
        jnode *n = hlmi_jp_node(p, level == LEVEL_OR ? JN_OR : level == LEVEL_AND ? JN_AND : JN_BINARY, p->t->line);
        if (!n) return NULL;
        n->op = p->t->op;
        p->t++;
        n->a = left;
        n->b = binary(p, level + 1);
        left = hlmi_jp_deep(p, n);
    }
    return left;
}

jnode *hlmi_jp_expr(parser *p, bool cond)
{
    if (!hlmi_jp_enter(p)) return NULL;
    jnode *n = binary(p, LEVEL_OR);
    while (cond && p->x->st == HLM_OK && hlmi_jp_name(p, "if")) {
        jnode *c = hlmi_jp_node(p, JN_COND, p->t->line);
        p->t++;
        if (!c) break;
        c->b = n;
        c->a = binary(p, LEVEL_OR);
        if (hlmi_jp_skip_name(p, "else")) c->c = hlmi_jp_expr(p, true);
        n = hlmi_jp_deep(p, c);
    }
    p->depth--;
    return n;
}

/* ---- primaries */

static bool tuple_end(const parser *p, const char *end_name)
{
    if (p->t->kind == JT_PRINT_END || p->t->kind == JT_BLOCK_END || hlmi_jp_op(p, ')')) return true;
    return end_name && hlmi_jp_name(p, end_name);
}

/* Items up to the end of a tuple; `item` reads one. One item without a comma is itself. */
static jnode *tuple_of(parser *p, jnode *(*item)(parser *), const char *end_name, bool may_be_empty)
{
    const uint32_t line = p->t->line;
    jlist list = {.last = &list.first};
    bool is_tuple = false;
    while (p->x->st == HLM_OK) {
        if (list.n) hlmi_jp_want_op(p, ',');
        if (tuple_end(p, end_name)) break;
        hlmi_jp_push(&list, item(p));
        if (!hlmi_jp_op(p, ',')) break;
        is_tuple = true;
    }
    if (!is_tuple && list.n) return list.first;
    if (!is_tuple && !may_be_empty) {
        hlmi_jp_unexpected(p);
        return NULL;
    }
    jnode *n = hlmi_jp_node(p, JN_TUPLE, line);
    if (!n) return NULL;
    n->a = list.first;
    return hlmi_jp_deep(p, n);
}

static jnode *item_cond(parser *p)
{
    return hlmi_jp_expr(p, true);
}
static jnode *item_plain(parser *p)
{
    return hlmi_jp_expr(p, false);
}

jnode *hlmi_jp_tuple(parser *p, bool cond, const char *end_name)
{
    return tuple_of(p, cond ? item_cond : item_plain, end_name, false);
}

/* Items of a list or dictionary, behind its opening bracket. */
static jnode *display(parser *p, jn_kind kind, char close)
{
    jnode *n = hlmi_jp_node(p, kind, p->t->line);
    jlist list = {.last = &list.first};
    while (p->x->st == HLM_OK && !hlmi_jp_op(p, (uint16_t)close)) {
        if (list.n) hlmi_jp_want_op(p, ',');
        if (hlmi_jp_op(p, (uint16_t)close)) break;
        hlmi_jp_push(&list, hlmi_jp_expr(p, true));
        if (kind != JN_DICT) continue;
        hlmi_jp_want_op(p, ':');
        hlmi_jp_push(&list, hlmi_jp_expr(p, true));
    }
    hlmi_jp_want_op(p, (uint16_t)close);
    if (!n) return NULL;
    n->a = list.first;
    return hlmi_jp_deep(p, n);
}

static jnode *name_or_const(parser *p)
{
    const jv v = p->t->v;
    jnode *n = hlmi_jp_node(p, JN_CONST, p->t->line);
    if (!n) return NULL;
    p->t++;
    if (jv_eq_lit(v, "true") || jv_eq_lit(v, "True")) {
        n->v = jv_bool(true);
    } else if (jv_eq_lit(v, "false") || jv_eq_lit(v, "False")) {
        n->v = jv_bool(false);
    } else if (jv_eq_lit(v, "none") || jv_eq_lit(v, "None")) {
        n->v = jv_none();
    } else {
        n->kind = JN_NAME;
        n->v = v;
        if (jv_eq_lit(v, "caller")) p->uses |= JM_CALLER;
        if (jv_eq_lit(v, "varargs")) p->uses |= JM_VARARGS;
        if (jv_eq_lit(v, "kwargs")) p->uses |= JM_KWARGS;
    }
    return n;
}

static jnode *literal(parser *p)
{
    jnode *n = hlmi_jp_node(p, JN_CONST, p->t->line);
    if (!n) return NULL;
    n->v = p->t->v;
    const bool text = p->t->kind == JT_STRING;
    p->t++;
    while (text && p->t->kind == JT_STRING) n->v = hlmi_jconcat(p->x, n->v, (p->t++)->v);
    return n;
}

static jnode *primary(parser *p)
{
    if (p->t->kind == JT_NAME) return name_or_const(p);
    if (p->t->kind == JT_STRING || p->t->kind == JT_INT || p->t->kind == JT_FLOAT) return literal(p);
    if (hlmi_jp_skip_op(p, '[')) return display(p, JN_LIST, ']');
    if (hlmi_jp_skip_op(p, '{')) return display(p, JN_DICT, '}');
    if (hlmi_jp_skip_op(p, '(')) {
        jnode *n = tuple_of(p, item_cond, NULL, true);
        hlmi_jp_want_op(p, ')');
        return n;
    }
    hlmi_jp_unexpected(p);
    return NULL;
}

/* ---- targets of set and for */

static jnode *target_item(parser *p)
{
    if (!hlmi_jp_enter(p)) return NULL;
    jnode *n = NULL;
    if (p->t->kind == JT_NAME) {
        n = name_or_const(p);
        if (n && n->kind != JN_NAME) hlmi_jfail(p->x, "can not assign to a constant");
        if (n && hlmi_jp_skip_op(p, '.')) {
            n->kind = JN_NSREF;
            n->b = hlmi_jp_node(p, JN_CONST, n->line);
            const jv attr = hlmi_jp_want_any_name(p);
            if (n->b) n->b->v = attr;
        }
    } else if (hlmi_jp_skip_op(p, '(')) {
        n = tuple_of(p, target_item, NULL, true);
        hlmi_jp_want_op(p, ')');
    } else {
        hlmi_jp_unexpected(p);
    }
    p->depth--;
    return n;
}

static bool has_nsref(const jnode *n)
{
    if (n->kind == JN_NSREF) return true;
    for (const jnode *i = n->kind == JN_TUPLE ? n->a : NULL; i; i = i->next)
        if (has_nsref(i)) return true;
    return false;
}

jnode *hlmi_jp_target(parser *p, const char *end_name, bool namespaces)
{
    const uint16_t uses = p->uses;
    jnode *n = tuple_of(p, target_item, end_name, false);
    p->uses = uses; /* being assigned to is no use */
    if (p->x->st == HLM_OK && !namespaces && has_nsref(n)) hlmi_jfail(p->x, "can not assign to an attribute here");
    return n;
}

/* ---- postfixes */

static jnode *slice_part(parser *p)
{
    if (hlmi_jp_op(p, ':') || hlmi_jp_op(p, ']') || hlmi_jp_op(p, ',')) return NULL;
    return hlmi_jp_expr(p, true);
}

static jnode *subscript(parser *p)
{
    jnode *first = slice_part(p);
    if (!hlmi_jp_op(p, ':')) {
        if (!first) hlmi_jp_unexpected(p);
        return first;
    }
    jnode *n = hlmi_jp_node(p, JN_SLICE, p->t->line);
    p->t++;
    if (!n) return NULL;
    n->a = first;
    n->b = slice_part(p);
    if (hlmi_jp_skip_op(p, ':')) n->c = slice_part(p);
    return hlmi_jp_deep(p, n);
}

static jnode *item(parser *p, jnode *of)
{
    jnode *n = hlmi_jp_node(p, JN_ITEM, p->t->line);
    jlist list = {.last = &list.first};
    while (p->x->st == HLM_OK && !hlmi_jp_op(p, ']')) {
        if (list.n) hlmi_jp_want_op(p, ',');
        hlmi_jp_push(&list, subscript(p));
    }
    hlmi_jp_want_op(p, ']');
    if (!n) return NULL;
    n->a = of;
    n->b = list.first;
    if (list.n != 1) {
        n->b = hlmi_jp_node(p, JN_TUPLE, n->line);
        if (!n->b) return NULL;
        n->b->a = list.first;
        n->b = hlmi_jp_deep(p, n->b);
    }
    return hlmi_jp_deep(p, n);
}

static jnode *attribute(parser *p, jnode *of)
{
    jnode *n = hlmi_jp_node(p, JN_ATTR, p->t->line);
    if (!n) return NULL;
    n->a = of;
    if (p->t->kind == JT_NAME) {
        n->v = p->t->v;
    } else if (p->t->kind == JT_INT) {
        n->kind = JN_ITEM;
        n->b = hlmi_jp_node(p, JN_CONST, n->line);
        if (!n->b) return NULL;
        n->b->v = p->t->v;
    } else {
        hlmi_jp_unexpected(p);
    }
    p->t++;
    return hlmi_jp_deep(p, n);
}

/* Arguments behind "(", in the order that Python demands. */
static jnode *arguments(parser *p)
{
    jlist list = {.last = &list.first};
    jn_kind stage = JN_CONST;
    while (p->x->st == HLM_OK && !hlmi_jp_op(p, ')')) {
        if (list.n) hlmi_jp_want_op(p, ',');
        if (hlmi_jp_op(p, ')')) break;
        jn_kind kind = JN_CONST;
        jnode *n = hlmi_jp_node(p, kind, p->t->line);
        if (!n) return NULL;
        if (hlmi_jp_skip_op(p, '*')) kind = JN_STAR;
        else if (hlmi_jp_skip_op(p, JT_OP2('*', '*'))) kind = JN_STAR2;
        else if (p->t->kind == JT_NAME && p->t[1].kind == JT_OP && p->t[1].op == '=') {
            kind = JN_KEYWORD;
            n->v = p->t->v;
            p->t += 2;
        }
        const bool late = kind == JN_CONST ? stage != JN_CONST : kind == JN_STAR ? stage >= JN_STAR : stage == JN_STAR2;
        if (late) hlmi_jfail(p->x, "arguments of a call are in the wrong order");
        if (stage < kind || kind == JN_STAR2) stage = kind;
        n->kind = (uint8_t)kind;
        n->a = hlmi_jp_expr(p, true);
        hlmi_jp_push(&list, kind == JN_CONST ? n->a : hlmi_jp_deep(p, n));
    }
    hlmi_jp_want_op(p, ')');
    return list.first;
}

static jnode *call(parser *p, jnode *f)
{
    jnode *n = hlmi_jp_node(p, JN_CALL, p->t->line);
    jnode *args = arguments(p);
    if (!n) return NULL;
    n->a = f;
    n->args = args;
    return hlmi_jp_deep(p, n);
}

static jnode *postfix(parser *p, jnode *n)
{
    while (p->x->st == HLM_OK) {
        if (hlmi_jp_skip_op(p, '.')) n = attribute(p, n);
        else if (hlmi_jp_skip_op(p, '[')) n = item(p, n);
        else if (hlmi_jp_skip_op(p, '(')) n = call(p, n);
        else break;
    }
    return n;
}

/* A name that may have dots in it, of a filter or test. */
static jv dotted(parser *p)
{
    jv name = hlmi_jp_want_any_name(p);
    while (hlmi_jp_skip_op(p, '.')) {
        name = hlmi_jconcat(p->x, name, jv_lit("."));
        name = hlmi_jconcat(p->x, name, hlmi_jp_want_any_name(p));
    }
    return name;
}

jnode *hlmi_jp_filters(parser *p, jnode *node, bool inline_first)
{
    while (p->x->st == HLM_OK && (inline_first || hlmi_jp_skip_op(p, '|'))) {
        inline_first = false;
        jnode *n = hlmi_jp_node(p, JN_FILTER, p->t->line);
        if (!n) return NULL;
        n->v = dotted(p);
        n->desc = hlmi_jfilter(n->v);
        if (hlmi_jp_skip_op(p, '(')) n->args = arguments(p);
        n->a = node;
        node = hlmi_jp_deep(p, n);
    }
    return node;
}

static jnode *test(parser *p, jnode *of)
{
    const bool negated = hlmi_jp_skip_name(p, "not");
    jnode *n = hlmi_jp_node(p, JN_TEST, p->t->line);
    if (!n) return NULL;
    n->v = dotted(p);
    n->desc = hlmi_jtest(n->v);
    n->a = of;
    const jtok *t = p->t;
    const bool starts = t->kind == JT_NAME || t->kind == JT_STRING || t->kind == JT_INT || t->kind == JT_FLOAT ||
        hlmi_jp_op(p, '[') || hlmi_jp_op(p, '{');
    if (hlmi_jp_skip_op(p, '(')) {
        n->args = arguments(p);
    } else if (starts && !hlmi_jp_name(p, "else") && !hlmi_jp_name(p, "or") && !hlmi_jp_name(p, "and")) {
        if (hlmi_jp_name(p, "is")) hlmi_jfail(p->x, "tests can not be chained with \"is\"");
        n->args = postfix(p, primary(p));
    }
    n = hlmi_jp_deep(p, n);
    if (!negated || !n) return n;
    jnode *not = hlmi_jp_node(p, JN_UNARY, n->line);
    if (!not ) return NULL;
    not ->op = '!';
    not ->a = n;
    return hlmi_jp_deep(p, not );
}

static jnode *filtered(parser *p, jnode *n)
{
    while (p->x->st == HLM_OK) {
        if (hlmi_jp_op(p, '|')) n = hlmi_jp_filters(p, n, false);
        else if (hlmi_jp_skip_name(p, "is")) n = test(p, n);
        else if (hlmi_jp_skip_op(p, '(')) n = call(p, n);
        else break;
    }
    return n;
}

static jnode *unary(parser *p, bool filters)
{
    if (!hlmi_jp_enter(p)) return NULL;
    jnode *n;
    if (hlmi_jp_op(p, '-') || hlmi_jp_op(p, '+')) {
        n = hlmi_jp_node(p, JN_UNARY, p->t->line);
        const uint16_t op = (p->t++)->op;
        jnode *a = unary(p, false);
        if (n) {
            n->op = op;
            n->a = a;
            n = hlmi_jp_deep(p, n);
        }
    } else {
        n = primary(p);
    }
    n = postfix(p, n);
    if (filters) n = filtered(p, n);
    p->depth--;
    return n;
}
