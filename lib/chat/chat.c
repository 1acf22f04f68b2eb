/* Chat templates: the door to the interpreter in lib/jinja. */
#include "chat/chat.h"

#include "base/size.h"
#include "jinja/eval.h"
#include "jinja/trust.h"

struct hlmi_template {
    hlmi_mem mem;
    hlmi_arena arena;
    const jnode *root;
};

hlm_status hlmi_template_new(const hlmi_mem *mem, const char *text, size_t len, hlmi_template **out)
{
    *out = NULL;
    if (len > HLMI_JINJA_TEMPLATE_MAX)
        return hlmi_fail(HLM_E_LIMIT, "chat template: %zu bytes, more than the %d allowed", len,
                         HLMI_JINJA_TEMPLATE_MAX);
    hlmi_template *t = hlmi_calloc(mem, 1, sizeof *t);
    if (!t) return hlmi_nomem(sizeof *t, "a chat template");
    t->mem = *mem;
    hlmi_arena_init(&t->arena, mem, HLMI_JINJA_TREE_MEMORY);
    jx x = {.arena = &t->arena,
            .stack = HLMI_FRAME(),
            .line = 1,
            .steps = HLMI_JINJA_STEPS + (uint64_t)len * HLMI_JINJA_STEPS_PER_BYTE};
    jnode *root;
    if (!hlmi_jparse(&x, text, len, &root)) {
        hlmi_template_free(t);
        return x.st;
    }
    t->root = root;
    *out = t;
    return HLM_OK;
}

void hlmi_template_free(hlmi_template *t)
{
    if (!t) return;
    const hlmi_mem mem = t->mem;
    hlmi_arena_free(&t->arena);
    hlmi_free(&mem, t);
}

/* ---- rendering */

static void wrong_type(jx *x, const char *what, const char *want, jv got)
{
    if (x->st == HLM_OK) x->st = hlmi_fail(HLM_E_FORMAT, "%s: must be %s, not %s", what, want, hlmi_jtype(got));
}

static bool ends_with(jv s, const char *tail)
{
    const size_t n = strlen(tail);
    return s.n >= n && memcmp(s.u.s + s.n - n, tail, n) == 0;
}

/* Variables such as pad_token are the program's, not a message's. */
static void set_extra(jx *x, jscope *s, const hlmi_chat_input *in)
{
    if (!in->extra.s) return;
    const jv extra = hlmi_jfrom_json(x, in->extra.s, in->extra.len, "extra");
    if (x->st != HLM_OK) return;
    if (extra.kind != JV_DICT) {
        wrong_type(x, "extra", "a JSON object", extra);
        return;
    }
    for (uint32_t i = 0; i < extra.u.dict->n; i++) {
        const jent *e = &extra.u.dict->at[i];
        hlmi_jset(x, s, e->key, ends_with(e->key, "_token") ? hlmi_jtrust_text(x, e->val) : e->val);
    }
}

static bool is_word(jv v)
{
    if (v.kind != JV_STR || v.n == 0) return false;
    for (uint32_t i = 0; i < v.n; i++) {
        const char c = v.u.s[i], low = (char)(c | 0x20);
        if (!((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) return false;
    }
    return true;
}

/* Templates build markers from roles ('<|' + role + '|>'), so roles that are plain words count as theirs. */
static void trust_roles(jx *x, jv messages)
{
    if (messages.kind != JV_LIST || !x->arena->shadowed) return;
    for (uint32_t i = 0; i < messages.n && x->st == HLM_OK; i++) {
        const jv m = messages.u.at[i];
        const jv *role = m.kind == JV_DICT ? hlmi_jdict_lit(m.u.dict, "role") : NULL;
        if (role && is_word(*role)) hlmi_jdict_set(x, m.u.dict, jv_lit("role"), hlmi_jtrust_text(x, *role));
    }
}

static jv token_text(jx *x, hlmi_str s)
{
    return s.s ? hlmi_jtrust_text(x, jv_str(s.s, s.len)) : jv_missing();
}

static void set_variables(jx *x, jscope *s, const hlmi_chat_input *in)
{
    const jv messages = hlmi_jfrom_json(x, in->messages.s, in->messages.len, "messages");
    if (messages.kind != JV_LIST) wrong_type(x, "messages", "a JSON array", messages);
    trust_roles(x, messages);
    const jv tools = in->tools.s ? hlmi_jfrom_json(x, in->tools.s, in->tools.len, "tools") : jv_none();
    hlmi_jset(x, s, jv_lit("messages"), messages);
    hlmi_jset(x, s, jv_lit("tools"), tools);
    hlmi_jset(x, s, jv_lit("documents"), jv_none());
    hlmi_jset(x, s, jv_lit("add_generation_prompt"), jv_bool(in->add_generation_prompt));
    hlmi_jset(x, s, jv_lit("bos_token"), token_text(x, in->bos));
    hlmi_jset(x, s, jv_lit("eos_token"), token_text(x, in->eos));
    hlmi_jset(x, s, jv_lit("self"), (jv){.kind = JV_SELF});
    set_extra(x, s, in);
}

/* The result and, where it is tracked, its shadow. */
static hlm_status give(const jsb *text, hlmi_buf *out, hlmi_buf *trusted)
{
    const size_t had = out->len;
    hlmi_buf_add(out, text->p, text->n);
    hlm_status st = hlmi_buf_status(out, "a rendered chat");
    if (st == HLM_OK && trusted && text->n) {
        hlmi_buf_add(trusted, hlmi_arena_shadow(text->x->arena, text->p), text->n);
        st = hlmi_buf_status(trusted, "the origins of a rendered chat");
    }
    if (st != HLM_OK) out->len = had;
    return st;
}

hlm_status hlmi_template_render(const hlmi_template *t, const hlmi_mem *mem, const hlmi_chat_input *in, hlmi_buf *out,
                                hlmi_buf *trusted)
{
    hlmi_arena arena;
    const size_t max = SIZE_MAX >> 12;
    const size_t size =
        hlmi_min_size(in->messages.len, max) + hlmi_min_size(in->tools.len, max) + hlmi_min_size(in->extra.len, max);
    hlmi_arena_init(&arena, mem, HLMI_JINJA_MEMORY + size * HLMI_JINJA_MEMORY_PER_BYTE);
    arena.shadowed = trusted != NULL;
    jx x = {.arena = &arena,
            .stack = HLMI_FRAME(),
            .now = in->now,
            .steps = HLMI_JINJA_STEPS + (uint64_t)size * HLMI_JINJA_STEPS_PER_BYTE,
            .source = &t->arena};
    jsb text = jsb_new(&x);
    x.out = &text;
    jscope *s = hlmi_jscope_push(&x);
    if (s) set_variables(&x, s, in);
    x.trusted = true;
    if (x.st == HLM_OK && hlmi_jscope_push(&x)) hlmi_jexec(&x, t->root);
    if (x.st == HLM_OK) x.st = give(&text, out, trusted);
    hlmi_arena_free(&arena);
    return x.st;
}
