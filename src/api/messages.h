/* Messages as an array of structs, made the JSON that templates read. */
#ifndef HLMI_API_MESSAGES_H
#define HLMI_API_MESSAGES_H

#include "base/buf.h"

/** Append messages [n] to json as the array that hlm_chat_render reads.
 *  Errors  HLM_E_ARG (NULL), HLM_E_FORMAT (no UTF-8), each with the message's number; HLM_E_NOMEM. */
hlm_status hlmi_messages_json(const hlm_message *messages, size_t n, hlmi_buf *json);

#endif
