/* Regular expressions from tokenizer files, on PCRE2, with the meaning that Oniguruma's Ruby syntax gives them (the
 * engine they were written for), and under a budget of steps. */
#ifndef HLMI_TEXT_REGEX_H
#define HLMI_TEXT_REGEX_H

#include "base/buf.h"

/** A compiled expression; zeroed: none. */
typedef struct hlmi_regex {
    void *code, *general;
} hlmi_regex;

/** Errors  HLM_E_UNSUPPORTED with PCRE2's words and the expression. *mem must stay where it is while
 *  the expression lives. */
hlm_status hlmi_regex_compile(hlmi_regex *re, const hlmi_mem *mem, const char *pattern, size_t len);
void hlmi_regex_free(hlmi_regex *re);

/** Compiles what both kinds of expressions come down to: `text` in PCRE2's spelling with its options, groups nested up
 *  to `nested`. `pattern` is how the file has it, for errors. Both are the caller's to free, also after an error. */
hlm_status hlmi_pcre_compile(void **code, void **general, const hlmi_mem *mem, const hlmi_buf *text, uint32_t options,
                             uint32_t nested, hlmi_str pattern);

/** Walks over the matches in one text after another. */
typedef struct hlmi_regex_walk {
    const hlmi_regex *re;
    void *data, *context;
    const char *s;
    size_t len, at, last_end;
    bool any;
} hlmi_regex_walk;

hlm_status hlmi_regex_walk_begin(hlmi_regex_walk *w, const hlmi_regex *re);
/** Next text: well-formed UTF-8. */
void hlmi_regex_walk_text(hlmi_regex_walk *w, const char *s, size_t len);
/** *found tells whether there is another match [*begin, *end). Errors  HLM_E_LIMIT, HLM_E_NOMEM. */
hlm_status hlmi_regex_walk_next(hlmi_regex_walk *w, bool *found, size_t *begin, size_t *end);
void hlmi_regex_walk_end(hlmi_regex_walk *w);

#endif
