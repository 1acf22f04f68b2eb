/* Filters on sequences: order, groups, sums. */
#include "jinja/filters.h"
#include "jinja/number.h"
#include "jinja/utext.h"

/* ---- attributes of items */

static jv path_part(jv path, size_t from, size_t n)
{
    const jv part = jv_str(path.u.s + from, n);
    bool digits = n > 0 && n < 10;
    for (size_t i = 0; i < n; i++) digits = digits && part.u.s[i] >= '0' && part.u.s[i] <= '9';
    return digits ? hlmi_jdecimal(part.u.s, part.n) : part;
}

jv hlmi_jpath(jx *x, jv v, jv path, jv def)
{
    if (path.kind == JV_NONE || path.kind == JV_MISSING) return v;
    if (path.kind != JV_STR) {
        v = hlmi_jitem(x, v, path);
        return v.kind == JV_UNDEF && jv_given(def) ? def : v;
    }
    for (size_t i = 0; i <= path.n && hlmi_jstep(x, i == 0 ? 1 + path.n / 16 : 1); i++) {
        const char *dot = path.n > i ? memchr(path.u.s + i, '.', path.n - i) : NULL;
        const size_t n = dot ? (size_t)(dot - path.u.s) - i : path.n - i;
        v = hlmi_jitem(x, v, path_part(path, i, n));
        if (v.kind == JV_UNDEF && jv_given(def)) v = def;
        i += n;
    }
    return v;
}

jv hlmi_jfold(jx *x, jv v, bool case_sensitive)
{
    return v.kind == JV_STR && !case_sensitive ? hlmi_jcase(x, v, HLMI_LOWER) : v;
}

/* ---- sorting */

typedef struct pair {
    jv key, val;
} pair;

/* Merge sort: stable, and n log n comparisons whatever the input. */
static void merge_sort(jx *x, pair *at, pair *tmp, size_t n, bool reverse)
{
    if (n < 2 || x->st != HLM_OK) return;
    const size_t h = n / 2;
    merge_sort(x, at, tmp, h, reverse);
    merge_sort(x, at + h, tmp, n - h, reverse);
    size_t i = 0, j = h, k = 0;
    while (i < h && j < n && x->st == HLM_OK) {
        const bool swap = reverse ? hlmi_jless(x, at[i].key, at[j].key) : hlmi_jless(x, at[j].key, at[i].key);
        tmp[k++] = swap ? at[j++] : at[i++];
    }
    if (x->st != HLM_OK) return;
    while (i < h) tmp[k++] = at[i++];
    while (j < n) tmp[k++] = at[j++];
    memcpy(at, tmp, n * sizeof *at);
}

jv hlmi_jsort(jx *x, const jv *at, const jv *keys, size_t n, bool reverse)
{
    jv *out = hlmi_jalloc_values(x, n), *work = hlmi_jalloc_values(x, 4 * n);
    if (!out || !work) return jv_none();
    pair *p = (pair *)(void *)work;
    for (size_t i = 0; i < n; i++) p[i] = (pair){.key = keys[i], .val = at[i]};
    merge_sort(x, p, p + n, n, reverse);
    for (size_t i = 0; i < n; i++) out[i] = p[i].val;
    return x->st == HLM_OK ? jv_seq(JV_LIST, out, n) : jv_none();
}

jv hlmi_jsort_items(jx *x, jv dict)
{
    const jv items = hlmi_jlist_of(x, jv_dict(JV_ITEMS, dict.u.dict));
    jv *keys = hlmi_jalloc_values(x, items.n);
    if (!keys) return jv_none();
    for (uint32_t i = 0; i < items.n; i++) keys[i] = items.u.at[i].u.at[0];
    return hlmi_jsort(x, items.u.at, keys, items.n, false);
}

