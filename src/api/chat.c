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

/* Text of a special token; none when the model has no such token. */
static hlmi_str special_text(const hlm_model *m, int32_t id)
{
    return id < 0 ? (hlmi_str){NULL, 0} : hlmi_tokenizer_text(m->tokenizer, id);
}

static hlmi_str given(const char *s)
{
    return (hlmi_str){s, s ? strlen(s) : 0};
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
    *text = given(p->chat_template);
    if (text->s) return HLM_OK;
    return hlmi_templates_choose(m->templates, m->tokenizer, p->template_name, has_tools(p->tools_json), text);
}

static hlm_status read_params(hlm_chat_params *p, const hlm_chat_params *src)
{
    HLMI_DO(hlmi_params_read(p, sizeof *p, src, "hlm_chat_params"));
    if (p->flags & ~(uint32_t)HLM_CHAT_NO_GENERATION_PROMPT)
        return hlmi_fail(HLM_E_UNSUPPORTED, "hlm_chat_params.flags has unknown bits 0x%x", p->flags);
    return p->reserved ? hlmi_fail(HLM_E_ARG, "hlm_chat_params.reserved is not 0") : HLM_OK;
}

/* Messages to text; *trusted receives where each byte of it comes from, unless it is NULL. */
static hlm_status render(const hlm_model *m, const char *messages, const hlm_chat_params *p, hlmi_buf *out,
                         hlmi_buf *trusted)
{
    hlmi_str text;
    hlmi_template *own = NULL;
    const hlmi_template *t = m->chat_template;
    const hlmi_special_ids ids =
        m->tokenizer ? hlmi_tokenizer_special(m->tokenizer) : (hlmi_special_ids){-1, -1, -1, -1};
    const hlmi_chat_input in = {
        .messages = given(messages),
        .tools = given(p->tools_json),
        .extra = given(p->extra_json),
        .bos = special_text(m, ids.bos),
        .eos = special_text(m, ids.eos),
        .add_generation_prompt = !(p->flags & HLM_CHAT_NO_GENERATION_PROMPT),
        .now = p->now ? p->now : hlmi_os_clock(),
    };
    HLMI_DO(choose_text(m, p, &text));
    if (text.s != m->chat_text) { /* the files' default was parsed when the model was loaded */
        HLMI_DO(hlmi_template_new(&m->mem, text.s, text.len, &own));
        t = own;
    }
    const hlm_status st = hlmi_template_render(t, &m->mem, &in, out, trusted);
    hlmi_template_free(own);
    return st;
}

/* What the calls do: messages to text, or on to tokens. */
static hlm_status chat(const hlm_model *m, const char *messages, const hlm_chat_params *params, bool tokens, void *out,
                       size_t cap, size_t *n)
{
    hlm_chat_params p;
    hlmi_buf text, trusted;
    hlmi_ids ids;
    hlm_status st;
    if (tokens && !m->tokenizer) return hlmi_fail(HLM_E_UNSUPPORTED, "the model's files have no tokenizer");
    HLMI_DO(read_params(&p, params));
    hlmi_buf_init(&text, &m->mem);
    hlmi_buf_init(&trusted, &m->mem);
    hlmi_ids_init(&ids, &m->mem);
    HLMI_TRY(render(m, messages, &p, &text, tokens ? &trusted : NULL));
    if (tokens) HLMI_TRY(hlmi_tokenizer_encode_traced(m->tokenizer, text.data, text.len, trusted.data, &ids));
    st = tokens ? hlmi_items_write(out, cap, n, ids.v, ids.n, sizeof *ids.v, " tokens")
                : hlmi_items_write(out, cap, n, text.data, text.len, 1, " bytes");
done:
    hlmi_buf_free(&text);
    hlmi_buf_free(&trusted);
    hlmi_ids_free(&ids);
    return st;
}

static hlm_status chat_of_messages(const hlm_model *m, const hlm_message *messages, size_t n_messages,
                                   const hlm_chat_params *params, bool tokens, void *out, size_t cap, size_t *n)
{
    hlmi_buf json;
    hlmi_buf_init(&json, &m->mem);
    hlm_status st = hlmi_messages_json(messages, n_messages, &json);
    if (st == HLM_OK) st = chat(m, json.data, params, tokens, out, cap, n);
    hlmi_buf_free(&json);
    return st;
}

HLMI_CALL(hlm_chat_render,
          (const hlm_model *model, const char *messages_json, const hlm_chat_params *params, char *out, size_t cap,
           size_t *n),
          (model, messages_json, params, out, cap, n))
{
    if (!model || !messages_json || (cap && !out) || !n)
        return hlmi_fail(HLM_E_ARG, "hlm_chat_render: model, messages_json, out or n is NULL");
    return chat(model, messages_json, params, false, out, cap, n);
}

HLMI_CALL(hlm_chat_tokenize,
          (const hlm_model *model, const char *messages_json, const hlm_chat_params *params, int32_t *out, size_t cap,
           size_t *n),
          (model, messages_json, params, out, cap, n))
{
    if (!model || !messages_json || (cap && !out) || !n)
        return hlmi_fail(HLM_E_ARG, "hlm_chat_tokenize: model, messages_json, out or n is NULL");
    return chat(model, messages_json, params, true, out, cap, n);
}

HLMI_CALL(hlm_chat_render_messages,
          (const hlm_model *model, const hlm_message *messages, size_t n_messages, const hlm_chat_params *params,
           char *out, size_t cap, size_t *n),
          (model, messages, n_messages, params, out, cap, n))
{
    if (!model || (cap && !out) || !n) return hlmi_fail(HLM_E_ARG, "hlm_chat_render_messages: model, out or n is NULL");
    return chat_of_messages(model, messages, n_messages, params, false, out, cap, n);
}

HLMI_CALL(hlm_chat_tokenize_messages,
          (const hlm_model *model, const hlm_message *messages, size_t n_messages, const hlm_chat_params *params,
           int32_t *out, size_t cap, size_t *n),
          (model, messages, n_messages, params, out, cap, n))
{
    if (!model || (cap && !out) || !n)
        return hlmi_fail(HLM_E_ARG, "hlm_chat_tokenize_messages: model, out or n is NULL");
    return chat_of_messages(model, messages, n_messages, params, true, out, cap, n);
}

HLMI_CALL(hlm_chat_template_text,
          (const hlm_model *model, const hlm_chat_params *params, char *out, size_t cap, size_t *n),
          (model, params, out, cap, n))
{
    hlm_chat_params p;
    hlmi_str text;
    if (!model || (cap && !out) || !n) return hlmi_fail(HLM_E_ARG, "hlm_chat_template_text: model, out or n is NULL");
    HLMI_DO(read_params(&p, params));
    HLMI_DO(choose_text(model, &p, &text));
    return hlmi_items_write(out, cap, n, text.s, text.len, 1, " bytes");
}
