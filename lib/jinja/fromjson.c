/* JSON to values: what Python's json module would have given, integers of any width included. Their memory is the
 * arena's, so that its budget holds. */
#include "base/json.h"
#include "jinja/number.h"
#include "jinja/ops.h"

_Static_assert((int)HLMI_JSON_MESSAGES_DEPTH <= (int)HLMI_JINJA_DATA_DEPTH, "what is read can be printed");

typedef struct reader {
    jx *x;
    const char *text, *what;
    size_t n;
} reader;

static jv copy(jx *x, const char *s, size_t n)
{
    jsb b = jsb_new(x);
    hlmi_jsb_add(&b, s, n);
    return hlmi_jsb_done(&b);
}

/* The number at a place of the text: more than the reader's own numbers hold. */
static jv number(const reader *r, size_t at)
{
    size_t n = 0;
    bool whole = true;
    double f;
    for (; at + n < r->n && r->text[at + n] && strchr("+-0123456789.eEINafinty", r->text[at + n]); n++)
        whole = whole && !strchr(".eEIN", r->text[at + n]);
    const jv digits = copy(r->x, r->text + at, n);
    if (r->x->st != HLM_OK) return jv_none();
    if (whole) return hlmi_jdecimal(digits.u.s, n);
    if (hlmi_jparse_float(digits.u.s, n, &f)) return jv_float(f);
    r->x->st = hlmi_fail(HLM_E_FORMAT, "%s: not valid JSON at byte %zu: number with too many digits", r->what, at + n);
    return jv_none();
}

static jv value(const reader *r, const hlmi_json *v);

static jv array(const reader *r, const hlmi_json *v)
{
    jvec list = jvec_new(r->x);
    for (hlmi_json_iter i = {0}; r->x->st == HLM_OK && hlmi_json_next(v, &i);) hlmi_jvec_add(&list, value(r, i.value));
    return jvec_done(&list, JV_LIST);
}

static jv object(const reader *r, const hlmi_json *v)
{
    jdict *d = hlmi_jdict_new(r->x, 0);
    for (hlmi_json_iter i = {0}; r->x->st == HLM_OK && hlmi_json_next(v, &i);)
        hlmi_jdict_set(r->x, d, copy(r->x, i.key.s, i.key.len), value(r, i.value));
    return r->x->st == HLM_OK ? jv_dict(JV_DICT, d) : jv_none();
}

static jv value(const reader *r, const hlmi_json *v)
{
    int64_t i = 0;
    const hlmi_str s = hlmi_json_str(v);
    if (!hlmi_jstep(r->x, 1)) return jv_none();
    switch (hlmi_json_kind(v)) {
    case HLMI_JSON_STRING: return copy(r->x, s.s, s.len);
    case HLMI_JSON_TRUE: return jv_bool(true);
    case HLMI_JSON_FALSE: return jv_bool(false);
    case HLMI_JSON_INT: return hlmi_json_int(v, INT64_MIN, INT64_MAX, &i) ? jv_int(i) : jv_none();
    case HLMI_JSON_REAL: return number(r, hlmi_json_place(v));
    case HLMI_JSON_ARRAY: return hlmi_jstack(r->x) ? array(r, v) : jv_none();
    case HLMI_JSON_OBJECT: return hlmi_jstack(r->x) ? object(r, v) : jv_none();
    default: return jv_none();
    }
}

jv hlmi_jfrom_json(jx *x, const char *text, size_t n, const char *what)
{
    hlmi_json *root;
    const reader r = {.x = x, .text = text, .what = what, .n = n};
    if (x->st != HLM_OK) return jv_none();
    x->st = hlmi_json_parse(&root, &x->arena->mem, HLMI_JSON_MESSAGES, text, n, what);
    const jv v = x->st == HLM_OK ? value(&r, root) : jv_none();
    hlmi_json_free(root);
    return v;
}
