/* What the stages of a tokenizer share: the tokenizer's own struct and the interfaces between the files of this folder.
 * Words:
 *   section  text between two added tokens
 *   piece    a word within a section, as the pre-tokenizer cuts it
 * Each kind of stage is a `static const` descriptor in a table of its file. */
#ifndef HLMI_TEXT_TOKENIZER_IMPL_H
#define HLMI_TEXT_TOKENIZER_IMPL_H

#include "base/json.h"
#include "text/byte_trie.h"
#include "text/normal_form.h"
#include "text/regex.h"
#include "text/replace.h"
#include "text/token_table.h"
#include "text/unicode.h"

/* ---- normalizer: text to text ---- */

typedef struct hlmi_norm hlmi_norm;

typedef struct hlmi_norm_kind {
    const char *name; /* "type" in tokenizer.json */
    /** Reads the kind's own fields; NULL: there are none. */
    hlm_status (*read)(hlmi_norm *n, const hlmi_mem *mem, const hlmi_json *def);
    hlm_status (*run)(const hlmi_norm *n, const char *s, size_t len, hlmi_buf *out);
    void (*put)(uint32_t c, hlmi_buf *out); /* what a character becomes, of kinds that take one by one */
    hlmi_form form; /* of NFC and its like */
} hlmi_norm_kind;

struct hlmi_norm {
    const hlmi_norm_kind *kind;
    hlmi_replace replace; /* Prepend: its content */
    struct hlmi_charsmap *charsmap; /* Precompiled */
    bool flag[2]; /* Strip: left, right; sentencepiece: prepend, merge */
};

typedef struct hlmi_norms {
    hlmi_norm *v;
    size_t n, cap;
} hlmi_norms;

/** Appends the steps of a "normalizer" value (null: none), sequences flattened. */
hlm_status hlmi_norms_read(hlmi_norms *ns, const hlmi_mem *mem, const hlmi_json *def);
/** Appends an empty step of the kind. */
hlm_status hlmi_norms_add(hlmi_norms *ns, const hlmi_mem *mem, const char *kind, hlmi_norm **out);
/** SentencePiece's rules: the longest keys of charsmap [len] (or NULL), spaces as U+2581, one put in front, runs
 *  merged. */
hlm_status hlmi_norms_add_sentencepiece(hlmi_norms *ns, const hlmi_mem *mem, const char *charsmap, size_t len,
                                        bool prepend, bool merge);
/** Will a Strip take the first character of s, which is not empty? What is left does not begin where s begins. */
bool hlmi_norms_strip_left(const hlmi_norms *ns, const char *s);
/** Runs all steps. *text [*len] goes in and comes out; what comes out may lie in a or b. *most receives the bytes of
 *  the longest text that a step made. Errors  HLM_E_LIMIT (more than a->max or b->max), HLM_E_NOMEM. */
hlm_status hlmi_norms_run(const hlmi_norms *ns, const char **text, size_t *len, hlmi_buf *a, hlmi_buf *b, size_t *most);
void hlmi_norms_free(hlmi_norms *ns, const hlmi_mem *mem);

/* ---- pre-tokenizer: section to pieces ---- */

typedef struct hlmi_piece {
    uint32_t begin, end;
    uint32_t first; /* 1: begins where the whole input begins */
} hlmi_piece;

typedef struct hlmi_pieces {
    hlmi_mem mem;
    const char *text; /* the callers', or own.data */
    hlmi_buf own;
    hlmi_piece *v;
    size_t n, cap;
} hlmi_pieces;

hlm_status hlmi_pieces_add(hlmi_pieces *p, size_t begin, size_t end, bool first);

typedef enum hlmi_behavior {
    HLMI_SPLIT_ISOLATED,
    HLMI_SPLIT_REMOVED,
    HLMI_SPLIT_CONTIGUOUS,
    HLMI_SPLIT_MERGED_WITH_PREVIOUS,
    HLMI_SPLIT_MERGED_WITH_NEXT
} hlmi_behavior;

typedef enum hlmi_prepend { HLMI_PREPEND_ALWAYS, HLMI_PREPEND_FIRST, HLMI_PREPEND_NEVER } hlmi_prepend;

typedef struct hlmi_pretok {
    const struct hlmi_pretok_kind *kind;
    hlmi_pattern pattern; /* Split; its text: Metaspace's replacement */
    const struct hlmi_scan *scan; /* the same expression as a hand-written scanner, or NULL */
    hlmi_behavior behavior;
    hlmi_prepend prepend;
    bool invert;
    size_t length; /* FixedLength */
} hlmi_pretok;

typedef struct hlmi_pretoks {
    hlmi_pretok *v;
    size_t n, cap;
} hlmi_pretoks;

