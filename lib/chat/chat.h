/* Chat templates: messages to the text that a model was trained on.
 *
 * A template is Jinja2 as transformers configures it (immutable sandbox, trim_blocks, lstrip_blocks, loop controls,
 * tojson, raise_exception, strftime_now, the generation tag). It comes from a model file and is not trusted: steps,
 * depth, memory and output are bounded, and nothing but the given data can be reached. */
#ifndef HLMI_CHAT_CHAT_H
#define HLMI_CHAT_CHAT_H

#include "base/buf.h"

typedef struct hlmi_template hlmi_template;

typedef struct hlmi_chat_input {
    hlmi_str messages; /* JSON text, an array of messages */
    hlmi_str tools; /* JSON text; NULL: none */
    hlmi_str extra; /* JSON object whose members become variables; NULL: none */
    hlmi_str bos, eos; /* token texts; NULL: left undefined */
    bool add_generation_prompt;
    int64_t now; /* for strftime_now: seconds since 1970 UTC */
} hlmi_chat_input;

/** Parse `text` (copied). The result never changes and may be rendered by many
 *  threads at once. Errors  HLM_E_TEMPLATE with the line, HLM_E_LIMIT, HLM_E_NOMEM. */
hlm_status hlmi_template_new(const hlmi_mem *mem, const char *text, size_t len, hlmi_template **out);
/** NULL-safe. */
void hlmi_template_free(hlmi_template *t);

/** Append the rendered conversation to out, which is left alone on failure. trusted (NULL: not asked for) receives a
 *  byte for each of the text: 1 where it is the template's own (or bos, eos, a variable of `extra` whose name ends in
 *  _token, a role that is a plain word), 0 where it came from messages, tools or extra, or was computed from them.
 *  Errors  HLM_E_FORMAT  messages, tools or extra are not valid JSON, or of the wrong type
 *          HLM_E_TEMPLATE  a run-time error, with the line; after the line, the sentence is raise_exception's message
 *                          where that was called
 *          HLM_E_LIMIT  a budget ran out;  HLM_E_NOMEM */
hlm_status hlmi_template_render(const hlmi_template *t, const hlmi_mem *mem, const hlmi_chat_input *in, hlmi_buf *out,
                                hlmi_buf *trusted);

#endif
