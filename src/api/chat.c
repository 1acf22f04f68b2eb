/* hlm_chat_render: messages to text by the model's template or the caller's. */
#include <string.h>

#include "api/model.h"
#include "base/os.h"
#include "base/params.h"

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

static hlm_status render(const hlm_model *m, const hlmi_chat_input *in, const char *own, hlmi_buf *out)
{
    if (own) return hlmi_chat_render(&m->mem, own, strlen(own), in, out);
    if (!m->chat_template) return hlmi_fail(HLM_E_UNSUPPORTED, "the model's files have no chat template; give one");
    return hlmi_template_render(m->chat_template, &m->mem, in, out);
}

static hlm_status read_params(hlm_chat_params *p, const hlm_chat_params *src)
{
    const hlm_status st = hlmi_params_read(p, sizeof *p, src, "hlm_chat_params");
    if (st != HLM_OK) return st;
    if (p->flags & ~(uint32_t)HLM_CHAT_NO_GENERATION_PROMPT)
        return hlmi_fail(HLM_E_UNSUPPORTED, "hlm_chat_params.flags has unknown bits 0x%x", p->flags);
    return p->reserved ? hlmi_fail(HLM_E_ARG, "hlm_chat_params.reserved is not 0") : HLM_OK;
}

hlm_status hlm_chat_render(const hlm_model *model, const char *messages_json, const hlm_chat_params *params,
                           char *out, size_t cap, size_t *n)
{
    hlm_chat_params p;
    if (!model || !messages_json || (cap && !out) || !n)
        return hlmi_fail(HLM_E_ARG, "hlm_chat_render: model, messages_json, out or n is NULL");
    hlm_status st = read_params(&p, params);
    if (st != HLM_OK) return st;
    hlmi_buf text, bos, eos;
    hlmi_buf_init(&text, &model->mem);
    hlmi_buf_init(&bos, &model->mem);
    hlmi_buf_init(&eos, &model->mem);
    const hlmi_special_ids ids =
        model->tokenizer ? hlmi_tokenizer_special(model->tokenizer) : (hlmi_special_ids){-1, -1, -1, -1};
    const hlmi_chat_input in = {
        .messages = messages_json,
        .messages_len = strlen(messages_json),
        .tools = p.tools_json,
        .tools_len = length(p.tools_json),
        .extra = p.extra_json,
        .extra_len = length(p.extra_json),
        .bos = special_text(model, ids.bos, &bos),
        .eos = special_text(model, ids.eos, &eos),
        .add_generation_prompt = !(p.flags & HLM_CHAT_NO_GENERATION_PROMPT),
        .now = p.now ? p.now : hlmi_os_clock(),
    };
    HLMI_TRY(hlmi_buf_status(&bos, "a special token"));
    HLMI_TRY(hlmi_buf_status(&eos, "a special token"));
    HLMI_TRY(render(model, &in, p.chat_template, &text));
    *n = text.len;
    if (text.len > cap) HLMI_TRY(hlmi_fail(HLM_E_SPACE, "room for %zu bytes, needs %zu", cap, text.len));
    if (text.len) memcpy(out, text.data, text.len);
done:
    hlmi_buf_free(&text);
    hlmi_buf_free(&bos);
    hlmi_buf_free(&eos);
    return st;
}
