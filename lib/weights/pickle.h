/* Python's pickles, of which the part is read that PyTorch writes tensors in: dicts, lists, tuples, strings, numbers,
 * storages, and tensors as views of them. A pickle is a program for a machine with a stack; what would import or call
 * anything is compared with a list of names, and what is not in it is refused. Nothing is ever run. */
#ifndef HLMI_WEIGHTS_PICKLE_H
#define HLMI_WEIGHTS_PICKLE_H

#include <stdbool.h>

#include "base/mem.h"
#include "quant/type.h"

/** Bytes of the longest pickle that is read. */
enum { HLMI_PICKLE_MAX = 64 << 20 };

typedef enum hlmi_pickle_kind {
    HLMI_PICKLE_NONE,
    HLMI_PICKLE_BOOL,
    HLMI_PICKLE_INT,
    HLMI_PICKLE_FLOAT,
    HLMI_PICKLE_STRING,
    HLMI_PICKLE_TUPLE,
    HLMI_PICKLE_LIST,
    HLMI_PICKLE_DICT,
    HLMI_PICKLE_GLOBAL,
    HLMI_PICKLE_STORAGE, /* ("storage", its class, key, where it was, elements) */
    HLMI_PICKLE_TENSOR /* (storage, offset, sizes, strides, ...) */
} hlmi_pickle_kind;

typedef struct hlmi_pickle_value {
    hlmi_pickle_kind kind;
    hlmi_type type; /* of a storage */
    bool ordered; /* a dict that is an OrderedDict */
    uint32_t first, last; /* links to items; 0: none */
    union {
        int64_t integer; /* an integer or a bool; of a global its number in the list */
        hlmi_str string;
        size_t n; /* items; a dict has keys and values in turn */
    } u;
} hlmi_pickle_value;

/** An item of a value. */
typedef struct hlmi_pickle_link {
    uint32_t value, next; /* next 0: it is the last */
} hlmi_pickle_link;

typedef struct hlmi_pickle {
    hlmi_mem mem;
    hlmi_pickle_value *values;
    hlmi_pickle_link *links; /* [0] is none */
    size_t n_values, cap_values, n_links, cap_links;
    const hlmi_pickle_value *root;
    size_t end; /* bytes of the pickle */
} hlmi_pickle;

/** Reads a pickle that begins at data and has at most n bytes, to which its strings point then. `at` is where in its
 *  file it begins, for the sentences: HLM_E_FORMAT and HLM_E_UNSUPPORTED name the opcode and its byte.
 *  To be freed also after a failure. */
hlm_status hlmi_pickle_read(hlmi_pickle *p, const hlmi_mem *mem, const uint8_t *data, size_t n, uint64_t at);
void hlmi_pickle_free(hlmi_pickle *p);

/** Goes through the items of a value, *link beginning as v->first: NULL behind the last. */
const hlmi_pickle_value *hlmi_pickle_next(const hlmi_pickle *p, uint32_t *link);
/** Item i of few, or NULL. */
const hlmi_pickle_value *hlmi_pickle_item(const hlmi_pickle *p, const hlmi_pickle_value *v, size_t i);
/** The value of a key of a dict, the last one that was set, or NULL. */
const hlmi_pickle_value *hlmi_pickle_get(const hlmi_pickle *p, const hlmi_pickle_value *v, const char *key);
/** "a dict" */
const char *hlmi_pickle_kind_name(hlmi_pickle_kind kind);

#endif