hlm_status hlmi_pretoks_read(hlmi_pretoks *ps, const hlmi_mem *mem, const hlmi_json *def);
/** Appends a step that splits by a regular expression, matches isolated. */
hlm_status hlmi_pretoks_add_regex(hlmi_pretoks *ps, const hlmi_mem *mem, const char *pattern);
/** Appends an empty step of the kind. */
hlm_status hlmi_pretoks_add(hlmi_pretoks *ps, const hlmi_mem *mem, const char *kind, hlmi_pretok **out);
/** Runs all steps on *in, with *tmp as the other buffer; the result is in *in. */
hlm_status hlmi_pretoks_run(const hlmi_pretoks *ps, hlmi_pieces *in, hlmi_pieces *tmp);
void hlmi_pretoks_free(hlmi_pretoks *ps, const hlmi_mem *mem);

/* ---- model: pieces to ids ---- */

typedef struct hlmi_token_model hlmi_token_model;

typedef struct hlmi_model_kind {
    const char *name;
    /** Reads "model" of a tokenizer.json, with the tokens. */
    hlm_status (*read)(hlmi_tokenizer *t, const hlmi_json *def);
    /** What an encode call needs beside the model. `plain`: what the text spells is no special token. */
    hlm_status (*begin)(const hlmi_mem *mem, size_t text_len, bool plain, void **scratch);
    hlm_status (*encode)(const hlmi_token_model *m, void *scratch, const char *s, size_t len, hlmi_ids *out);
    void (*end)(void *scratch);
    void (*free)(hlmi_token_model *m, const hlmi_mem *mem);
} hlmi_model_kind;

struct hlmi_token_model {
    const hlmi_model_kind *kind; /* each model's struct begins with this */
    int32_t unk; /* id for what has no token, or -1 */
};

/* What makes a tokenizer's model, of its tokens; also when it fails, the tokenizer frees it. */

/** Byte-level BPE: merges "left right" in order of rank. */
hlm_status hlmi_bpe_from_merges(hlmi_tokenizer *t, const hlmi_str *merges, size_t n, bool ignore_merges);
/** SentencePiece BPE: neighbours whose joined text has the highest score merge first. scores [n], NULL: all 0; n is at
 *  most tokens.n, and ids from n on are no part of the model. */
hlm_status hlmi_bpe_from_scores(hlmi_tokenizer *t, const float *scores, size_t n);
/** Unigram as GGUF files of "t5" have it: pieces of the types that texts may use. */
hlm_status hlmi_unigram_from_scores(hlmi_tokenizer *t, const float *scores, const int32_t *types);
/** Unigram as SentencePiece models have it: the tokens below n that are the model's own. scores [n]. */
hlm_status hlmi_unigram_from_pieces(hlmi_tokenizer *t, const float *scores, size_t n, bool byte_fallback);
extern const hlmi_model_kind hlmi_model_bpe, hlmi_model_unigram;
/** Ids of the tokens <0x00> ... <0xFF>, or -1. */
void hlmi_byte_tokens(const hlmi_tokens *tokens, int32_t bytes[256]);

hlm_status hlmi_ids_push(hlmi_ids *ids, int32_t id);
hlm_status hlmi_ids_append(hlmi_ids *ids, const int32_t *v, size_t n);

/* ---- added tokens ---- */

enum { HLMI_ADDED_SINGLE_WORD = 1, HLMI_ADDED_LSTRIP = 2, HLMI_ADDED_RSTRIP = 4, HLMI_ADDED_SPECIAL = 8 };

/** A set of texts to find, the longest at the leftmost place. */
typedef struct hlmi_added {
    hlmi_byte_trie trie; /* id and flags of each */
    bool begins[256]; /* some text begins with this byte */
} hlmi_added;

enum { HLMI_ADDED_MAX = 1024 }; /* bytes of a text */

hlm_status hlmi_added_insert(hlmi_added *a, const hlmi_mem *mem, const char *s, size_t len, int32_t id, uint8_t flags);
/** Adds flags to a text that stands for the id, and returns them all; 0 when it does not. */
uint8_t hlmi_added_add_flags(hlmi_added *a, const char *s, size_t len, int32_t id, uint8_t flags);
/** The text no longer stands for the id. */
void hlmi_added_remove(hlmi_added *a, const char *s, size_t len, int32_t id);

typedef struct hlmi_added_match {
    size_t begin, end; /* lstrip and rstrip included */
    int32_t id;
} hlmi_added_match;

typedef struct hlmi_added_cursor {
    size_t at; /* where the search goes on */
    size_t taken; /* end of the latest match: lstrip does not reach before it */
    size_t space_from, space_end; /* a run of white space that an rstrip has measured */
    const char *trusted; /* a byte for each of the text: special tokens match where all are 1; NULL: anywhere */
} hlmi_added_cursor;