/* The key of an item for "a,b.c" is a tuple: items whose keys are equal need no order. */
static jv sort_key(jx *x, jv item, jv attribute, bool case_sensitive)
{
    jvec v = jvec_new(x);
    if (attribute.kind != JV_STR) {
        hlmi_jvec_add(&v, hlmi_jfold(x, hlmi_jpath(x, item, attribute, jv_missing()), case_sensitive));
        return jvec_done(&v, JV_TUPLE);
    }
    for (size_t i = 0; i <= attribute.n && hlmi_jstep(x, i == 0 ? 1 + attribute.n / 64 : 1); i++) {
        const char *comma = i < attribute.n ? memchr(attribute.u.s + i, ',', attribute.n - i) : NULL;
        const size_t n = comma ? (size_t)(comma - attribute.u.s) - i : attribute.n - i;
        const jv part = hlmi_jpath(x, item, jv_str(attribute.u.s + i, n), jv_missing());
        hlmi_jvec_add(&v, hlmi_jfold(x, part, case_sensitive));
        i += n;
    }
    return jvec_done(&v, JV_TUPLE);
}

static jv sorted(jx *x, jv v, jv attribute, bool case_sensitive, bool reverse)
{
    const jv list = hlmi_jlist_of(x, v);
    jv *keys = hlmi_jalloc_values(x, list.n);
    if (!keys) return jv_none();
    for (uint32_t i = 0; i < list.n && x->st == HLM_OK; i++)
        keys[i] = sort_key(x, list.u.at[i], attribute, case_sensitive);
    return x->st == HLM_OK ? hlmi_jsort(x, list.u.at, keys, list.n, reverse) : jv_none();
}

/* p: reverse case_sensitive attribute */
static jv f_sort(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return sorted(x, p[0], p[3], hlmi_jtruth(p[2]), hlmi_jtruth(p[1]));
}

/* p: case_sensitive by reverse */
static jv f_dictsort(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const bool by_value = jv_given(p[2]) && jv_eq_lit(p[2], "value");
    if (jv_given(p[2]) && !by_value && !jv_eq_lit(p[2], "key"))
        return hlmi_jfail(x, "you can only sort by either \"key\" or \"value\"");
    if (p[0].kind == JV_UNDEF) return hlmi_juse_undef(x, p[0]);
    if (p[0].kind != JV_DICT) return hlmi_jfail(x, "dictsort needs a mapping, not %s", hlmi_jtype(p[0]));
    const jv items = hlmi_jlist_of(x, jv_dict(JV_ITEMS, p[0].u.dict));
    jv *keys = hlmi_jalloc_values(x, items.n);
    if (!keys) return jv_none();
    for (uint32_t i = 0; i < items.n; i++) keys[i] = hlmi_jfold(x, items.u.at[i].u.at[by_value], hlmi_jtruth(p[1]));
    return hlmi_jsort(x, items.u.at, keys, items.n, hlmi_jtruth(p[3]));
}

/* ---- ends and extremes */

static jv f_first(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jiter it;
    jv v;
    if (!hlmi_jiter(x, p[0], &it)) return jv_none();
    if (hlmi_jnext(x, &it, &v)) return v;
    return hlmi_jundef(x, jv_missing(), jv_lit("the first item of an empty sequence"));
}

static jv f_last(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (p[0].kind == JV_GEN) return hlmi_jfail(x, "'generator' object is not reversible");
    const jv list = hlmi_jlist_of(x, p[0]);
    if (list.n) return list.u.at[list.n - 1];
    return hlmi_jundef(x, jv_missing(), jv_lit("the last item of an empty sequence"));
}

static jv extreme(jx *x, const jv *p, bool max)
{
    jiter it;
    jv item, best = jv_missing(), best_key = jv_missing();
    if (!hlmi_jiter(x, p[0], &it)) return jv_none();
    while (hlmi_jnext(x, &it, &item)) {
        const jv key = hlmi_jfold(x, hlmi_jpath(x, item, p[2], jv_missing()), hlmi_jtruth(p[1]));
        if (jv_given(best) && !(max ? hlmi_jless(x, best_key, key) : hlmi_jless(x, key, best_key))) continue;
        best = item;
        best_key = key;
    }
    return jv_given(best) ? best : hlmi_jundef(x, jv_missing(), jv_lit("an item of an empty sequence"));
}

/* p: case_sensitive attribute */
static jv f_max(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return extreme(x, p, true);
}

static jv f_min(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return extreme(x, p, false);
}

/* p: attribute start */
static jv f_sum(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jiter it;
    jv item, sum = jv_given(p[2]) ? p[2] : jv_int(0);
    if (sum.kind == JV_STR) return hlmi_jfail(x, "sum() can't sum strings [use ''.join(seq) instead]");
    if (!hlmi_jiter(x, p[0], &it)) return jv_none();
    while (hlmi_jnext(x, &it, &item)) {
        item = hlmi_jpath(x, item, p[1], jv_missing());
        if (x->st == HLM_OK) sum = hlmi_jbinary(x, '+', sum, item);
    }
    return sum;
}

