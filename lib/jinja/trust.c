/* Shadows of the rendered bytes (see trust.h). */
#include "jinja/trust.h"

/* Whether text outside the arena is trusted: the template's is, and C literals and buffers are what the function at
 * work makes anew. What comes from JSON lies in the arena. */
static bool outside(const jx *x, const char *p)
{
    return x->trusted || hlmi_arena_has(x->source, p);
}

void hlmi_jtrust_copy(jx *x, char *to, const char *from, size_t n)
{
    if (!x->arena->shadowed || n == 0) return;
    char *shadow = hlmi_arena_shadow(x->arena, to);
    const char *source = hlmi_arena_shadow(x->arena, from);
    if (source) memmove(shadow, source, n);
    else memset(shadow, outside(x, from), n);
}

void hlmi_jtrust_fill(jx *x, char *to, size_t n)
{
    if (x->arena->shadowed && n) memset(hlmi_arena_shadow(x->arena, to), x->trusted, n);
}

jv hlmi_jtrust_text(jx *x, jv v)
{
    if (!x->arena->shadowed || v.kind != JV_STR || v.n == 0) return v;
    char *p = hlmi_jalloc(x, v.n);
    if (!p) return jv_none();
    memcpy(p, v.u.s, v.n);
    memset(hlmi_arena_shadow(x->arena, p), 1, v.n);
    v.u.s = p;
    return v;
}

/* Lists and dictionaries may hold anything: not trusted. */
static bool value_trusted(jx *x, jv v)
{
    if (v.kind < JV_STR) return true;
    if (v.kind != JV_STR) return false;
    if (v.n == 0) return true;
    const char *shadow = hlmi_arena_shadow(x->arena, v.u.s);
    if (!shadow) return outside(x, v.u.s);
    const char *foreign = memchr(shadow, 0, v.n);
    return hlmi_jstep(x, (foreign ? (size_t)(foreign - shadow) : v.n) / 1024) && !foreign;
}

bool hlmi_jtrust_call(jx *x, jv p0, const jargs *a)
{
    const bool was = x->trusted;
    if (!x->arena->shadowed || !was) return was;
    bool all = value_trusted(x, p0);
    for (size_t i = 0; i < a->n && all; i++) all = value_trusted(x, a->at[i]);
    for (size_t i = 0; i < a->nkw && all; i++) all = value_trusted(x, a->kw[i].val);
    x->trusted = all;
    return was;
}
