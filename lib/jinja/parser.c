/* Statements, and the helpers of both halves of the parser. */
#include "jinja/parser.h"

static jnode *statements(parser *p, const char *const *ends, size_t n_ends);

/* ---- helpers */

jnode *hlmi_jp_node(parser *p, jn_kind kind, uint32_t line)
{
    if (p->x->st != HLM_OK) return NULL;
    jnode *n = hlmi_jalloc(p->x, sizeof *n);
    if (n) *n = (jnode){.kind = (uint8_t)kind, .line = line};
    return n;
}

void hlmi_jp_push(jlist *l, jnode *n)
{
    if (!n) return;
    *l->last = n;
    l->last = &n->next;
    l->n++;
}

static uint16_t list_depth(const jnode *n)
{
    uint16_t d = 0;
    for (; n; n = n->next)
        if (n->depth > d) d = n->depth;
    return d;
}

jnode *hlmi_jp_deep(parser *p, jnode *n)
{
    if (!n) return NULL;
    const jnode *const kids[] = {n->a, n->b, n->c, n->args, n->body, n->other};
    uint16_t d = 0;
    for (size_t i = 0; i < sizeof kids / sizeof *kids; i++) {
        const uint16_t k = list_depth(kids[i]);
        if (k > d) d = k;
    }
    n->depth = (uint16_t)(d + 1);
    if (d < HLMI_JINJA_TREE_DEPTH) return n;
    p->x->line = n->line;
    hlmi_jlimit(p->x, "is nested too deeply");
    return NULL;
}

bool hlmi_jp_enter(parser *p)
{
    if (p->x->st != HLM_OK) return false;
    p->x->line = p->t->line;
    if (!hlmi_jstack(p->x)) return false;
    if (p->depth < HLMI_JINJA_TREE_DEPTH) {
        p->depth++;
        return true;
    }
    hlmi_jlimit(p->x, "is nested too deeply");
    return false;
}

bool hlmi_jp_op(const parser *p, uint16_t op)
{
    return p->t->kind == JT_OP && p->t->op == op;
}

bool hlmi_jp_name(const parser *p, const char *name)
{
    return p->t->kind == JT_NAME && jv_eq_lit(p->t->v, name);
}

bool hlmi_jp_skip_op(parser *p, uint16_t op)
{
    if (!hlmi_jp_op(p, op)) return false;
    p->t++;
    return true;
}

bool hlmi_jp_skip_name(parser *p, const char *name)
{
    if (!hlmi_jp_name(p, name)) return false;
    p->t++;
    return true;
}

/* A token as the template's author wrote it. */
static jv describe(const jtok *t, char buf[2])
{
    switch (t->kind) {
    case JT_EOF: return jv_lit("end of the template");
    case JT_DATA: return jv_lit("text");
    case JT_PRINT_BEGIN: return jv_lit("{{");
    case JT_PRINT_END: return jv_lit("}}");
    case JT_BLOCK_BEGIN: return jv_lit("{%");
    case JT_BLOCK_END: return jv_lit("%}");
    case JT_NAME: return t->v;
    case JT_OP:
        buf[0] = (char)(t->op > 0xFF ? t->op >> 8 : t->op);
        buf[1] = (char)(t->op & 0xFF);
        return jv_str(buf, t->op > 0xFF ? 2 : 1);
    default: return jv_lit(t->kind == JT_STRING ? "string" : "number");
    }
}

void hlmi_jp_unexpected(parser *p)
{
    char buf[2];
    const jv s = describe(p->t, buf);
    p->x->line = p->t->line;
    hlmi_jfail(p->x, "unexpected '%.*s'", (int)(s.n < 80 ? s.n : 80), s.u.s);
}

static void want(parser *p, bool there, const char *what)
{
    if (p->x->st != HLM_OK) return;
    if (there) {
        p->t++;
        return;
    }
    char buf[2];
    const jv s = describe(p->t, buf);
    p->x->line = p->t->line;
    hlmi_jfail(p->x, "expected '%s', got '%.*s'", what, (int)(s.n < 80 ? s.n : 80), s.u.s);
}

