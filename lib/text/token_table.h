/* The texts of all tokens in one block of memory, and one hash table from text to id. */
#ifndef HLMI_TEXT_TOKEN_TABLE_H
#define HLMI_TEXT_TOKEN_TABLE_H

#include "text/tokenizer.h"

enum {
    HLMI_TOK_PRESENT = 1, /* ids may have gaps */
    HLMI_TOK_MODEL = 2, /* in the model's own vocabulary: words may become it */
    HLMI_TOK_SPECIAL = 4,
    HLMI_TOK_ENDS = 8,
    HLMI_TOK_ADDED = 16,
    HLMI_TOK_UNUSED = 32,
    HLMI_TOK_RESPELLED = 64
};

/** Most ids that a vocabulary may have: bounds what an id in a small file can cost. */
enum { HLMI_MAX_TOKENS = 1 << 22 };

typedef struct hlmi_token_slot {
    uint32_t hash, id1; /* id + 1; 0: empty */
} hlmi_token_slot;

typedef struct hlmi_token {
    uint32_t at, len; /* of its text */
    uint8_t attr; /* HLMI_TOK_... */
} hlmi_token;

typedef struct hlmi_tokens {
    hlmi_mem mem;
    char *text;
    size_t text_len, text_cap;
    hlmi_token *v; /* [n] */
    size_t n, cap;
    size_t n_model; /* tokens set with HLMI_TOK_MODEL */
    struct hlmi_respelled {
        int32_t id;
        uint32_t at, len;
    } * respelled; /* tokens that are shown otherwise than their text: few */
    size_t n_respelled, respelled_cap;
    hlmi_token_slot *slots; /* [mask + 1] */
    size_t mask;
} hlmi_tokens;

/** Ids below n are valid from now on, new ones without a text. HLM_E_LIMIT past HLMI_MAX_TOKENS. */
hlm_status hlmi_tokens_reserve(hlmi_tokens *t, size_t n);
/** The id, which has no text yet, is a token. When two ids have one text, it finds the later one. Errors as
 *  hlmi_tokens_reserve's. */
hlm_status hlmi_tokens_add(hlmi_tokens *t, int32_t id, hlmi_str text, uint8_t attr);
/** The id of a text, or -1. */
int32_t hlmi_tokens_find(const hlmi_tokens *t, const char *s, size_t len);
/** The id of a text in the model's own vocabulary, or -1. */
int32_t hlmi_tokens_find_model(const hlmi_tokens *t, const char *s, size_t len);
/** From now on the token is shown as `text`, and is not special. */
hlm_status hlmi_tokens_respell(hlmi_tokens *t, int32_t id, hlmi_str text);
/** What decoders get: the text, or how it was respelled. */
hlmi_str hlmi_tokens_shown(const hlmi_tokens *t, int32_t id);
hlmi_str hlmi_tokens_text(const hlmi_tokens *t, int32_t id);
void hlmi_tokens_free(hlmi_tokens *t);

/** A hash of short strings; the same everywhere in this folder, never stored. */
uint32_t hlmi_text_hash(const char *s, size_t n);

#endif
