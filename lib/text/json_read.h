/* Reading the parts of a tokenizer.json. */
#ifndef HLMI_TEXT_JSON_READ_H
#define HLMI_TEXT_JSON_READ_H

#include "base/json.h"
#include "text/regex.h"

/** A copy of the string def[key]; HLM_E_FORMAT when it is none. */
hlm_status hlmi_json_text(const hlmi_mem *mem, const hlmi_json *def, const char *key, char **s, size_t *len);
/** def["pattern"]: {"String": ...} or {"Regex": ...}. */
hlm_status hlmi_json_pattern(const hlmi_mem *mem, const hlmi_json *def, hlmi_pattern *p);

typedef hlm_status hlmi_step_fn(void *list, const hlmi_mem *mem, const char *kind, const hlmi_json *def);

/** Calls step for def, or for each member of a "Sequence" (its steps are under `members`), at any depth up to 16; null
 *  is no step. `what` names the stage in errors. */
hlm_status hlmi_json_steps(const hlmi_json *def, const char *what, const char *members, const hlmi_mem *mem,
                           hlmi_step_fn *step, void *list);

#endif
