/* A model's chat templates by name. */
#ifndef HLMI_API_TEMPLATES_H
#define HLMI_API_TEMPLATES_H

#include "chat/chat.h"
#include "text/tokenizer.h"
#include "weights/store.h"

typedef struct hlmi_named_text {
    char *name, *text;
    size_t len; /* of the text */
} hlmi_named_text;

/** The templates of the files; a single one is called "default". They are kept as text: the default is parsed when the
 *  model is loaded, the others when they are used: most never are, and a broken one must not make the model useless. */
typedef struct hlmi_templates {
    hlmi_named_text *v;
    size_t n, cap;
    bool named; /* the files say something about templates: no built-in one stands in for a default */
    char *arch; /* as the files name it; "" or, when there are no files but a tokenizer's own, NULL: unknown */
} hlmi_templates;

/** Errors  HLM_E_FORMAT (what is there is no template, by file, key and name), HLM_E_LIMIT, HLM_E_IO, HLM_E_NOMEM; free
 *  what is there then, too. */
hlm_status hlmi_templates_load(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_store *s);
void hlmi_templates_free(hlmi_templates *ts, const hlmi_mem *mem);
/** The one called `name` among the files' templates, else among the built-in ones. name = NULL: with tools the files'
 *  "tool_use", else their "default"; "default" and NULL: the built-in one that fits the model when the files say
 *  nothing.
 *  Errors  HLM_E_UNSUPPORTED (none of that name, or none without one). */
hlm_status hlmi_templates_choose(const hlmi_templates *ts, const hlmi_tokenizer *t, const char *name, bool tools,
                                 hlmi_str *out);
/** The files' one called `name`, or NULL. */
hlmi_named_text *hlmi_templates_find(const hlmi_templates *ts, const char *name);

#endif
