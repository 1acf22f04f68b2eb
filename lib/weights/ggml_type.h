/* Tensor types of GGUF files by their numbers. */
#ifndef HLMI_WEIGHTS_GGML_TYPE_H
#define HLMI_WEIGHTS_GGML_TYPE_H

#include "quant/type.h"

/** true: `*type` is ours. false: it is not supported; *name is what the number stands for, NULL for an unknown one. */
bool hlmi_ggml_type(uint64_t number, hlmi_type *type, const char **name);

#endif