/** The next match in s [len]; false at the end. Special tokens are passed over unless `special`. */
bool hlmi_added_next(const hlmi_added *a, const char *s, size_t len, bool special, hlmi_added_cursor *c,
                     hlmi_added_match *m);

/* ---- what stands around a text ---- */

typedef struct hlmi_post {
    hlmi_ids prefix, suffix;
} hlmi_post;

hlm_status hlmi_post_read(hlmi_tokenizer *t, const hlmi_json *def);

/* ---- decoder ---- */

typedef struct hlmi_decode_step hlmi_decode_step;

typedef struct hlmi_decode_steps {
    hlmi_decode_step *v;
    size_t n, cap;
} hlmi_decode_steps;

hlm_status hlmi_decode_steps_read(hlmi_decode_steps *d, const hlmi_mem *mem, const hlmi_json *def);
void hlmi_decode_steps_free(hlmi_decode_steps *d, const hlmi_mem *mem);

/* ---- the whole ---- */

struct hlmi_tokenizer {
    hlmi_mem mem;
    hlmi_tokens tokens;
    hlmi_added added, added_normalized;
    hlmi_norms norms;
    hlmi_pretoks pretoks;
    hlmi_token_model *model;
    hlmi_post post;
    hlmi_decode_steps decode;
    bool join_spaces; /* no decoder: tokens are joined by spaces */
    hlmi_special_ids special;
    struct {
        bool bos, eos, pad;
    } said; /* by the tokenizer's files, perhaps that there is none */
};

hlm_status hlmi_tokenizer_alloc(hlmi_tokenizer **out, const hlmi_mem *mem);
/** Appends the stages that a text names as the members "normalizer", "pre_tokenizer" and "decoder" of a tokenizer.json
 *  do. */
hlm_status hlmi_stages_read(hlmi_tokenizer *t, const char *json);
/** Stages that make each space a U+2581, and put one in front when `prefix`. */
hlm_status hlmi_stages_mark_spaces(hlmi_tokenizer *t, bool prefix);
/** A decoder that makes each U+2581 a space, of which one in front goes when `prefix`. */
hlm_status hlmi_stages_decode_spaces(hlmi_tokenizer *t, bool prefix);
/** Puts the tokens bos in front of a text, and eos behind it, if there are such. */
hlm_status hlmi_tokenizer_put_around(hlmi_tokenizer *t, bool bos, bool eos);
/** Is it a type of tokens that are found in texts? */
static inline bool hlmi_type_is_marker(int32_t type)
{
    return type == HLMI_TYPE_CONTROL || type == HLMI_TYPE_UNKNOWN || type == HLMI_TYPE_USER_DEFINED;
}
/** Tokens of these types [n] are found in texts, control and unknown ones as special tokens. `what` they are, in
 *  errors; those that have one of the bits `but` (HLMI_TOK_...) are left out. */
hlm_status hlmi_tokenizer_register_types(hlmi_tokenizer *t, const int32_t *types, size_t n, const char *what,
                                         uint8_t but);
/** Puts a token among those searched for in texts. Its text must be set. */
hlm_status hlmi_tokenizer_register_added(hlmi_tokenizer *t, int32_t id, uint8_t flags, bool normalized);
/** The token is no longer searched for, and what was said about it is forgotten. */
void hlmi_tokenizer_forget_added(hlmi_tokenizer *t, int32_t id);
/** The HLMI_ADDED_... bits of an added token as JSON has it. */
uint8_t hlmi_json_added_flags(const hlmi_json *def, bool special);
/** The token becomes special, and is found in texts; ids outside are ignored. Before the tokenizer is shared. */
hlm_status hlmi_tokenizer_make_special(hlmi_tokenizer *t, int32_t id);
/** Marks the tokens that end an answer, by the special ids and by well-known names; they become special. Once the
 *  decoder is there. words: also those that no list calls a token of its own. */
hlm_status hlmi_tokenizer_mark_ends(hlmi_tokenizer *t, bool words);
/** Is a text in angle or square brackets, and no byte? */
bool hlmi_looks_like_marker(hlmi_str s);

/** The character that byte-level vocabularies spell byte b with. */
uint32_t hlmi_byte_char(uint8_t b);
/** The byte that a character spells, or -1. */
int hlmi_char_byte(uint32_t cp);
/** The byte of a token "<0xNN>", or -1. */
int hlmi_byte_token(hlmi_str s);
/** The same for upper case only, as SentencePiece spells its pieces. */
int hlmi_byte_piece(hlmi_str s);

#endif
