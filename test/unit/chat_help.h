/* A chat template that is used once. */
#ifndef TEST_UNIT_CHAT_HELP_H
#define TEST_UNIT_CHAT_HELP_H

#include "chat/chat.h"

static inline hlm_status render_once(const hlmi_mem *mem, const char *text, size_t len, const hlmi_chat_input *in,
                                     hlmi_buf *out)
{
    hlmi_template *t;
    hlm_status st = hlmi_template_new(mem, text, len, &t);
    if (st == HLM_OK) st = hlmi_template_render(t, mem, in, out, NULL);
    hlmi_template_free(t);
    return st;
}

#endif
