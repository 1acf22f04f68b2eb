/* A SentencePiece model, the file tokenizer.model, as it states itself. */
#ifndef HLMI_TEXT_SPM_H
#define HLMI_TEXT_SPM_H

#include "text/tokenizer.h"

enum { HLMI_SPM_UNIGRAM = 1, HLMI_SPM_BPE = 2 };

typedef struct hlmi_spm {
    size_t n;
    hlmi_str *pieces; /* [n] within the file's bytes; none twice */
    float *scores; /* [n] */
    int32_t *types; /* [n] HLMI_TYPE_... */
    int32_t kind; /* HLMI_SPM_... */
    bool byte_fallback;
    int32_t bos, eos, pad, unk; /* ids, -1: none */
    hlmi_str unk_piece, bos_piece, eos_piece, pad_piece; /* the texts of these; the trainer may have renamed them */
    hlmi_str charsmap; /* precompiled normalisation; empty: none */
    bool treat_whitespace_as_suffix, add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces;
} hlmi_spm;

/** Reads and checks all that the library uses. The bytes must outlive *out, which hlmi_spm_free frees.
 *  Errors  HLM_E_FORMAT, HLM_E_UNSUPPORTED (words or characters as pieces, by name), HLM_E_LIMIT, HLM_E_NOMEM. */
hlm_status hlmi_spm_read(hlmi_spm *out, const hlmi_mem *mem, const char *data, size_t len);
void hlmi_spm_free(hlmi_spm *m, const hlmi_mem *mem);

#endif
