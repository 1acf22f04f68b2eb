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

/** What a step keeps between tokens. */
typedef struct hlmi_step_state {
    hlmi_buf unit; /* a gathered unit */
    hlmi_buf held; /* what the step itself holds back */
    hlmi_buf made; /* what it hands on */
    size_t count; /* of the kind */
    bool begun;
} hlmi_step_state;

struct hlmi_tstream {
    hlmi_mem mem;
    const hlmi_tokenizer *t;
    uint32_t flags;
    bool begun;
    hlmi_buf given; /* by the latest call */
    size_t before; /* bytes of text that come out late, but were given before the stream began */
    hlmi_buf *out;
    hlmi_buf tail; /* the beginning of a character */
    size_t taken, grown; /* bytes of all tokens; bytes that replacements added to them */
    hlmi_step_state state[];
};

/** One token's text goes in; what is certain is appended to out. Well-formed UTF-8 whatever the tokens hold. */
hlm_status hlmi_decode_push(hlmi_tstream *d, hlmi_str token, hlmi_buf *out);
/** The rest; the stream is then as new. */
hlm_status hlmi_decode_finish(hlmi_tstream *d, hlmi_buf *out);
/** As new; what was held is forgotten. */
void hlmi_decode_reset(hlmi_tstream *d);

/** The bytes of a token in a byte-level vocabulary: as spelled when some character is no byte. */
void hlmi_byte_level_bytes(hlmi_str token, hlmi_buf *out);
/** Does all text come out at the end only, because a step needs the joined text as a whole? */
bool hlmi_decode_late(const hlmi_decode_steps *d);
/** Does the list have a step of this kind? */
bool hlmi_decode_has(const hlmi_decode_steps *d, const char *kind);

#endif