void hlmi_jp_want_op(parser *p, uint16_t op)
{
    const char text[] = {(char)(op > 0xFF ? op >> 8 : op), (char)(op > 0xFF ? op & 0xFF : 0), '\0'};
    want(p, hlmi_jp_op(p, op), text);
}

void hlmi_jp_want_name(parser *p, const char *name)
{
    want(p, hlmi_jp_name(p, name), name);
}

jv hlmi_jp_want_any_name(parser *p)
{
    const jv v = p->t->v;
    const bool ok = p->t->kind == JT_NAME;
    want(p, ok, "a name");
    return ok ? v : jv_lit("");
}

/* ---- bodies */

/* The statements up to a tag named by one of `ends`, whose name is left as the current token. */
static jnode *body_to(parser *p, const char *const *ends, size_t n_ends)
{
    want(p, p->t->kind == JT_BLOCK_END, "%}");
    return statements(p, ends, n_ends);
}

static jnode *body(parser *p, const char *end)
{
    jnode *n = body_to(p, &end, 1);
    hlmi_jp_want_name(p, end);
    return n;
}

/* A body whose `break` and `continue` can not reach a loop outside. */
static jnode *closed_body(parser *p, const char *end)
{
    const uint32_t loops = p->loops;
    p->loops = 0;
    jnode *n = body(p, end);
    p->loops = loops;
    return n;
}

/* ---- statements */

static jnode *parse_for(parser *p, jnode *n)
{
    static const char *const ends[] = {"endfor", "else"};
    n->kind = JN_FOR;
    n->a = hlmi_jp_target(p, "in", false);
    hlmi_jp_want_name(p, "in");
    n->b = hlmi_jp_tuple(p, false, "recursive");
    if (hlmi_jp_skip_name(p, "if")) n->c = hlmi_jp_expr(p, true);
    n->op = hlmi_jp_skip_name(p, "recursive");
    p->loops++;
    n->body = body_to(p, ends, 2);
    p->loops--;
    if (hlmi_jp_skip_name(p, "else")) n->other = body(p, "endfor");
    else hlmi_jp_want_name(p, "endfor");
    return n;
}

/* elif makes a JN_IF in `other`; a chain of them is as deep as it is long only in memory: the evaluator walks it in a
 * loop. */
static jnode *parse_if(parser *p, jnode *first)
{
    static const char *const ends[] = {"elif", "else", "endif"};
    jnode *n = first;
    uint16_t depth = 0;
    while (p->x->st == HLM_OK) {
        n->kind = JN_IF;
        n->a = hlmi_jp_tuple(p, false, NULL);
        n->body = body_to(p, ends, 3);
        if (!hlmi_jp_deep(p, n)) return NULL;
        if (n->depth > depth) depth = n->depth;
        if (hlmi_jp_skip_name(p, "elif")) {
            n->op = 1;
            n->other = hlmi_jp_node(p, JN_IF, p->t->line);
            n = n->other;
            if (n) continue;
            return NULL;
        }
        if (!hlmi_jp_skip_name(p, "else")) break;
        n->other = body(p, "endif");
        const uint16_t d = (uint16_t)(list_depth(n->other) + 1);
        if (d > depth) depth = d;
        first->depth = depth;
        return first;
    }
    hlmi_jp_want_name(p, "endif");
    first->depth = depth;
    return first;
}

static jnode *parse_set(parser *p, jnode *n)
{
    n->a = hlmi_jp_target(p, NULL, true);
    if (hlmi_jp_skip_op(p, '=')) {
        n->kind = JN_SET;
        n->b = hlmi_jp_tuple(p, true, NULL);
        return n;
    }
    n->kind = JN_SETBLOCK;
    n->b = hlmi_jp_filters(p, NULL, false);
    n->body = closed_body(p, "endset");
    return n;
}

