/* A model's chat templates by name. */
#ifndef HLMI_API_TEMPLATES_H
#define HLMI_API_TEMPLATES_H

#include "text/chat.h"
#include "text/tokenizer.h"
#include "weights/store.h"

typedef struct hlmi_named_text {
    char *name, *text;
} hlmi_named_text;

/** The named templates of the files, besides the one that vocab.h loads. They are kept as text and parsed when
 *  they are used: most never are, and a broken one must not make the model useless. */
typedef struct hlmi_templates {
    hlmi_named_text *v;
    size_t n, cap;
    char *arch; /* as the files name it, or NULL */
} hlmi_templates;

/** Errors  HLM_E_FORMAT, HLM_E_IO, HLM_E_NOMEM; free what is there then, too. */
hlm_status hlmi_templates_load(hlmi_templates *ts, const hlmi_mem *mem, const hlmi_store *s);
void hlmi_templates_free(hlmi_templates *ts, const hlmi_mem *mem);
/** The text called `name` among the files' templates, then among the built-in ones; name = NULL: the built-in
 *  one that fits the model. *s = NULL when there is none. */
void hlmi_templates_find(const hlmi_templates *ts, const hlmi_tokenizer *t, const char *name, hlmi_str *out);
/** Have the files one called `name`? */
bool hlmi_templates_has(const hlmi_templates *ts, const char *name);

#endif
