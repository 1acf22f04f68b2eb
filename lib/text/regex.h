/* What is looked for in texts: a text, or a regular expression from a tokenizer file on PCRE2, with the meaning that
 * Oniguruma's Ruby syntax gives it (the engine they were written for), and under a budget of steps. */
#ifndef HLMI_TEXT_REGEX_H
#define HLMI_TEXT_REGEX_H

#include "base/buf.h"

/** Zeroed: nothing. */
typedef struct hlmi_pattern {
    char *text; /* [len] as the file has it */
    size_t len;
    void *code, *general; /* of an expression; NULL: the text itself is looked for */
} hlmi_pattern;

/** Looks for a copy of the text, or for what matches it as an expression; free it also after an error. *mem must stay
 *  where it is while the expression lives.
 *  Errors  HLM_E_UNSUPPORTED with PCRE2's words and the expression, HLM_E_NOMEM. */
hlm_status hlmi_pattern_set(hlmi_pattern *p, const hlmi_mem *mem, hlmi_str text, bool expression);
void hlmi_pattern_free(hlmi_pattern *p, const hlmi_mem *mem);

/** Compiles what both kinds of expressions come down to: `text` in PCRE2's spelling with its options, groups nested up
 *  to `nested`. `source` is how the file has it, for errors. */
hlm_status hlmi_pattern_compile(hlmi_pattern *p, const hlmi_mem *mem, const hlmi_buf *text, uint32_t options,
                                uint32_t nested, hlmi_str source);

/** Walks over the matches in one text after another. */
typedef struct hlmi_matches {
    const hlmi_pattern *pattern;
    void *data, *context; /* of an expression */
    const char *s;
    size_t len, at;
    bool found;
    size_t begin, end; /* of the latest match */
} hlmi_matches;

hlm_status hlmi_matches_begin(hlmi_matches *w, const hlmi_pattern *p);
/** Next text: well-formed UTF-8. */
void hlmi_matches_text(hlmi_matches *w, const char *s, size_t len);
/** w->found tells whether there is another match [w->begin, w->end). Errors  HLM_E_LIMIT, HLM_E_NOMEM. */
hlm_status hlmi_matches_next(hlmi_matches *w);
void hlmi_matches_end(hlmi_matches *w);

#endif