/* Parameters behind "(" as JN_KEYWORD nodes, a NULL where there is no default. */
static jnode *signature(parser *p)
{
    jlist list = {.last = &list.first};
    bool defaults = false;
    hlmi_jp_want_op(p, '(');
    while (p->x->st == HLM_OK && !hlmi_jp_op(p, ')')) {
        if (list.n) hlmi_jp_want_op(p, ',');
        jnode *n = hlmi_jp_node(p, JN_KEYWORD, p->t->line);
        const jv name = hlmi_jp_want_any_name(p);
        if (!n) return NULL;
        n->v = name;
        if (hlmi_jp_skip_op(p, '=')) {
            n->a = hlmi_jp_expr(p, true);
            defaults = true;
        } else if (defaults) {
            hlmi_jfail(p->x, "a parameter without default follows one with a default");
        }
        hlmi_jp_push(&list, hlmi_jp_deep(p, n));
    }
    hlmi_jp_want_op(p, ')');
    return list.first;
}

/* Body of a macro or call block; notes which special names it uses. */
static void macro_body(parser *p, jnode *n, const char *end)
{
    const uint16_t outer = p->uses;
    p->uses = 0;
    n->body = closed_body(p, end);
    n->op = p->uses;
    p->uses |= outer;
}

static jnode *parse_macro(parser *p, jnode *n)
{
    n->kind = JN_MACRO;
    n->v = hlmi_jp_want_any_name(p);
    n->args = signature(p);
    macro_body(p, n, "endmacro");
    return n;
}

static jnode *parse_call(parser *p, jnode *n)
{
    n->kind = JN_CALLBLOCK;
    n->b = hlmi_jp_node(p, JN_MACRO, n->line);
    if (!n->b) return NULL;
    n->b->v = jv_lit("caller");
    if (hlmi_jp_op(p, '(')) n->b->args = signature(p);
    n->a = hlmi_jp_expr(p, true);
    if (n->a && n->a->kind != JN_CALL) hlmi_jfail(p->x, "a call block needs a call");
    macro_body(p, n->b, "endcall");
    n->b = hlmi_jp_deep(p, n->b);
    return n;
}

static jnode *parse_filter(parser *p, jnode *n)
{
    n->kind = JN_FILTERBLOCK;
    n->a = hlmi_jp_filters(p, NULL, true);
    n->body = closed_body(p, "endfilter");
    return n;
}

static jnode *parse_with(parser *p, jnode *n)
{
    jlist list = {.last = &list.first};
    n->kind = JN_WITH;
    while (p->x->st == HLM_OK && p->t->kind != JT_BLOCK_END) {
        if (list.n) hlmi_jp_want_op(p, ',');
        hlmi_jp_push(&list, hlmi_jp_target(p, NULL, false));
        hlmi_jp_want_op(p, '=');
        hlmi_jp_push(&list, hlmi_jp_expr(p, true));
    }
    n->a = list.first;
    n->body = body(p, "endwith");
    return n;
}

static jnode *parse_block(parser *p, jnode *n)
{
    n->kind = JN_SCOPE;
    const jv name = hlmi_jp_want_any_name(p);
    hlmi_jp_skip_name(p, "scoped");
    hlmi_jp_skip_name(p, "required");
    n->body = closed_body(p, "endblock");
    if (p->t->kind == JT_NAME && jv_same_text(p->t->v, name)) p->t++;
    return n;
}

/* The tag that marks what the assistant said, of transformers' own. */
static jnode *parse_generation(parser *p, jnode *n)
{
    n->kind = JN_SCOPE;
    n->body = closed_body(p, "endgeneration");
    return n;
}

static jnode *parse_autoescape(parser *p, jnode *n)
{
    n->kind = JN_SCOPE;
    const jnode *on = hlmi_jp_expr(p, true);
    n->body = body(p, "endautoescape");
    if (on && !(on->kind == JN_CONST && on->v.kind == JV_BOOL && !on->v.u.b)) {
        n->kind = JN_REFUSED;
        n->v = jv_lit("autoescape can not be turned on");
    }
    return n;
}

static jnode *parse_print(parser *p, jnode *n)
{
    jlist list = {.last = &list.first};
    n->kind = JN_SCOPE;
    while (p->x->st == HLM_OK && p->t->kind != JT_BLOCK_END) {
        if (list.n) hlmi_jp_want_op(p, ',');
        jnode *i = hlmi_jp_node(p, JN_PRINT, p->t->line);
        if (!i) return NULL;
        i->a = hlmi_jp_expr(p, true);
        hlmi_jp_push(&list, hlmi_jp_deep(p, i));
    }
    n->body = list.first;
    return n;
}

