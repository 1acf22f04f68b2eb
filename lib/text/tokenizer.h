/* A tokenizer: text to token ids and back, immutable once built and safe to use from any number of threads. Encoding is
 * a pipeline, each stage a file of its own:
 *
 *   added.c      markers such as <|im_end|> are cut out first (raw text), then, after the normalizer, those declared as
 *                normalized
 *   normalize.c  NFC, replacements, ... (text to text)
 *   pretok.c     cuts the text into words
 *   bpe.c, unigram.c   words to ids (the model)
 *   post.c       what stands around a text (bos, eos)
 *   decode.c     ids to text, as a stream; a whole text is a stream run to its end
 *
 * Built from a tokenizer.json (load_json.c), from vocab.json and merges.txt (load_merges.c), from the facts a GGUF file
 * carries (load_vocab.c), or from a SentencePiece model (spm.c, load_spm.c). */
#ifndef HLMI_TEXT_TOKENIZER_H
#define HLMI_TEXT_TOKENIZER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/log.h"

typedef struct hlmi_tokenizer hlmi_tokenizer;

/** A growing array of token ids. */
typedef struct hlmi_ids {
    hlmi_mem mem;
    int32_t *v;
    size_t n, cap;
} hlmi_ids;

void hlmi_ids_init(hlmi_ids *ids, const hlmi_mem *mem);
void hlmi_ids_free(hlmi_ids *ids);

/** Token types of GGUF files and SentencePiece models. */
enum {
    HLMI_TYPE_NORMAL = 1,
    HLMI_TYPE_UNKNOWN = 2,
    HLMI_TYPE_CONTROL = 3,
    HLMI_TYPE_USER_DEFINED = 4,
    HLMI_TYPE_UNUSED = 5,
    HLMI_TYPE_BYTE = 6
};

/** A vocabulary as GGUF metadata or a SentencePiece model states it. Everything is read during construction only. Ids
 *  are -1 where the file names none. */
typedef struct hlmi_vocab {
    hlmi_str model; /* "gpt2": byte-level BPE by merges; "llama": BPE by scores; "t5": Unigram */
    hlmi_str pre; /* of "gpt2": which pre-tokenizer; empty for the default */
    size_t n_tokens;
    const hlmi_str *tokens; /* [n_tokens] any bytes */
    const float *scores; /* [n_tokens] or NULL: all 0 */
    const int32_t *types; /* [n_tokens] HLMI_TYPE_... or NULL: all normal */
    size_t n_merges;
    const hlmi_str *merges; /* [n_merges] "left right" */
    int32_t bos, eos, unk, pad, eot, eom;
    int32_t add_bos, add_eos; /* 1, 0, or -1: the model's default */
    int32_t add_space_prefix; /* of "llama" and "t5"; as above */
    int32_t remove_extra_whitespaces; /* of "t5"; as above */
    const char *charsmap; /* precompiled normalisation, or NULL */
    size_t charsmap_len;
} hlmi_vocab;

/** The bytes of the files beside a tokenizer's own. NULL: not there. lib/text/side.h says which counts when. */
typedef struct hlmi_side_files {
    const char *config; /* tokenizer_config.json */
    size_t config_len;
    const char *map; /* special_tokens_map.json */
    size_t map_len;
    const char *added; /* added_tokens.json */
    size_t added_len;
    const char *class_name, *model_type; /* of config.json: tokenizer_class, model_type; or NULL */
} hlmi_side_files;

/** From the text of a tokenizer.json. side = NULL: it stands alone.
 *  Errors  HLM_E_FORMAT, HLM_E_UNSUPPORTED (a kind of stage, by name), HLM_E_NOMEM. */
hlm_status hlmi_tokenizer_from_json(hlmi_tokenizer **out, const hlmi_mem *mem, const char *json, size_t len,
                                    const hlmi_side_files *side);
/** From vocab.json and merges.txt, as the class that the files beside them name reads them. Errors as from_json's, and
 *  HLM_E_UNSUPPORTED (a class that is not known, by name). */
hlm_status hlmi_tokenizer_from_merges(hlmi_tokenizer **out, const hlmi_mem *mem, hlmi_str vocab, hlmi_str merges,
                                      const hlmi_side_files *side);
hlm_status hlmi_tokenizer_from_vocab(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_vocab *v);
/** From a SentencePiece model. Errors as from_json's. */
hlm_status hlmi_tokenizer_from_spm(hlmi_tokenizer **out, const hlmi_mem *mem, const char *model, size_t len,
                                   const hlmi_side_files *side);
/** Is the SentencePiece model sound, although another file is the tokenizer? */
hlm_status hlmi_spm_check(const hlmi_mem *mem, const char *data, size_t len, size_t *n_pieces);
void hlmi_tokenizer_free(hlmi_tokenizer *t); /* NULL is fine */

