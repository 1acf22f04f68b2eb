/* JSON from untrusted files, through jansson. Accepts the bare Infinity,
 * -Infinity and NaN that real configs contain: each becomes the object
 * {"__float__": "Infinity"}, the spelling other real configs use; read numbers
 * with hlmi_json_number and both are the same. */
#ifndef HLMI_BASE_JSON_H
#define HLMI_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "base/mem.h"

/** What a text may hold, by what it is for: values in all, objects among them, and the memory of the parsed values. */
typedef enum hlmi_json_use {
    HLMI_JSON_SETTINGS, /* 1 000 000 values, 100 000 objects, 64 MB */
    HLMI_JSON_TENSORS, /* of a store: 4 000 000, 400 000, 256 MB */
    HLMI_JSON_TOKENIZER /* 6 000 000, 300 000, 384 MB */
} hlmi_json_use;

/** hlmi_json_parse for a text of another use than settings.
 *  Before anything is parsed, its values are counted and their memory is estimated. jansson's memory is malloc's, for
 *  its allocator belongs to the whole process; so the estimate is asked of `mem`, which may refuse it, and given back.
 *  Errors  also HLM_E_LIMIT (above the use's limits, or nested deeper than HLMI_JSON_DEPTH). */
hlm_status hlmi_json_parse_for(hlmi_json_use use, const hlmi_mem *mem, const char *text, size_t len, bool unique,
                               const char *what, json_t **out);

enum { HLMI_JSON_DEPTH = 128 };

/** Parse exactly one value; text behind it is an error. Duplicate keys are
 *  refused when `unique`. *out is the caller's to json_decref.
 *  Errors  HLM_E_FORMAT with `what`, line and column; HLM_E_NOMEM. */
hlm_status hlmi_json_parse(const hlmi_mem *mem, const char *text, size_t len, bool unique, const char *what,
                           json_t **out);

/** true when v is a number or a {"__float__": ...} object; *out receives it. */
bool hlmi_json_number(const json_t *v, double *out);

#endif
