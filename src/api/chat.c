/* hlm_chat_render, hlm_chat_tokenize, and both for messages as structs: messages to text or tokens by one of the
 * model's templates, a built-in one or the caller's; hlm_chat_template_text: which one. */
#include <string.h>

#include "api/messages.h"
#include "api/templates.h"
#include "base/call.h"
#include "base/os.h"
#include "base/params.h"
#include "plan/model.h"
#include "chat/chat.h"

/* Text of a special token in buf, NULL when the model has none. */
static const char *special_text(const hlm_model *m, int32_t id, hlmi_buf *buf)
{
    if (id < 0) return NULL;
    const hlmi_str s = hlmi_tokenizer_text(m->tokenizer, id);
    hlmi_buf_add(buf, s.s, s.len);
    return buf->failed ? NULL : buf->data;
}

static size_t length(const char *s)
{
    return s ? strlen(s) : 0;
}

/* None as the template sees it: no tools, or JSON's null. */
static bool has_tools(const char *json)
{
    static const char blank[] = " \t\r\n";
    if (!json) return false;
    json += strspn(json, blank);
    return strncmp(json, "null", 4) != 0 || json[4 + strspn(json + 4, blank)] != '\0';
}

/* Text of the template that the caller asks for. */
static hlm_status choose_text(const hlm_model *m, const hlm_chat_params *p, hlmi_str *text)
{
    *text = (hlmi_str){p->chat_template, length(p->chat_template)};
    if (text->s) return HLM_OK;
    return hlmi_templates_choose(m->templates, m->tokenizer, p->template_name, has_tools(p->tools_json), text);
}

/* The template that the caller asks for: *own when it was parsed for this call. */
static hlm_status choose(const hlm_model *m, const hlm_chat_params *p, const hlmi_template **t, hlmi_template **own)
{
    hlmi_str text;
    *t = NULL;
    *own = NULL;
    hlm_status st = choose_text(m, p, &text);
    if (st != HLM_OK) return st;
    if (!p->chat_template && text.s == m->chat_text) {
        *t = m->chat_template;
        return HLM_OK;
    }
    st = hlmi_template_new(&m->mem, text.s, text.len, own);
    *t = *own;
    return st;
}

static hlm_status render(const hlm_model *m, const hlmi_chat_input *in, const hlm_chat_params *p, hlmi_buf *out,
                         hlmi_buf *trusted)
{
    hlmi_template *own;
    const hlmi_template *t;
    hlm_status st = choose(m, p, &t, &own);
    if (st == HLM_OK) st = hlmi_template_render_traced(t, &m->mem, in, out, trusted);
    hlmi_template_free(own);
    return st;
}

static hlm_status read_params(hlm_chat_params *p, const hlm_chat_params *src)
{
    HLMI_DO(hlmi_params_read(p, sizeof *p, src, "hlm_chat_params"));
    if (p->flags & ~(uint32_t)HLM_CHAT_NO_GENERATION_PROMPT)
        return hlmi_fail(HLM_E_UNSUPPORTED, "hlm_chat_params.flags has unknown bits 0x%x", p->flags);
    return p->reserved ? hlmi_fail(HLM_E_ARG, "hlm_chat_params.reserved is not 0") : HLM_OK;
}

/* Messages to text; *trusted receives where each byte of it comes from, unless it is NULL. */
static hlm_status render_with(const hlm_model *m, const char *messages, const hlm_chat_params *p, hlmi_buf *out,
                              hlmi_buf *trusted)
{
    hlm_status st;
    hlmi_buf bos, eos;
    hlmi_buf_init(&bos, &m->mem);
    hlmi_buf_init(&eos, &m->mem);
    const hlmi_special_ids ids =
        m->tokenizer ? hlmi_tokenizer_special(m->tokenizer) : (hlmi_special_ids){-1, -1, -1, -1};
    const hlmi_chat_input in = {
        .messages = messages,
        .messages_len = strlen(messages),
        .tools = p->tools_json,
        .tools_len = length(p->tools_json),
        .extra = p->extra_json,
        .extra_len = length(p->extra_json),
        .bos = special_text(m, ids.bos, &bos),
        .eos = special_text(m, ids.eos, &eos),
        .add_generation_prompt = !(p->flags & HLM_CHAT_NO_GENERATION_PROMPT),
        .now = p->now ? p->now : hlmi_os_clock(),
    };
    HLMI_TRY(hlmi_buf_status(&bos, "a special token"));
    HLMI_TRY(hlmi_buf_status(&eos, "a special token"));
    HLMI_TRY(render(m, &in, p, out, trusted));
done:
    hlmi_buf_free(&bos);
    hlmi_buf_free(&eos);
    return st;
}

