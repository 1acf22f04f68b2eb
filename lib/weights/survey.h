/* Files that may be refused: what they hold as far as it can be read, and each sentence of what keeps them from being
 * read as a model. Nothing of the weights is read. */
#ifndef HLMI_WEIGHTS_SURVEY_H
#define HLMI_WEIGHTS_SURVEY_H

#include "base/notes.h"
#include "weights/schemes.h"

typedef struct hlmi_survey {
    /** Only for its settings and its tensors, each as it lies in its file (no coded matrix in the place of several),
     *  unless nothing was noted; hlmi_store_find and hlmi_store_kv may then miss some. */
    hlmi_store *store;
    const char *container; /* "GGUF", "folder", or of weights alone "safetensors", "PyTorch" */
    uint32_t version; /* of GGUF */
    bool adapter; /* a folder with an adapter's settings in place of a model's */
    hlmi_scheme scheme;
    size_t n_files;
} hlmi_survey;

/** Errors  of what was recognised as no container at all: HLM_E_IO, HLM_E_FORMAT, HLM_E_ARG (a folder of several
 *          models); HLM_E_NOMEM. What else is wrong is noted. */
hlm_status hlmi_survey_open(hlmi_survey *out, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path,
                            const hlmi_notes *notes);
/** NULL-safe on a zeroed survey. */
void hlmi_survey_close(hlmi_survey *v);
/** Weight file i of a store: its path; *bytes receives its size. */
const char *hlmi_survey_file(const hlmi_survey *v, size_t i, uint64_t *bytes);
/** The path of the file that holds t. */
const char *hlmi_survey_file_of(const hlmi_survey *v, const hlmi_tensor *t);

/** A folder: as much of it as can be read. HLM_E_IO when nothing in it is a model's. */
hlm_status hlmi_hf_survey(hlmi_store *s, const hlmi_notes *notes, hlmi_scheme *scheme, bool *adapter);

#endif
