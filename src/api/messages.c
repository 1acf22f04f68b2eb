/* Messages as JSON (see messages.h). There is one way into a template, so that both forms of messages give the same
 * bytes. */
#include "api/messages.h"

#include <string.h>

#include "base/status.h"
#include "text/unicode.h"

/* What is no UTF-8 is refused here: the JSON reader would name a place in a text that the caller never saw. */
static hlm_status add_string(hlmi_buf *json, const char *text, size_t i, const char *field)
{
    if (!text) return hlmi_fail(HLM_E_ARG, "messages[%zu].%s is NULL", i, field);
    const size_t len = strlen(text), valid = hlmi_utf8_valid(text, len);
    if (valid < len)
        return hlmi_fail(HLM_E_FORMAT, "messages[%zu].%s is no UTF-8: byte %zu is 0x%02x", i, field, valid,
                         (unsigned char)text[valid]);
    hlmi_buf_char(json, '"');
    for (size_t at = 0; at < len;) {
        size_t plain = 0;
        while (at + plain < len && (unsigned char)text[at + plain] >= 0x20 && text[at + plain] != '"' &&
               text[at + plain] != '\\')
            plain++;
        hlmi_buf_add(json, text + at, plain);
        at += plain;
        if (at < len) hlmi_buf_printf(json, "\\u%04x", (unsigned char)text[at++]);
    }
    hlmi_buf_char(json, '"');
    return HLM_OK;
}

hlm_status hlmi_messages_json(const hlm_message *messages, size_t n, hlmi_buf *json)
{
    if (n && !messages) return hlmi_fail(HLM_E_ARG, "messages is NULL");
    hlmi_buf_char(json, '[');
    for (size_t i = 0; i < n; i++) {
        hlmi_buf_str(json, i ? ",{\"role\":" : "{\"role\":");
        HLMI_DO(add_string(json, messages[i].role, i, "role"));
        hlmi_buf_str(json, ",\"content\":");
        HLMI_DO(add_string(json, messages[i].content, i, "content"));
        hlmi_buf_char(json, '}');
    }
    hlmi_buf_char(json, ']');
    return hlmi_buf_status(json, "messages");
}