static hlm_status give_text(const hlm_model *m, const char *messages, const hlm_chat_params *params, char *out,
                            size_t cap, size_t *n)
{
    hlm_chat_params p;
    hlmi_buf text;
    hlm_status st = read_params(&p, params);
    if (st != HLM_OK) return st;
    hlmi_buf_init(&text, &m->mem);
    HLMI_TRY(render_with(m, messages, &p, &text, NULL));
    *n = text.len;
    if (text.len > cap) HLMI_TRY(hlmi_fail(HLM_E_SPACE, "room for %zu bytes, needs %zu", cap, text.len));
    if (text.len) memcpy(out, text.data, text.len);
done:
    hlmi_buf_free(&text);
    return st;
}

static hlm_status give_tokens(const hlm_model *m, const char *messages, const hlm_chat_params *params, int32_t *out,
                              size_t cap, size_t *n)
{
    hlm_chat_params p;
    hlmi_buf text, trusted;
    hlmi_ids ids;
    if (!m->tokenizer) return hlmi_fail(HLM_E_UNSUPPORTED, "the model's files have no tokenizer");
    hlm_status st = read_params(&p, params);
    if (st != HLM_OK) return st;
    hlmi_buf_init(&text, &m->mem);
    hlmi_buf_init(&trusted, &m->mem);
    hlmi_ids_init(&ids, &m->mem);
    HLMI_TRY(render_with(m, messages, &p, &text, &trusted));
    HLMI_TRY(hlmi_tokenizer_encode_traced(m->tokenizer, text.data, text.len, trusted.data, &ids));
    *n = ids.n;
    if (ids.n > cap) HLMI_TRY(hlmi_fail(HLM_E_SPACE, "room for %zu tokens, needs %zu", cap, ids.n));
    if (ids.n) memcpy(out, ids.v, ids.n * sizeof *out);
done:
    hlmi_buf_free(&text);
    hlmi_buf_free(&trusted);
    hlmi_ids_free(&ids);
    return st;
}

HLMI_CALL(hlm_chat_render,
          (const hlm_model *model, const char *messages_json, const hlm_chat_params *params, char *out, size_t cap,
           size_t *n),
          (model, messages_json, params, out, cap, n))
{
    if (!model || !messages_json || (cap && !out) || !n)
        return hlmi_fail(HLM_E_ARG, "hlm_chat_render: model, messages_json, out or n is NULL");
    return give_text(model, messages_json, params, out, cap, n);
}

HLMI_CALL(hlm_chat_tokenize,
          (const hlm_model *model, const char *messages_json, const hlm_chat_params *params, int32_t *out, size_t cap,
           size_t *n),
          (model, messages_json, params, out, cap, n))
{
    if (!model || !messages_json || (cap && !out) || !n)
        return hlmi_fail(HLM_E_ARG, "hlm_chat_tokenize: model, messages_json, out or n is NULL");
    return give_tokens(model, messages_json, params, out, cap, n);
}

HLMI_CALL(hlm_chat_render_messages,
          (const hlm_model *model, const hlm_message *messages, size_t n_messages, const hlm_chat_params *params,
           char *out, size_t cap, size_t *n),
          (model, messages, n_messages, params, out, cap, n))
{
    hlmi_buf json;
    if (!model || (cap && !out) || !n) return hlmi_fail(HLM_E_ARG, "hlm_chat_render_messages: model, out or n is NULL");
    hlmi_buf_init(&json, &model->mem);
    hlm_status st = hlmi_messages_json(messages, n_messages, &json);
    if (st == HLM_OK) st = give_text(model, json.data, params, out, cap, n);
    hlmi_buf_free(&json);
    return st;
}

HLMI_CALL(hlm_chat_tokenize_messages,
          (const hlm_model *model, const hlm_message *messages, size_t n_messages, const hlm_chat_params *params,
           int32_t *out, size_t cap, size_t *n),
          (model, messages, n_messages, params, out, cap, n))
{
    hlmi_buf json;
    if (!model || (cap && !out) || !n)
        return hlmi_fail(HLM_E_ARG, "hlm_chat_tokenize_messages: model, out or n is NULL");
    hlmi_buf_init(&json, &model->mem);
    hlm_status st = hlmi_messages_json(messages, n_messages, &json);
    if (st == HLM_OK) st = give_tokens(model, json.data, params, out, cap, n);
    hlmi_buf_free(&json);
    return st;
}

HLMI_CALL(hlm_chat_template_text,
          (const hlm_model *model, const hlm_chat_params *params, char *out, size_t cap, size_t *n),
          (model, params, out, cap, n))
{
    hlm_chat_params p;
    hlmi_str text;
    if (!model || (cap && !out) || !n) return hlmi_fail(HLM_E_ARG, "hlm_chat_template_text: model, out or n is NULL");
    hlm_status st = read_params(&p, params);
    if (st == HLM_OK) st = choose_text(model, &p, &text);
    if (st != HLM_OK) return st;
    *n = text.len;
    if (text.len > cap) return hlmi_fail(HLM_E_SPACE, "room for %zu bytes, needs %zu", cap, text.len);
    if (text.len) memcpy(out, text.s, text.len);
    return HLM_OK;
}
