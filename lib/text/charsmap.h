/* The precompiled normalisation map of SentencePiece: a double-array trie from byte sequences to replacements, as it
 * lies in model files. */
#ifndef HLMI_TEXT_CHARSMAP_H
#define HLMI_TEXT_CHARSMAP_H

#include "base/buf.h"

/** One block: hlmi_free ends it. */
typedef struct hlmi_charsmap hlmi_charsmap;

/** From the blob (copied): u32 size of the trie, the trie's u32 units, the replacements. All that a search can reach is
 *  checked, so that none fails.
 *  Errors  HLM_E_FORMAT, HLM_E_NOMEM. */
hlm_status hlmi_charsmap_new(hlmi_charsmap **out, const hlmi_mem *mem, const void *blob, size_t len);
/** The same, from its base64 form. */
hlm_status hlmi_charsmap_base64(hlmi_charsmap **out, const hlmi_mem *mem, const char *s, size_t len);

/** Applies the map to text as the tokenizers library does: to each short grapheme cluster, by the shortest key that it
 *  begins with, else to each character. */
void hlmi_charsmap_graphemes(const hlmi_charsmap *m, const char *s, size_t len, hlmi_buf *out);
/** The longest key at the beginning of s [len]: *to receives the replacement and the result is the key's length; 0 when
 *  there is none. The rule of SentencePiece itself. */
size_t hlmi_charsmap_longest(const hlmi_charsmap *m, const char *s, size_t len, hlmi_str *to);

#endif