/** Appends the ids of text [len] to out. flags: HLM_TOKENIZE_... Ill-formed UTF-8 is read as U+FFFD, one for each
 *  maximal bad sequence.
 *  Errors  HLM_E_LIMIT (a normalizer or regular expression went over its budget), HLM_E_UNSUPPORTED, HLM_E_NOMEM; out
 *          is then undefined. */
hlm_status hlmi_tokenizer_encode(const hlmi_tokenizer *t, const char *text, size_t len, uint32_t flags, hlmi_ids *out);

/** The same with special tokens parsed, but only in bytes whose `trusted` [len] is 1; in the others they are plain
 *  text. What surrounds a text is not added. A special token that the file declares as normalized needs all the text
 *  around it, up to the next token that is not, to be trusted.
 *  Errors  as above, and HLM_E_FORMAT when the text is not UTF-8. */
hlm_status hlmi_tokenizer_encode_traced(const hlmi_tokenizer *t, const char *text, size_t len, const char *trusted,
                                        hlmi_ids *out);

/** Appends the text of ids [n] to out. flags: HLM_DETOKENIZE_...
 *  Errors  HLM_E_TOKEN, HLM_E_NOMEM. */
hlm_status hlmi_tokenizer_decode(const hlmi_tokenizer *t, const int32_t *ids, size_t n, uint32_t flags, hlmi_buf *out);

/** Bytes that one token stands for inside a text, without the rules for beginnings; not
 *  always whole characters. Errors  HLM_E_TOKEN, HLM_E_NOMEM. */
hlm_status hlmi_tokenizer_piece(const hlmi_tokenizer *t, int32_t id, hlmi_buf *out);

/** Largest id + 1. */
int32_t hlmi_tokenizer_size(const hlmi_tokenizer *t);

typedef struct hlmi_special_ids {
    int32_t bos, eos, pad, unk; /* -1: none */
} hlmi_special_ids;

/** Ids of a model's configuration, for what the tokenizer's own files are silent about. Only before it is shared; ids
 *  outside are ignored. */
void hlmi_tokenizer_suppose(hlmi_tokenizer *t, hlmi_special_ids ids);
/** The model has `rows` rows: added tokens from there on are gone, with the parts they have to play, and logged by
 *  name. Only before it is shared. Errors  HLM_E_FORMAT (one of them is a word of the vocabulary). */
hlm_status hlmi_tokenizer_limit(hlmi_tokenizer *t, size_t rows, const hlmi_logger *log);

hlmi_special_ids hlmi_tokenizer_special(const hlmi_tokenizer *t);
/** Left out by HLM_DETOKENIZE_SKIP_SPECIAL? false for ids outside. */
bool hlmi_tokenizer_is_special(const hlmi_tokenizer *t, int32_t id);
/** Does the token end an answer (eos, end of turn, ...)? false for ids outside. */
bool hlmi_tokenizer_ends(const hlmi_tokenizer *t, int32_t id);
/** Another file (generation_config.json) says that `id` ends an answer: it becomes special, unless it spells nothing
 *  but white space. Only before the tokenizer is shared; ids outside are ignored. */
hlm_status hlmi_tokenizer_add_end(hlmi_tokenizer *t, int32_t id);
/** Id of the token with exactly this text, as the file spells it; -1 when there is none. */
int32_t hlmi_tokenizer_find(const hlmi_tokenizer *t, const char *text, size_t len);
/** The text as the file spells it ("" for ids without a token). */
hlmi_str hlmi_tokenizer_text(const hlmi_tokenizer *t, int32_t id);

/** Text of one token after another. The tokenizer must outlive it. */
typedef struct hlmi_tstream hlmi_tstream;
hlm_status hlmi_tstream_new(hlmi_tstream **out, const hlmi_mem *mem, const hlmi_tokenizer *t, uint32_t flags);
/** As if the ids [n] had been pushed and their text given. Ids without a token stand for no text.
 *  Errors  HLM_E_LIMIT, HLM_E_NOMEM; the stream is then as new. */
hlm_status hlmi_tstream_begin(hlmi_tstream *s, const int32_t *ids, size_t n);
/** *text [*len]: what became certain, valid until the next call. Errors HLM_E_TOKEN (nothing changed), HLM_E_NOMEM. */
hlm_status hlmi_tstream_push(hlmi_tstream *s, int32_t id, const char **text, size_t *len);
/** What is left; the stream is then as new. */
hlm_status hlmi_tstream_finish(hlmi_tstream *s, const char **text, size_t *len);
/** What is left but for what later tokens may change; the stream is then as new. */
hlm_status hlmi_tstream_cut(hlmi_tstream *s, const char **text, size_t *len);
void hlmi_tstream_free(hlmi_tstream *s);

#endif
