/* What the files beside a tokenizer say about tokens: tokenizer_config.json, special_tokens_map.json,
 * added_tokens.json, and what a class of transformers supposes when they say nothing. Which file counts is as in
 * transformers: with "added_tokens_decoder" tokenizer_config.json alone; without it special_tokens_map.json comes
 * before tokenizer_config.json, and added_tokens.json lists the added tokens. */
#ifndef HLMI_TEXT_SIDE_H
#define HLMI_TEXT_SIDE_H

#include "base/json.h"
#include "text/tokenizer.h"

/** A kind of tokenizer by the name that tokenizer_config.json has for it. */
typedef struct hlmi_token_class {
    const char *names; /* divided by spaces, without "Fast" */
    const char *model_types; /* of config.json, when no class is named */
    const char *stages; /* members of a tokenizer.json for vocab.json and merges.txt; NULL: not from these files */
    const char *bos, *eos, *unk, *sep, *pad, *cls, *mask; /* texts, or NULL */
    bool prefix_space, mask_lstrip;
    bool around; /* cls in front, sep behind */
} hlmi_token_class;

/** NULL when none is known by this name, or with name = NULL for this model type (NULL: unknown). */
const hlmi_token_class *hlmi_token_class_find(const char *name, const char *model_type);

typedef struct hlmi_side {
    hlmi_mem mem;
    hlmi_json *config, *map, *added; /* NULL: not there, or of no account */
    hlmi_json *special; /* the texts of all named tokens, as keys */
    const hlmi_token_class *kind; /* or NULL */
} hlmi_side;

/** files = NULL: there are none. Errors  HLM_E_FORMAT by file, HLM_E_NOMEM; free it then, too. */
hlm_status hlmi_side_read(hlmi_side *s, const hlmi_mem *mem, const hlmi_side_files *files);
void hlmi_side_free(hlmi_side *s);

/** A token that has a part to play ("eos_token"). */
typedef struct hlmi_named {
    hlmi_str text; /* s = NULL: none */
    uint8_t flags; /* HLMI_ADDED_... */
    bool said; /* by the files, perhaps that there is none; else by the class */
} hlmi_named;

/** Errors  HLM_E_FORMAT (the value is no text). */
hlm_status hlmi_side_named(const hlmi_side *s, const char *key, hlmi_named *out);

/** A token that a file adds. */
typedef struct hlmi_side_token {
    hlmi_str text;
    int64_t id; /* -1: the next one */
    uint8_t flags; /* HLMI_ADDED_... */
    bool normalized;
    bool listed; /* in added_tokens_decoder, which comes before tokenizer.json */
    bool supposed; /* by the class, not by a file */
    const char *where; /* file and key */
} hlmi_side_token;

/** Calls add for all of them, in the order in which transformers adds them. */
hlm_status hlmi_side_each(const hlmi_side *s, hlm_status (*add)(void *user, const hlmi_side_token *token), void *user);

/** How tokens get into a vocabulary that is there. */
typedef struct hlmi_placer {
    hlmi_tokenizer *t;
    const char *vocabulary; /* the name of its file */
    int32_t last; /* the largest id of an added token, or -1 */
    hlmi_json *said; /* text to id: what the tokenizer's own list says, which counts for nothing but this */
    int32_t skipped; /* ids that a list gives to words of the vocabulary */
    bool takes_pieces; /* a listed token takes the place of a piece that has its id */
    bool supposes; /* tokens that only the class supposes are added, too */
    const int32_t *piece_types; /* [n_pieces] of SentencePiece, or NULL */
    size_t n_pieces;
} hlmi_placer;

/** An `add` for hlmi_side_each; user is a hlmi_placer.
 *  Errors  HLM_E_FORMAT (two texts for one id, two ids for one text), HLM_E_UNSUPPORTED (too long), HLM_E_NOMEM. */
hlm_status hlmi_place_token(void *user, const hlmi_side_token *token);

/** Sets *id when side names a token for the key; *said (may be NULL): the files have the key. Errors  HLM_E_FORMAT. */
hlm_status hlmi_side_special_id(const hlmi_tokenizer *t, const hlmi_side *side, const char *key, int32_t *id,
                                bool *said);
/** Sets the special ids that side names, and marks what ends an answer (`words` as hlmi_tokenizer_mark_ends). */
hlm_status hlmi_side_special(hlmi_tokenizer *t, const hlmi_side *side, bool words);
/** Fills a new tokenizer from the members of a tokenizer.json, called `vocabulary` in errors; supposes as
 *  hlmi_placer. */
hlm_status hlmi_json_build(hlmi_tokenizer *t, const hlmi_json *root, const hlmi_side *side, const char *vocabulary,
                           bool supposes);

#endif
