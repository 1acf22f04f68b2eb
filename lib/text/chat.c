/* Chat templates: the door to the interpreter in jinja/. */
#include "text/chat.h"

#include "base/size.h"
#include "text/jinja/eval.h"

struct hlmi_template {
    hlmi_mem mem;
    hlmi_arena arena;
    const jnode *root;
};

hlm_status hlmi_template_new(const hlmi_mem *mem, const char *text, size_t len, hlmi_template **out)
{
    *out = NULL;
    if (len > HLMI_JINJA_TEMPLATE_MAX)
        return hlmi_fail(HLM_E_LIMIT, "chat template: %zu bytes, more than the %d allowed", len, HLMI_JINJA_TEMPLATE_MAX);
    hlmi_template *t = hlmi_calloc(mem, 1, sizeof *t);
    if (!t) return hlmi_nomem(sizeof *t, "a chat template");
    t->mem = *mem;
    hlmi_arena_init(&t->arena, mem, HLMI_JINJA_TREE_MEMORY);
    jx x = {.arena = &t->arena, .line = 1, .steps = HLMI_JINJA_STEPS + (uint64_t)len * HLMI_JINJA_STEPS_PER_BYTE};
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

static void set_extra(jx *x, jscope *s, const hlmi_chat_input *in)
{
    if (!in->extra) return;
    const jv extra = hlmi_jfrom_json(x, in->extra, in->extra_len, "extra");
    if (x->st != HLM_OK) return;
    if (extra.kind != JV_DICT) {
        wrong_type(x, "extra", "a JSON object", extra);
        return;
    }
    for (uint32_t i = 0; i < extra.u.dict->n; i++) hlmi_jset(x, s, extra.u.dict->at[i].key, extra.u.dict->at[i].val);
}

static void set_variables(jx *x, jscope *s, const hlmi_chat_input *in)
{
    const jv messages = hlmi_jfrom_json(x, in->messages, in->messages_len, "messages");
    if (messages.kind != JV_LIST) wrong_type(x, "messages", "a JSON array", messages);
    const jv tools = in->tools ? hlmi_jfrom_json(x, in->tools, in->tools_len, "tools") : jv_none();
    hlmi_jset(x, s, jv_lit("messages"), messages);
    hlmi_jset(x, s, jv_lit("tools"), tools);
    hlmi_jset(x, s, jv_lit("documents"), jv_none());
    hlmi_jset(x, s, jv_lit("add_generation_prompt"), jv_bool(in->add_generation_prompt));
    if (in->bos) hlmi_jset(x, s, jv_lit("bos_token"), jv_lit(in->bos));
    if (in->eos) hlmi_jset(x, s, jv_lit("eos_token"), jv_lit(in->eos));
    hlmi_jset(x, s, jv_lit("self"), (jv){.kind = JV_SELF});
    set_extra(x, s, in);
}

hlm_status hlmi_template_render(const hlmi_template *t, const hlmi_mem *mem, const hlmi_chat_input *in, hlmi_buf *out)
{
    hlmi_arena arena;
    const size_t size = hlmi_min_size(in->messages_len, SIZE_MAX >> 12) + (in->tools ? hlmi_min_size(in->tools_len, SIZE_MAX >> 12) : 0) +
                        (in->extra ? hlmi_min_size(in->extra_len, SIZE_MAX >> 12) : 0);
    hlmi_arena_init(&arena, mem, HLMI_JINJA_MEMORY + size * HLMI_JINJA_MEMORY_PER_BYTE);
    jx x = {.arena = &arena, .now = in->now, .steps = HLMI_JINJA_STEPS + (uint64_t)size * HLMI_JINJA_STEPS_PER_BYTE};
    jsb text = jsb_new(&x);
    x.out = &text;
    jscope *s = hlmi_jscope_push(&x);
    if (s) set_variables(&x, s, in);
    if (x.st == HLM_OK && hlmi_jscope_push(&x)) hlmi_jexec(&x, t->root);
    if (x.st == HLM_OK) {
        const size_t had = out->len;
        hlmi_buf_add(out, text.p, text.n);
        x.st = hlmi_buf_status(out, "a rendered chat");
        if (x.st != HLM_OK) out->len = had;
    }
    hlmi_arena_free(&arena);
    return x.st;
}

hlm_status hlmi_chat_render(const hlmi_mem *mem, const char *tpl, size_t tpl_len, const hlmi_chat_input *in,
                            hlmi_buf *out)
{
    hlmi_template *t;
    hlm_status st = hlmi_template_new(mem, tpl, tpl_len, &t);
    if (st == HLM_OK) st = hlmi_template_render(t, mem, in, out);
    hlmi_template_free(t);
    return st;
}
