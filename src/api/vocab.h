/* The tokenizer of an open store. */
#ifndef HLMI_API_VOCAB_H
#define HLMI_API_VOCAB_H

#include "text/tokenizer.h"
#include "weights/store.h"

/** *out = NULL and HLM_OK when there is no tokenizer (the model still runs on ids).
 *  log: what is passed over. Errors  HLM_E_FORMAT, HLM_E_UNSUPPORTED, HLM_E_IO, HLM_E_NOMEM. */
hlm_status hlmi_vocab_load(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_store *store, const hlmi_logger *log);
/** Does the path name one of the files that hlmi_vocab_load_file reads? */
bool hlmi_vocab_is_file(const char *path);
/** A tokenizer.json, a SentencePiece model (.model) or one of vocab.json and merges.txt; the files beside it count as
 *  in a folder, config.json for its class only. */
hlm_status hlmi_vocab_load_file(hlmi_tokenizer **out, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path);

#endif
