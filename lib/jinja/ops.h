/* Python's operations on values. */
#ifndef HLMI_JINJA_OPS_H
#define HLMI_JINJA_OPS_H

#include "jinja/run.h"

/* ---- dictionaries (dict.c) */
jdict *hlmi_jdict_new(jx *x, size_t cap);
/** Sets or replaces; fails for keys that can not be hashed. */
void hlmi_jdict_set(jx *x, jdict *d, jv key, jv val);
/** NULL when absent. */
const jv *hlmi_jdict_get(jx *x, const jdict *d, jv key);
const jv *hlmi_jdict_lit(const jdict *d, const char *key);
bool hlmi_jhash(jx *x, jv v, uint64_t *out);

/* ---- comparing (compare.c) */
bool hlmi_jtruth(jv v);
bool hlmi_jequal(jx *x, jv a, jv b);
/** a < b, or a failure. */
bool hlmi_jless(jx *x, jv a, jv b);
bool hlmi_jless_equal(jx *x, jv a, jv b); /* a <= b */
bool hlmi_jcontains(jx *x, jv in, jv item);
bool hlmi_jsame(jv a, jv b); /* Python's `is` */

/* ---- arithmetic (arith.c) */
jv hlmi_jbinary(jx *x, uint16_t op, jv a, jv b);
jv hlmi_junary(jx *x, uint16_t op, jv a);

/* ---- attributes and items (attr.c) */
jv hlmi_jundef(jx *x, jv of, jv name);
/** Fails with the sentence that using an undefined value deserves. */
jv hlmi_juse_undef(jx *x, jv undef);
jv hlmi_jattr(jx *x, jv of, jv name); /* of.name */
jv hlmi_jitem(jx *x, jv of, jv key); /* of[key] */
jv hlmi_jslice(jx *x, jv of, jv start, jv stop, jv step);
/** A Python attribute (methods included) without falling back to items; JV_MISSING when there is none. */
jv hlmi_jpyattr(jx *x, jv of, jv name);
const char *hlmi_jtype(jv v);

/* ---- iterating (iter.c) */
typedef struct jiter {
    jv of;
    uint64_t i;
} jiter;
/** Fails when v can not be iterated. */
bool hlmi_jiter(jx *x, jv v, jiter *it);
/** false at the end, or after a failure. */
bool hlmi_jnext(jx *x, jiter *it, jv *out);
/** All items as a list, tuples and lists without copying. */
jv hlmi_jlist_of(jx *x, jv v);
/** Items counted without iterating: -1 when Python's len() would fail. */
int64_t hlmi_jlen(jv v);

typedef bool jgen_next(jx *x, jgen *g, jv *out);
struct jgen {
    jiter src;
    jgen_next *next; /* NULL: the items of src as they are */
    jv p[4]; /* what `next` needs */
    const jdesc *desc;
    jargs args;
    bool flag;
};
jv hlmi_jgen_new(jx *x, jv over, jgen_next *next, jgen **out);

/** A list being built. */
typedef struct jvec {
    jx *x;
    jv *at;
    size_t n, cap;
} jvec;
static inline jvec jvec_new(jx *x)
{
    return (jvec){.x = x};
}
void hlmi_jvec_add(jvec *v, jv item);
static inline jv jvec_done(const jvec *v, jv_kind kind)
{
    return v->x->st == HLM_OK ? jv_seq(kind, v->at, v->n) : jv_none();
}

/* ---- text (repr.c, tojson.c, fromjson.c, percent.c, format.c) */
jv hlmi_jtext(jx *x, jv v); /* str() */
void hlmi_jtext_to(jx *x, jsb *b, jv v);
void hlmi_jrepr_to(jx *x, jsb *b, jv v); /* repr() */
jv hlmi_jescape(jx *x, jv s); /* HTML, result marked safe */
jv hlmi_jpercent(jx *x, jv fmt, jv args);
jv hlmi_jformat(jx *x, jv fmt, const jargs *a);
/** One JSON text; HLM_E_FORMAT and HLM_E_LIMIT name `what`. */
jv hlmi_jfrom_json(jx *x, const char *text, size_t n, const char *what);

/* ---- loops (exec.c) and macros (call.c) as objects */
jv hlmi_jloop_attr(jx *x, jloop *l, jv name);
jv hlmi_jloop_recurse(jx *x, jloop *l, jv over);
jv hlmi_jloop_cycle(jx *x, jloop *l, const jargs *a);
jv hlmi_jloop_changed(jx *x, jloop *l, const jargs *a);
jv hlmi_jmacro_attr(jx *x, const jmacro *m, jv name);

/** An int argument: ints and bools; fails naming `what` otherwise. def when missing. */
int64_t hlmi_jint_arg(jx *x, jv v, int64_t def, const char *what);

#endif