/* ---- shape */

static jv f_length(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const int64_t n = hlmi_jlen(p[0]);
    if (n >= 0) return hlmi_jstep(x, p[0].kind == JV_STR ? p[0].n / 64 : 0) ? jv_int(n) : jv_none();
    return hlmi_jfail(x, "object of type '%s' has no len()", hlmi_jtype(p[0]));
}

static jv f_list(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    return hlmi_jlist_of(x, p[0]);
}

static jv reversed_text(jx *x, jv s)
{
    return hlmi_jslice(x, s, jv_none(), jv_none(), jv_int(-1));
}

static jv f_reverse(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (p[0].kind == JV_STR) return reversed_text(x, p[0]);
    const jv list = hlmi_jlist_of(x, p[0]);
    jv *at = hlmi_jalloc_values(x, list.n);
    if (!at) return jv_none();
    for (uint32_t i = 0; i < list.n; i++) at[i] = list.u.at[list.n - 1 - i];
    const bool one_pass = p[0].kind == JV_GEN; /* Python can not walk it backwards, so Jinja2 makes a list of it */
    return one_pass ? jv_seq(JV_LIST, at, list.n) : hlmi_jgen_new(x, jv_seq(JV_LIST, at, list.n), NULL, NULL);
}

/* p: linecount fill_with */
static jv f_batch(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv list = hlmi_jlist_of(x, p[0]);
    const int64_t size = hlmi_jint_arg(x, p[1], 1, "linecount");
    jvec out = jvec_new(x);
    for (uint32_t i = 0; i < list.n && x->st == HLM_OK;) {
        const uint32_t n = size < 1 ? 1 : (uint64_t)size < list.n - i ? (uint32_t)size : list.n - i;
        jv part = jv_seq(JV_LIST, list.u.at + i, n);
        if (jv_given(p[2]) && p[2].kind != JV_NONE && size > (int64_t)n) {
            const jv fill = hlmi_jbinary(x, '*', jv_seq(JV_LIST, &p[2], 1), jv_int(size - n));
            part = x->st == HLM_OK ? hlmi_jbinary(x, '+', part, fill) : part;
        }
        hlmi_jvec_add(&out, part);
        i += n;
    }
    return x->st == HLM_OK ? hlmi_jgen_new(x, jvec_done(&out, JV_LIST), NULL, NULL) : jv_none();
}

/* p: slices fill_with */
static jv f_slice(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv list = hlmi_jlist_of(x, p[0]);
    const int64_t n = hlmi_jint_arg(x, p[1], 1, "slices");
    jvec out = jvec_new(x);
    if (n == 0) return hlmi_jfail(x, "integer division or modulo by zero");
    const int64_t each = list.n / n, more = list.n % n;
    size_t at = 0;
    for (int64_t i = 0; i < n && x->st == HLM_OK; i++) {
        const size_t size = (size_t)(each + (i < more));
        jv part = jv_seq(JV_LIST, list.u.at + (size ? at : 0), size);
        if (jv_given(p[2]) && p[2].kind != JV_NONE && i >= more) {
            jv *fill = hlmi_jalloc_values(x, 1);
            if (fill) *fill = p[2];
            if (fill) part = hlmi_jbinary(x, '+', part, jv_seq(JV_LIST, fill, 1));
        }
        hlmi_jvec_add(&out, part);
        at += size;
    }
    return x->st == HLM_OK ? hlmi_jgen_new(x, jvec_done(&out, JV_LIST), NULL, NULL) : jv_none();
}

