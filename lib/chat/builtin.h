/* Chat templates of the library's own, for families whose files carry none. Their sources are templates/NAME.jinja;
 * which model gets which is said in builtin.c. */
#ifndef HLMI_CHAT_BUILTIN_H
#define HLMI_CHAT_BUILTIN_H

#include "text/tokenizer.h"

typedef struct hlmi_builtin {
    const char *name;
    const char *text; /* [len], not ended by 0 */
    size_t len;
} hlmi_builtin;

extern const hlmi_builtin hlmi_builtin_templates[];
extern const size_t hlmi_builtin_count;

/** NULL when there is none of that name. */
const hlmi_builtin *hlmi_builtin_find(const char *name);
/** The template for an architecture as its file names it ("" when unknown) and a tokenizer's markers (NULL: none); NULL
 *  when nothing speaks for one. */
const hlmi_builtin *hlmi_builtin_for(const char *arch, const hlmi_tokenizer *t);

#endif
