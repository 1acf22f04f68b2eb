/* Filters by file: text (filters_str.c, filters_wrap.c), sequences (filters_seq.c), picking items by test or attribute
 * (filters_pick.c), others (filters.c, which has the table). */
#ifndef HLMI_JINJA_FILTERS_H
#define HLMI_JINJA_FILTERS_H

#include "jinja/methods.h"
#include "jinja/ops.h"

extern const jtable hlmi_jfilters_str;
extern const jtable hlmi_jfilters_seq;
extern const jtable hlmi_jfilters_pick;

jv hlmi_jf_tojson(jx *x, const jv *p, const jargs *a);
jv hlmi_jf_wordwrap(jx *x, const jv *p, const jargs *a); /* filters_wrap.c */

/** A sorted copy of the [n] values by their keys, stable; `keys` may be `at`. */
jv hlmi_jsort(jx *x, const jv *at, const jv *keys, size_t n, bool reverse);
/** Items of a dictionary as (key, value) tuples, by key. */
jv hlmi_jsort_items(jx *x, jv dict);
/** What sorting and comparing without case compares. */
jv hlmi_jfold(jx *x, jv v, bool case_sensitive);
/** `path` ("a.b.0", an integer, or none for the item itself) looked up in v; def replaces undefined when given. */
jv hlmi_jpath(jx *x, jv v, jv path, jv def);

#endif
