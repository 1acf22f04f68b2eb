/* Stop strings in a stream of text. Text that may be the beginning of a stop string is held back until it is certain;
 * how the text is cut into pieces makes no difference. The first stop string to be complete counts and, of those
 * complete at the same byte, the longest. */
#ifndef HLMI_SESSION_STOP_H
#define HLMI_SESSION_STOP_H

#include "base/buf.h"

typedef struct hlmi_stop_word {
    const char *text; /* the caller's */
    size_t len;
    size_t *fail; /* [len] longest proper border of the first i + 1 bytes (Knuth, Morris, Pratt 1977) */
    size_t matched; /* bytes of it that the text so far ends with */
} hlmi_stop_word;

typedef struct hlmi_stop {
    hlmi_mem mem;
    hlmi_stop_word *words;
    size_t n;
    hlmi_buf held;
    size_t given; /* of held, what was handed out before */
    bool found;
} hlmi_stop;

/** The strings must stay where they are until hlmi_stop_free.
 *  Errors  HLM_E_ARG (a string is NULL or empty), HLM_E_NOMEM; free it then too. */
hlm_status hlmi_stop_init(hlmi_stop *s, const char *const *strings, size_t n, const hlmi_mem *mem);
void hlmi_stop_free(hlmi_stop *s);

/** More text in; *out [*out_len] is what became certain, valid until the next call. After a stop string was found
 *  (s->found) nothing comes out any more. */
hlm_status hlmi_stop_feed(hlmi_stop *s, const char *text, size_t len, const char **out, size_t *out_len);

/** The last text in; *out is all that is left, for there is no more to wait for. */
hlm_status hlmi_stop_close(hlmi_stop *s, const char *text, size_t len, const char **out, size_t *out_len);

#endif
