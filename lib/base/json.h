/* JSON from untrusted files, through jansson. Accepts the bare Infinity,
 * -Infinity and NaN that real configs contain: each becomes the object
 * {"__float__": "Infinity"}, the spelling other real configs use; read numbers
 * with hlmi_json_number and both are the same. */
#ifndef HLMI_BASE_JSON_H
#define HLMI_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "base/mem.h"

/** Parse exactly one value; text behind it is an error. Duplicate keys are
 *  refused when `unique`. *out is the caller's to json_decref.
 *  Errors  HLM_E_FORMAT with `what`, line and column; HLM_E_NOMEM. */
hlm_status hlmi_json_parse(const hlmi_mem *mem, const char *text, size_t len, bool unique, const char *what,
                           json_t **out);

/** true when v is a number or a {"__float__": ...} object; *out receives it. */
bool hlmi_json_number(const json_t *v, double *out);

#endif
