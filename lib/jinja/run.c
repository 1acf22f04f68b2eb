/* Errors, budgets, growing strings and variables of the interpreter. */
#include "jinja/run.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/size.h"
#include "jinja/trust.h"

static jv fail_text(jx *x, hlm_status st, const char *text)
{
    if (x->st != HLM_OK) return jv_none();
    x->st = hlmi_fail(st, "chat template, line %u: %s", x->line, text);
    return jv_none();
}

jv hlmi_jfail(jx *x, const char *fmt, ...)
{
    char text[HLMI_ERROR_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return fail_text(x, HLM_E_TEMPLATE, text);
}

jv hlmi_jlimit(jx *x, const char *what)
{
    return fail_text(x, HLM_E_LIMIT, what);
}

bool hlmi_jstep(jx *x, size_t cost)
{
    if (x->st != HLM_OK) return false;
    if (cost >= x->steps) {
        x->steps = 0;
        hlmi_jlimit(x, "takes more steps than allowed");
        return false;
    }
    x->steps -= cost;
    return true;
}

bool hlmi_jstack(jx *x)
{
    const uintptr_t at = HLMI_FRAME(), used = at < x->stack ? x->stack - at : at - x->stack;
    if (x->st != HLM_OK) return false;
    if (used <= HLMI_JINJA_STACK) return true;
    hlmi_jlimit(x, "nests or recurses too deeply");
    return false;
}

bool hlmi_jenter(jx *x)
{
    if (!hlmi_jstack(x)) return false;
    if (x->depth >= HLMI_JINJA_RUN_DEPTH) {
        hlmi_jlimit(x, "nests or recurses too deeply");
        return false;
    }
    x->depth++;
    return true;
}

void hlmi_jleave(jx *x)
{
    x->depth--;
}

void *hlmi_jalloc(jx *x, size_t n)
{
    if (!hlmi_jstep(x, 1 + n / 256)) return NULL;
    void *p = hlmi_arena_alloc(x->arena, n);
    if (p) return p;
    if (x->arena->past_max) hlmi_jlimit(x, "takes more memory than allowed");
    else x->st = hlmi_nomem(n, "a chat template");
    return NULL;
}

jv *hlmi_jalloc_values(jx *x, size_t n)
{
    if (n > UINT32_MAX) {
        hlmi_jlimit(x, "a list grows past 2^32 items");
        return NULL;
    }
    return hlmi_jalloc(x, n * sizeof(jv));
}

/* ---- strings that grow */

static bool reserve(jsb *b, size_t more)
{
    if (b->x->st != HLM_OK) return false;
    if (more <= b->cap - b->n) return true;
    if (more > UINT32_MAX - b->n) {
        hlmi_jlimit(b->x, "a string grows past 2^32 bytes");
        return false;
    }
    const size_t cap = hlmi_max_size(b->n + more, hlmi_max_size(32, b->cap * 2));
    if (!hlmi_arena_extend(b->x->arena, b->p, b->cap, cap)) {
        char *p = hlmi_jalloc(b->x, cap);
        if (!p) return false;
        if (b->n) memcpy(p, b->p, b->n);
        hlmi_jtrust_copy(b->x, p, b->p, b->n);
        b->p = p;
    }
    b->cap = cap;
    return true;
}

void hlmi_jsb_add(jsb *b, const char *p, size_t n)
{
    if (n == 0 || !hlmi_jstep(b->x, 1 + n / 64) || !reserve(b, n)) return;
    memcpy(b->p + b->n, p, n);
    hlmi_jtrust_copy(b->x, b->p + b->n, p, n);
    b->n += n;
}

void hlmi_jsb_char(jsb *b, char c)
{
    hlmi_jsb_add(b, &c, 1);
}

void hlmi_jsb_lit(jsb *b, const char *s)
{
    hlmi_jsb_add(b, s, strlen(s));
}

void hlmi_jsb_fill(jsb *b, char c, size_t n)
{
    if (n == 0 || !hlmi_jstep(b->x, 1 + n / 256) || !reserve(b, n)) return;
    memset(b->p + b->n, c, n);
    hlmi_jtrust_fill(b->x, b->p + b->n, n);
    b->n += n;
}

void hlmi_jsb_utf8(jsb *b, uint32_t cp)
{
    char s[4];
    size_t n;
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000)) cp = 0xFFFD;
    if (cp < 0x80) {
        s[0] = (char)cp;
        n = 1;
    } else if (cp < 0x800) {
        s[0] = (char)(0xC0 | (cp >> 6));
        n = 2;
    } else if (cp < 0x10000) {
        s[0] = (char)(0xE0 | (cp >> 12));
        n = 3;
    } else {
        s[0] = (char)(0xF0 | (cp >> 18));
        n = 4;
    }
    for (size_t i = 1; i < n; i++) s[i] = (char)(0x80 | ((cp >> (6 * (n - 1 - i))) & 0x3F));
    hlmi_jsb_add(b, s, n);
}

jv hlmi_jsb_done(jsb *b)
{
    return b->x->st == HLM_OK ? jv_str(b->n ? b->p : "", b->n) : jv_none();
}

jv hlmi_jconcat(jx *x, jv a, jv b)
{
    if (b.n == 0) return a;
    if (a.n == 0) return b;
    jsb s = jsb_new(x);
    const size_t n = (size_t)a.n + b.n;
    if (n > UINT32_MAX) return hlmi_jlimit(x, "a string grows past 2^32 bytes");
    if (!reserve(&s, n)) return jv_none();
    hlmi_jsb_add(&s, a.u.s, a.n);
    hlmi_jsb_add(&s, b.u.s, b.n);
    return hlmi_jsb_done(&s);
}

/* ---- variables */

jscope *hlmi_jscope_push(jx *x)
{
    jscope *s = hlmi_jalloc(x, sizeof *s);
    if (!s) return NULL;
    *s = (jscope){.up = x->scope};
    x->scope = s;
    return s;
}

void hlmi_jset(jx *x, jscope *s, jv name, jv val)
{
    size_t seen = 0;
    for (jvar *v = s->vars; v; v = v->next, seen++) {
        if (!jv_same_text(v->name, name)) continue;
        v->val = val;
        hlmi_jstep(x, seen / 16);
        return;
    }
    if (!hlmi_jstep(x, seen / 16)) return;
    jvar *v = hlmi_jalloc(x, sizeof *v);
    if (!v) return;
    *v = (jvar){.name = name, .val = val, .next = s->vars};
    s->vars = v;
}

jv hlmi_jget(jx *x, const jscope *s, jv name)
{
    size_t seen = 0;
    for (; s; s = s->up) {
        seen++;
        for (const jvar *v = s->vars; v; v = v->next, seen++) {
            if (v->val.kind == JV_MISSING || !jv_same_text(v->name, name)) continue;
            hlmi_jstep(x, seen / 16);
            return v->val;
        }
    }
    hlmi_jstep(x, seen / 16);
    const jdesc *d = hlmi_jglobal(name);
    if (!d) return jv_missing();
    return (jv){.kind = JV_FUNC, .u.func = d};
}