/* p: attribute default case_sensitive */
static jv f_groupby(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    const jv list = hlmi_jlist_of(x, p[0]);
    const bool exact = hlmi_jtruth(p[3]);
    jv *keys = hlmi_jalloc_values(x, list.n), *index = hlmi_jalloc_values(x, list.n);
    if (!keys || !index) return jv_none();
    for (uint32_t i = 0; i < list.n && x->st == HLM_OK; i++) {
        keys[i] = hlmi_jfold(x, hlmi_jpath(x, list.u.at[i], p[1], p[2]), exact);
        index[i] = jv_int(i);
    }
    const jv order = x->st == HLM_OK ? hlmi_jsort(x, index, keys, list.n, false) : jv_none();
    jvec groups = jvec_new(x);
    for (uint32_t i = 0; x->st == HLM_OK && i < order.n;) {
        const jv key = keys[order.u.at[i].u.i];
        const jv first = list.u.at[order.u.at[i].u.i];
        jvec items = jvec_new(x);
        for (; i < order.n && hlmi_jequal(x, keys[order.u.at[i].u.i], key); i++)
            hlmi_jvec_add(&items, list.u.at[order.u.at[i].u.i]);
        jv *group = hlmi_jalloc_values(x, 2);
        if (!group) return jv_none();
        group[0] = exact ? key : hlmi_jpath(x, first, p[1], p[2]);
        group[1] = jvec_done(&items, JV_LIST);
        jv tuple = jv_seq(JV_TUPLE, group, 2);
        tuple.flags = JV_GROUP;
        hlmi_jvec_add(&groups, tuple);
    }
    return jvec_done(&groups, JV_LIST);
}

static bool next_unique(jx *x, jgen *g, jv *out)
{
    while (hlmi_jnext(x, &g->src, out)) {
        const jv key = hlmi_jfold(x, hlmi_jpath(x, *out, g->p[0], jv_missing()), g->flag);
        if (x->st != HLM_OK || hlmi_jdict_get(x, g->p[1].u.dict, key)) continue;
        hlmi_jdict_set(x, g->p[1].u.dict, key, jv_none());
        return x->st == HLM_OK;
    }
    return false;
}

/* p: case_sensitive attribute */
static jv f_unique(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jgen *g;
    jdict *seen = hlmi_jdict_new(x, 0);
    const jv v = hlmi_jgen_new(x, p[0], next_unique, &g);
    if (x->st != HLM_OK) return jv_none();
    g->p[0] = p[2];
    g->p[1] = jv_dict(JV_DICT, seen);
    g->flag = hlmi_jtruth(p[1]);
    return v;
}

/* p: d attribute */
static jv f_join(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    jiter it;
    jv item;
    jsb b = jsb_new(x);
    const jv sep = jv_given(p[1]) ? hlmi_jtext(x, p[1]) : jv_lit("");
    if (!hlmi_jiter(x, p[0], &it)) return jv_none();
    for (bool first = true; hlmi_jnext(x, &it, &item); first = false) {
        item = hlmi_jpath(x, item, p[2], jv_missing());
        if (!first) hlmi_jsb_add(&b, sep.u.s, sep.n);
        if (x->st == HLM_OK) hlmi_jtext_to(x, &b, item);
    }
    return hlmi_jsb_done(&b);
}

static jv f_items(jx *x, const jv *p, const jargs *a)
{
    (void)a;
    if (p[0].kind == JV_UNDEF) return hlmi_jgen_new(x, jv_seq(JV_LIST, NULL, 0), NULL, NULL);
    if (p[0].kind != JV_DICT) return hlmi_jfail(x, "Can only get item pairs from a mapping.");
    return hlmi_jgen_new(x, jv_dict(JV_ITEMS, p[0].u.dict), NULL, NULL);
}

static const jdesc descs[] = {
    {"batch", f_batch, 1, "linecount fill_with"},
    {"count", f_length, 0, ""},
    {"dictsort", f_dictsort, 0, "case_sensitive by reverse"},
    {"first", f_first, 0, ""},
    {"groupby", f_groupby, 1, "attribute default case_sensitive"},
    {"items", f_items, 0, ""},
    {"join", f_join, 0, "d attribute"},
    {"last", f_last, 0, ""},
    {"length", f_length, 0, ""},
    {"list", f_list, 0, ""},
    {"max", f_max, 0, "case_sensitive attribute"},
    {"min", f_min, 0, "case_sensitive attribute"},
    {"reverse", f_reverse, 0, ""},
    {"slice", f_slice, 1, "slices fill_with"},
    {"sort", f_sort, 0, "reverse case_sensitive attribute"},
    {"sum", f_sum, 0, "attribute start"},
    {"unique", f_unique, 0, "case_sensitive attribute"},
};

const jtable hlmi_jfilters_seq = {descs, sizeof descs / sizeof *descs};
