/* How the weights of a folder are quantised, as its settings say: found before the weights are opened. */
#ifndef HLMI_WEIGHTS_SCHEMES_H
#define HLMI_WEIGHTS_SCHEMES_H

#include "weights/store.h"

typedef enum hlmi_method {
    HLMI_METHOD_NONE,
    HLMI_METHOD_GPTQ,
    HLMI_METHOD_AWQ,
    HLMI_METHOD_COMPRESSED_TENSORS,
    HLMI_METHOD_FP8,
    HLMI_METHOD_BITSANDBYTES,
    HLMI_METHOD_TORCHAO,
    HLMI_METHOD_MODELOPT
} hlmi_method;

typedef struct hlmi_scheme {
    hlmi_method method;
    const char *name; /* of the method */
    char said[64]; /* what the settings call it, also when it is not read; "": nothing */
    int64_t bits; /* 0: the settings do not say */
    bool zeros_from_one; /* of GPTQ: zeros are stored less 1, as the first format has them */
    int64_t block[2]; /* rows and columns with one scale, where that is a block; 0: not said */
    char what[512]; /* the begin of a sentence that refuses them: where the settings say what */
} hlmi_scheme;

/** Reads it from config.json or the side files of tools. HLM_E_UNSUPPORTED names a method, or a format of one, that is
 *  not read. */
hlm_status hlmi_scheme_find(const hlmi_store *s, hlmi_scheme *out);

/** Coded matrices (coded.h) take the places of their parts in the store, whose tensors are all there and have an index.
 *  HLM_E_UNSUPPORTED when there is none. */
hlm_status hlmi_coded_find(hlmi_store *s, const hlmi_scheme *scheme);
/** Frees them. */
void hlmi_coded_free(hlmi_store *s);

#endif
