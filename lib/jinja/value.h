/* Values of the template language: what Python objects are to Jinja2.
 *
 * Vocabulary: `jv` is a value (16 bytes, passed by value; what it points to lies in an arena), `jx` is a running
 * interpreter (see run.h). Strings, lists and dictionaries never change once made, as in Jinja's immutable sandbox, so
 * they may share memory and can not form cycles; only namespaces and loop state are mutable. */
#ifndef HLMI_JINJA_VALUE_H
#define HLMI_JINJA_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum {
    JV_MISSING, /* an argument that was not given; never seen by templates */
    JV_UNDEF,
    JV_NONE,
    JV_BOOL,
    JV_INT,
    JV_BIG, /* an integer literal wider than 64 bits, kept as its decimal digits */
    JV_FLOAT,
    JV_STR,
    JV_LIST,
    JV_TUPLE,
    JV_DICT,
    JV_RANGE,
    JV_GEN, /* a one-pass iterator: what generators are to Python */
    JV_KEYS, /* the three dictionary views */
    JV_VALUES,
    JV_ITEMS,
    JV_NS,
    JV_LOOP,
    JV_MACRO,
    JV_FUNC, /* a global function */
    JV_METHOD, /* a function bound to its object */
    JV_CYCLER,
    JV_JOINER,
    JV_SELF
} jv_kind;

enum {
    JV_SAFE = 1, /* of JV_STR: markup that is escaped already */
    JV_GROUP = 2, /* of JV_TUPLE: (grouper, list) of groupby */
    JV_UNSAFE = 4 /* of JV_UNDEF: an attribute that the sandbox hides */
};

typedef struct jv jv;
typedef struct jdict jdict;
typedef struct jrange jrange;
typedef struct jgen jgen;
typedef struct jmethod jmethod;
typedef struct jmacro jmacro;
typedef struct jloop jloop;
typedef struct jcycler jcycler;
typedef struct jundef jundef;
typedef struct jdesc jdesc;

struct jv {
    uint8_t kind; /* jv_kind */
    uint8_t flags;
    uint32_t n; /* bytes of a string, items of a list or tuple */
    union {
        bool b;
        int64_t i;
        double f;
        const char *s; /* [n] UTF-8, not terminated */
        const jv *at; /* [n] */
        jdict *dict; /* dictionaries, views, namespaces */
        const jrange *range;
        jgen *gen;
        jloop *loop;
        const jmacro *macro;
        const jmethod *method;
        const jdesc *func;
        jcycler *cycler; /* cyclers and joiners */
        const jundef *undef; /* NULL: nothing known about it */
    } u;
};

typedef struct jent {
    jv key, val;
    uint64_t hash;
} jent;

/** Keeps the order in which keys were added. */
struct jdict {
    jent *at;
    uint32_t n, cap;
    uint32_t *slot; /* open addressing, entry number + 1; NULL while small */
    uint32_t slots;
};

struct jrange {
    int64_t start, stop, step;
    uint64_t count;
};

/** Why a value is undefined, for the error sentence. */
struct jundef {
    jv name; /* what was asked for */
    jv of; /* the object that lacks it, JV_MISSING for a variable */
};

struct jcycler {
    const jv *at;
    size_t n, pos;
    jv sep; /* of a joiner */
};

static inline jv jv_none(void)
{
    return (jv){.kind = JV_NONE};
}
static inline jv jv_missing(void)
{
    return (jv){.kind = JV_MISSING};
}
static inline jv jv_bool(bool b)
{
    return (jv){.kind = JV_BOOL, .u.b = b};
}
static inline jv jv_int(int64_t i)
{
    return (jv){.kind = JV_INT, .u.i = i};
}
static inline jv jv_float(double f)
{
    return (jv){.kind = JV_FLOAT, .u.f = f};
}
static inline jv jv_str(const char *s, size_t n)
{
    return (jv){.kind = JV_STR, .n = (uint32_t)n, .u.s = s};
}
static inline jv jv_lit(const char *s)
{
    return jv_str(s, strlen(s));
}
static inline jv jv_seq(jv_kind kind, const jv *at, size_t n)
{
    return (jv){.kind = (uint8_t)kind, .n = (uint32_t)n, .u.at = at};
}
static inline jv jv_dict(jv_kind kind, jdict *d)
{
    return (jv){.kind = (uint8_t)kind, .u.dict = d};
}

static inline bool jv_is_seq(jv v)
{
    return v.kind == JV_LIST || v.kind == JV_TUPLE;
}
static inline bool jv_given(jv v)
{
    return v.kind != JV_MISSING;
}
static inline bool jv_is_intlike(jv v)
{
    return v.kind == JV_INT || v.kind == JV_BOOL;
}
static inline int64_t jv_intval(jv v)
{
    return v.kind == JV_BOOL ? v.u.b : v.u.i;
}
static inline bool jv_is_number(jv v)
{
    return v.kind == JV_INT || v.kind == JV_BOOL || v.kind == JV_FLOAT || v.kind == JV_BIG;
}
static inline bool jv_eq_lit(jv v, const char *s)
{
    return v.kind == JV_STR && v.n == strlen(s) && memcmp(v.u.s, s, v.n) == 0;
}
static inline bool jv_same_text(jv a, jv b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.u.s, b.u.s, a.n) == 0);
}

#endif
