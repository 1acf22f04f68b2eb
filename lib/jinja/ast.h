/* The syntax tree: immutable once parsed, shared by all renderings. */
#ifndef HLMI_JINJA_AST_H
#define HLMI_JINJA_AST_H

#include "jinja/run.h"

typedef enum {
    /* expressions */
    JN_CONST, /* v */
    JN_NAME, /* v: name */
    JN_TUPLE, /* a...: items */
    JN_LIST, /* a...: items */
    JN_DICT, /* a...: key, value, key, value */
    JN_ATTR, /* a.v */
    JN_ITEM, /* a[b] */
    JN_SLICE, /* inside b of JN_ITEM: a:b:c, each may be NULL */
    JN_CALL, /* a(args) */
    JN_FILTER, /* a | v(args); a is NULL in filter blocks */
    JN_TEST, /* a is v(args) */
    JN_UNARY, /* op a; op is '-', '+' or '!' for not */
    JN_BINARY, /* a op b */
    JN_AND,
    JN_OR,
    JN_CONCAT, /* a... joined as text */
    JN_COMPARE, /* a, then JN_OPERAND in b... */
    JN_OPERAND, /* op a; 'i' is in, 'n' is not in */
    JN_COND, /* b if a else c (may be NULL) */
    JN_KEYWORD, /* v=a, in args */
    JN_STAR, /* *a, in args */
    JN_STAR2, /* **a, in args */
    JN_NSREF, /* v.b->v as a target of set */
    /* statements */
    JN_DATA, /* v: text */
    JN_PRINT, /* a */
    JN_FOR, /* a: target, b: iterable, c: filter, body, other: else; op: recursive */
    JN_IF, /* a: condition, body, other: else; op: other is an elif, one JN_IF */
    JN_SET, /* a = b */
    JN_SETBLOCK, /* a, filter b (may be NULL), body */
    JN_MACRO, /* v: name, args: params as JN_KEYWORD (a NULL: no default), body */
    JN_CALLBLOCK, /* a: call, b: JN_MACRO of the body */
    JN_FILTERBLOCK, /* a: filter, body */
    JN_WITH, /* a...: target, value, target, value; body */
    JN_SCOPE, /* body, in a scope of its own */
    JN_BREAK,
    JN_CONTINUE,
    JN_REFUSED /* v: why; include and the like, which need files */
} jn_kind;

enum { /* JN_MACRO's op: special names its body uses */
       JM_CALLER = 1,
       JM_VARARGS = 2,
       JM_KWARGS = 4
};

typedef struct jnode jnode;
struct jnode {
    uint8_t kind;
    uint16_t op;
    uint16_t depth; /* of the tree below */
    uint32_t line;
    jv v;
    const jdesc *desc; /* of JN_FILTER and JN_TEST; NULL: no such thing */
    jnode *a, *b, *c, *args, *body, *other;
    jnode *next; /* in a list */
};

/** Parse the whole source; NULL with x->st set. *root may be NULL for an empty one. */
bool hlmi_jparse(jx *x, const char *src, size_t n, jnode **root);

/** Fails for a filter or test that does not exist where rendering always reaches it (check.c). */
bool hlmi_jcheck(jx *x, const jnode *root);
/** Fails saying that the filter or test n does not exist. */
jv hlmi_jno_such(jx *x, const jnode *n);

#endif
