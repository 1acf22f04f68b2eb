/* From generated tokens to the text that a caller sees: detokenised as it becomes certain, and cut off before the first
 * stop string. */
#ifndef HLMI_SESSION_OUTPUT_H
#define HLMI_SESSION_OUTPUT_H

#include "session/stop.h"

typedef struct hlmi_output {
    hlm_text_stream *stream; /* NULL: a model without tokenizer, all text is empty */
    hlmi_stop stop;
} hlmi_output;

/** flags as for hlm_text_stream_new. After a failure too hlmi_output_free. */
hlm_status hlmi_output_init(hlmi_output *o, hlm_model *model, uint32_t flags, const char *const *stop, size_t n_stop,
                            const hlmi_mem *mem);
void hlmi_output_free(hlmi_output *o);

/** The text goes on behind that of the tokens that the cache holds. */
hlm_status hlmi_output_begin(hlmi_output *o, const hlm_cache *cache, const hlmi_mem *mem);

/** *text [*len] is valid until the next call; o->stop.found tells whether a stop string ended it. */
hlm_status hlmi_output_push(hlmi_output *o, int32_t token, const char **text, size_t *len);

/** All that is left, as one piece; `goes_on`: but what later tokens may change. */
hlm_status hlmi_output_finish(hlmi_output *o, bool goes_on, const char **text, size_t *len);

#endif
