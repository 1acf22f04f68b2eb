/* What the two halves of the parser share: parser.c (statements) and parse_expr.c (expressions). */
#ifndef HLMI_JINJA_PARSER_H
#define HLMI_JINJA_PARSER_H

#include "jinja/ast.h"
#include "jinja/lexer.h"

typedef struct parser {
    jx *x;
    const jtok *t; /* the current token */
    uint32_t depth; /* of recursion */
    uint16_t uses; /* JM_ bits of the macro body at work */
    uint32_t loops; /* loops around the current statement, for break and continue */
} parser;

/** A list that keeps its end. */
typedef struct jlist {
    jnode *first, **last;
    size_t n;
} jlist;

jnode *hlmi_jp_node(parser *p, jn_kind kind, uint32_t line);
void hlmi_jp_push(jlist *l, jnode *n);
/** Notes the depth of a child; fails when the tree grows too deep. */
jnode *hlmi_jp_deep(parser *p, jnode *n);
bool hlmi_jp_enter(parser *p);
bool hlmi_jp_op(const parser *p, uint16_t op);
bool hlmi_jp_name(const parser *p, const char *name);
bool hlmi_jp_skip_op(parser *p, uint16_t op);
bool hlmi_jp_skip_name(parser *p, const char *name);
void hlmi_jp_want_op(parser *p, uint16_t op);
void hlmi_jp_want_name(parser *p, const char *name);
jv hlmi_jp_want_any_name(parser *p);
void hlmi_jp_unexpected(parser *p);

jnode *hlmi_jp_expr(parser *p, bool cond);
/** end_name: a name that ends the tuple too, or NULL. */
jnode *hlmi_jp_tuple(parser *p, bool cond, const char *end_name);
jnode *hlmi_jp_target(parser *p, const char *end_name, bool namespaces);
/** Filters behind the current token; node NULL makes a filter block's chain. */
jnode *hlmi_jp_filters(parser *p, jnode *node, bool inline_first);

#endif
