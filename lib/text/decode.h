/* Decoders as a stream: tokens go in one by one, text comes out as soon as no later token can change it. */
#ifndef HLMI_TEXT_DECODE_H
#define HLMI_TEXT_DECODE_H

#include "text/tokenizer_impl.h"

typedef struct hlmi_decode_kind hlmi_decode_kind;

struct hlmi_decode_step {
    const hlmi_decode_kind *kind;
    hlmi_replace replace;
    char *text; /* Strip: what is stripped; Metaspace: the replacement; BPEDecoder: the suffix */
    size_t text_len;
    size_t start, stop; /* Strip: how many at most */
    bool prefixed; /* Metaspace: the first token's marks are no spaces */
};

typedef struct hlmi_decoder hlmi_decoder;

hlm_status hlmi_decoder_new(hlmi_decoder **out, const hlmi_mem *mem, const hlmi_tokenizer *t);
/** One token's text goes in; what is certain is appended to out. Well-formed UTF-8 whatever the tokens hold. */
hlm_status hlmi_decoder_push(hlmi_decoder *d, hlmi_str token, hlmi_buf *out);
/** The rest; the decoder is then as new. */
hlm_status hlmi_decoder_finish(hlmi_decoder *d, hlmi_buf *out);
/** As new; what was held is forgotten. */
void hlmi_decoder_reset(hlmi_decoder *d);
void hlmi_decoder_free(hlmi_decoder *d);

/** The bytes of a token in a byte-level vocabulary: as spelled when some character is no byte. */
void hlmi_byte_level_bytes(hlmi_str token, hlmi_buf *out);
/** Does all text come out at the end only, because a step needs the joined text as a whole? */
bool hlmi_decode_late(const hlmi_decode_steps *d);
/** Does the list have a step of this kind? */
bool hlmi_decode_has(const hlmi_decode_steps *d, const char *kind);

#endif