static jnode *parse_jump(parser *p, jnode *n)
{
    n->kind = jv_eq_lit(p->t[-1].v, "break") ? JN_BREAK : JN_CONTINUE;
    if (p->loops == 0) hlmi_jfail(p->x, "'break' or 'continue' outside a loop");
    return n;
}

/* include, import and the like: there are no other templates to reach. */
static jnode *parse_refused(parser *p, jnode *n)
{
    n->kind = JN_REFUSED;
    n->v = jv_lit("a chat template can not load other templates");
    while (p->t->kind != JT_BLOCK_END && p->t->kind != JT_EOF) p->t++;
    return n;
}

static const struct {
    const char *name;
    jnode *(*parse)(parser *p, jnode *n);
} statement_table[] = {
    {"for", parse_for},
    {"if", parse_if},
    {"set", parse_set},
    {"macro", parse_macro},
    {"call", parse_call},
    {"filter", parse_filter},
    {"with", parse_with},
    {"block", parse_block},
    {"generation", parse_generation},
    {"autoescape", parse_autoescape},
    {"print", parse_print},
    {"break", parse_jump},
    {"continue", parse_jump},
    {"include", parse_refused},
    {"import", parse_refused},
    {"from", parse_refused},
    {"extends", parse_refused},
};

static jnode *statement(parser *p)
{
    for (size_t i = 0; i < sizeof statement_table / sizeof *statement_table; i++) {
        if (!hlmi_jp_name(p, statement_table[i].name)) continue;
        jnode *n = hlmi_jp_node(p, JN_SCOPE, p->t->line);
        p->t++;
        if (!n || !hlmi_jp_enter(p)) return NULL;
        n = statement_table[i].parse(p, n);
        p->depth--;
        if (!n || p->x->st != HLM_OK) return NULL;
        return n->kind == JN_IF ? n : hlmi_jp_deep(p, n);
    }
    if (p->t->kind == JT_NAME) {
        p->x->line = p->t->line;
        hlmi_jfail(p->x, "unknown tag '%.*s'", (int)(p->t->v.n < 80 ? p->t->v.n : 80), p->t->v.u.s);
    } else {
        hlmi_jp_unexpected(p);
    }
    return NULL;
}

static jnode *print(parser *p)
{
    jnode *n = hlmi_jp_node(p, JN_PRINT, p->t->line);
    p->t++;
    jnode *a = hlmi_jp_tuple(p, true, NULL);
    want(p, p->t->kind == JT_PRINT_END, "}}");
    if (!n) return NULL;
    n->a = a;
    return hlmi_jp_deep(p, n);
}

static bool is_end(const parser *p, const char *const *ends, size_t n_ends)
{
    for (size_t i = 0; i < n_ends; i++)
        if (hlmi_jp_name(p, ends[i])) return true;
    return false;
}

static jnode *statements(parser *p, const char *const *ends, size_t n_ends)
{
    jlist list = {.last = &list.first};
    while (p->x->st == HLM_OK && p->t->kind != JT_EOF) {
        if (p->t->kind == JT_DATA) {
            jnode *n = hlmi_jp_node(p, JN_DATA, p->t->line);
            if (n) n->v = p->t->v;
            hlmi_jp_push(&list, n);
            p->t++;
        } else if (p->t->kind == JT_PRINT_BEGIN) {
            hlmi_jp_push(&list, print(p));
        } else {
            p->t++;
            if (is_end(p, ends, n_ends)) return list.first;
            hlmi_jp_push(&list, statement(p));
            want(p, p->t->kind == JT_BLOCK_END, "%}");
        }
    }
    if (n_ends && p->x->st == HLM_OK) {
        p->x->line = p->t->line;
        hlmi_jfail(p->x, "the template ends before '%s'", ends[n_ends - 1]);
    }
    return list.first;
}

bool hlmi_jparse(jx *x, const char *src, size_t n, jnode **root)
{
    *root = NULL;
    parser p = {.x = x, .t = hlmi_jlex(x, src, n)};
    if (!p.t) return false;
    *root = statements(&p, NULL, 0);
    return x->st == HLM_OK && hlmi_jcheck(x, *root);
}
