/* The running interpreter and what every file of it shares.
 *
 * Errors are sticky: the first failure sets x->st and the sentence, functions then return none and do no harm, and
 * loops end when they see x->st. So code checks once per loop or before it uses a result for more than a value. */
#ifndef HLMI_JINJA_RUN_H
#define HLMI_JINJA_RUN_H

#include "base/status.h"
#include "jinja/arena.h"
#include "jinja/value.h"

/* Where this function's frame is: not a local's address, which sanitizers put elsewhere. */
#if defined(__GNUC__)
#  define HLMI_FRAME() ((uintptr_t)__builtin_frame_address(0))
#else
#  define HLMI_FRAME() ((uintptr_t)_AddressOfReturnAddress())
#endif

/* Budgets. Steps grow with the input, so that long conversations render while small hostile ones end within 100 ms. */
enum {
    HLMI_JINJA_TREE_DEPTH = 160, /* of the syntax tree */
    HLMI_JINJA_RUN_DEPTH = 800, /* of nested evaluation, macros included */
    HLMI_JINJA_DATA_DEPTH = 200, /* of JSON and of values that are printed or compared */
    HLMI_JINJA_STACK = 72 << 10, /* bytes of the thread's stack that all of it may take */
    HLMI_JINJA_STEPS = 1000000,
    HLMI_JINJA_STEPS_PER_BYTE = 32,
    HLMI_JINJA_MEMORY = 32 << 20,
    HLMI_JINJA_MEMORY_PER_BYTE = 256,
    HLMI_JINJA_TEMPLATE_MAX = 4 << 20, /* bytes of a template's source */
    HLMI_JINJA_TREE_MEMORY = 256 << 20
};

typedef struct jvar jvar;
typedef struct jscope jscope;
typedef struct jsb jsb;

struct jvar {
    jv name, val;
    jvar *next;
};

struct jscope {
    jscope *up;
    jvar *vars;
};

typedef struct jx {
    hlmi_arena *arena;
    hlm_status st;
    uint32_t line; /* of the statement at work, for error sentences */
    uint32_t depth;
    uintptr_t stack; /* where the call's frames begin: HLMI_FRAME of the first */
    uint64_t steps; /* left */
    jscope *scope;
    jsb *out; /* where output goes: the result or a capture */
    int64_t now; /* seconds since 1970 UTC */

    /* for trust.c */
    bool trusted; /* characters that are made now are the template's own */
    const hlmi_arena *source; /* of the template */
} jx;

/** A string that grows in the arena. */
struct jsb {
    jx *x;
    char *p;
    size_t n, cap;
};

/** Arguments of a call. */
typedef struct jkw {
    jv name, val;
} jkw;
typedef struct jargs {
    const jv *at;
    size_t n;
    const jkw *kw;
    size_t nkw;
} jargs;

enum { JFN_ARGS = 8 }; /* most parameters of a described function */

/** p[0] is the object or the filtered value (JV_MISSING for globals), p[1...] the parameters by position, JV_MISSING
 *  where absent. `a`: all arguments as given. */
typedef jv jfn(jx *x, const jv *p, const jargs *a);

/** A filter, test, method or global function. */
struct jdesc {
    const char *name;
    jfn *fn;
    uint8_t need; /* parameters that must be given */
    const char *params; /* names by position, separated by spaces; "-" can not be
                           given by name; NULL: any arguments, read from `a` */
};

struct jmethod {
    const jdesc *desc;
    jv self;
};

/* ---- errors and budgets (run.c) */
jv hlmi_jfail(jx *x, const char *fmt, ...) HLMI_PRINTF(2, 3);
jv hlmi_jlimit(jx *x, const char *what);
/** Spend `cost` steps; false when the budget is gone or something failed before. */
bool hlmi_jstep(jx *x, size_t cost);
/** One level deeper; false past the depth budget. Pair with hlmi_jleave when true. */
bool hlmi_jenter(jx *x);
void hlmi_jleave(jx *x);
/** Is there stack for one more level? Whatever calls itself asks. Fails past the budget. */
bool hlmi_jstack(jx *x);
void *hlmi_jalloc(jx *x, size_t n); /* NULL: x->st is set */
jv *hlmi_jalloc_values(jx *x, size_t n);

/* ---- strings that grow (run.c) */
static inline jsb jsb_new(jx *x)
{
    return (jsb){.x = x};
}
void hlmi_jsb_add(jsb *b, const char *p, size_t n);
void hlmi_jsb_char(jsb *b, char c);
void hlmi_jsb_lit(jsb *b, const char *s);
void hlmi_jsb_fill(jsb *b, char c, size_t n);
void hlmi_jsb_utf8(jsb *b, uint32_t cp);
jv hlmi_jsb_done(jsb *b);
jv hlmi_jconcat(jx *x, jv a, jv b);

/* ---- variables (run.c) */
jscope *hlmi_jscope_push(jx *x);
void hlmi_jset(jx *x, jscope *s, jv name, jv val);
/** JV_MISSING when no scope and no global has it. */
jv hlmi_jget(jx *x, const jscope *s, jv name);
const jdesc *hlmi_jglobal(jv name); /* globals.c */

/* ---- calls (call.c) */
jv hlmi_jcall(jx *x, jv f, const jargs *a);
jv hlmi_jcall_desc(jx *x, const jdesc *d, jv self, const jargs *a);
const jdesc *hlmi_jfind(const jdesc *table, size_t n, jv name);
const jdesc *hlmi_jfilter(jv name); /* filters.c */
const jdesc *hlmi_jtest(jv name); /* tests.c */
/** All of them by number, for tests that want a case for each; NULL behind the last. */
const jdesc *hlmi_jfilter_at(size_t i);
const jdesc *hlmi_jtest_at(size_t i);
const jdesc *hlmi_jglobal_at(size_t i);
const jdesc *hlmi_jmethod_at(size_t i, const char **of); /* methods.c */

#endif
